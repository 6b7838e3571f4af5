/** Reading swarms from a file. @module */

import { decodeUtf8Lossy } from '../../../base/bytes.ts';
import { ProtocolError } from '../../../base/errors.ts';
import { readUint32 } from '../../../base/uint32.ts';
import { crc32 } from './crc32.ts';
import {
  CHECKSUM_LENGTH,
  ID_LENGTH,
  PEER_LENGTH,
  SNAPSHOT_NAME,
  SNAPSHOT_VERSION,
  SWARM_LENGTH,
  TAG,
  TIME_LENGTH,
} from './snapshot-format.ts';
import type { StoreId } from './swarm-store.ts';
import { PEERS_IN_VIEW, type PeerView, type SwarmView } from './views.ts';

/** The line of any version is no longer. */
const MAX_LINE = 40;
const NEW_LINE = 0x0a;
const RULE = 'state of a bip tracker';

/**
 * Takes a file in parts of any size. Views come as soon as they are complete, before it is known
 * whether the checksum is right: whoever wants all or nothing keeps them until {@link end}.
 */
export class SnapshotReader {
  readonly #onSwarm: (view: SwarmView) => void;
  /** When the file was written, in milliseconds since 1970; known before the first view comes. */
  writtenAtMs = 0;
  /** Of the store that was written; known as early, and `undefined` where the file has none. */
  storeId: StoreId | undefined;
  /** What is read of `#item`, which begins at `#offset` of the file. */
  #item = new Uint8Array(64);
  #filled = 0;
  #offset = 0;
  #at: 'line' | 'time' | 'record' | 'done' = 'line';
  #checksum = 0;
  #swarm: { infoHash: Uint8Array; completed: number; peers: PeerView[] } | undefined;

  constructor(onSwarm: (view: SwarmView) => void) {
    this.#onSwarm = onSwarm;
  }

  /** @throws {ProtocolError} at the first byte that does not belong there. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#at === 'done') this.#fail('goes on behind its end');
      this.#item[this.#filled++] = bytes[at++] ?? 0;
      const missing = Math.min(this.#length() - this.#filled, bytes.length - at);
      // Lines are looked at byte by byte, the rest as far as its length is known.
      if (missing > 0 && this.#at !== 'line') {
        this.#item.set(bytes.subarray(at, at + missing), this.#filled);
        this.#filled += missing;
        at += missing;
      }
      if (this.#isWhole()) this.#take();
    }
  }

  /** @throws {ProtocolError} when something is missing. */
  end(): void {
    if (this.#at !== 'done') this.#fail('ends too early');
  }

  /** How long the item that is being read will be. */
  #length(): number {
    if (this.#at === 'line') return MAX_LINE;
    if (this.#at === 'time') return TIME_LENGTH;
    switch (this.#item[0]) {
      case TAG.end:
        return 1 + CHECKSUM_LENGTH;
      case TAG.id:
        return 1 + ID_LENGTH;
      case TAG.swarm:
        return 1 + SWARM_LENGTH;
      case TAG.peer4:
        return 1 + 4 + PEER_LENGTH;
      case TAG.peer6:
        return 1 + 16 + PEER_LENGTH;
      default:
        return this.#fail(`has a record of unknown kind ${this.#item[0] ?? 0}`);
    }
  }

  #isWhole(): boolean {
    const isLine = this.#at === 'line' && this.#item[this.#filled - 1] === NEW_LINE;
    return isLine || this.#filled === this.#length();
  }

  #take(): void {
    const item = this.#item.subarray(0, this.#filled);
    const isEnd = this.#at === 'record' && item[0] === TAG.end;
    this.#checksum = crc32(this.#checksum, isEnd ? item.subarray(0, 1) : item);
    if (this.#at === 'line') this.#takeLine(item);
    else if (this.#at === 'time') this.#takeTime(item);
    else this.#takeRecord(item);
    this.#offset += this.#filled;
    this.#filled = 0;
  }

  #takeLine(line: Uint8Array): void {
    const text = decodeUtf8Lossy(line);
    if (!text.startsWith(SNAPSHOT_NAME) || !text.endsWith('\n'))
      this.#fail('does not begin as one');
    const version = text.slice(SNAPSHOT_NAME.length, -1);
    if (version !== String(SNAPSHOT_VERSION)) {
      this.#fail(
        `has version ${JSON.stringify(version)}; this bip reads version ${SNAPSHOT_VERSION}`,
      );
    }
    this.#at = 'time';
  }

  #takeTime(item: Uint8Array): void {
    this.writtenAtMs = readUint32(item, 0) * 0x1_0000_0000 + readUint32(item, 4);
    this.#at = 'record';
  }

  #takeRecord(item: Uint8Array): void {
    if (item[0] === TAG.end) this.#takeEnd(item);
    else if (item[0] === TAG.id) this.#takeId(item);
    else if (item[0] === TAG.swarm) {
      this.#pass();
      this.#swarm = { infoHash: item.slice(1, 21), completed: readUint32(item, 21), peers: [] };
    } else this.#takePeer(item);
  }

  #takeId(item: Uint8Array): void {
    if (this.storeId !== undefined || this.#swarm !== undefined)
      this.#fail('has an id in the wrong place');
    this.storeId = { high: readUint32(item, 1), low: readUint32(item, 5) };
  }

  #takePeer(item: Uint8Array): void {
    const swarm = this.#swarm;
    if (swarm === undefined) return this.#fail('has a peer without a swarm');
    const family = item[0] === TAG.peer4 ? 4 : 6;
    const rest = family === 4 ? 5 : 17;
    const port = ((item[rest] ?? 0) << 8) | (item[rest + 1] ?? 0);
    if (port === 0) this.#fail('has a peer with port 0');
    const kind = item[rest + 2] ?? 0;
    if (kind > 1) this.#fail('has a peer that is neither seed nor leecher');
    swarm.peers.push({
      family,
      address: item.slice(1, rest),
      port,
      peerId: item.slice(rest + 7),
      seeding: kind === 1,
      ageSeconds: readUint32(item, rest + 3),
    });
    if (swarm.peers.length < PEERS_IN_VIEW) return;
    this.#onSwarm(swarm);
    this.#swarm = { ...swarm, peers: [] };
  }

  #takeEnd(item: Uint8Array): void {
    if (readUint32(item, 1) !== this.#checksum) this.#fail('is damaged: its checksum is another');
    this.#pass();
    this.#at = 'done';
  }

  #pass(): void {
    if (this.#swarm !== undefined) this.#onSwarm(this.#swarm);
  }

  #fail(what: string): never {
    throw new ProtocolError(`state of a tracker ${what} (at byte ${this.#offset})`, {
      rule: RULE,
      offset: this.#offset,
      code: 'BIP_TRACKER_STATE',
    });
  }
}
