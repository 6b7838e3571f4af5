/** Writing swarms to a file. @module */

import { encodeUtf8 } from '../../../base/bytes.ts';
import { writeUint32 } from '../../../base/uint32.ts';
import { crc32 } from './crc32.ts';
import { INFO_HASH_WORDS, PEER_ID_WORDS } from './layout.ts';
import { SNAPSHOT_NAME, SNAPSHOT_VERSION, TAG } from './snapshot-format.ts';
import type { SwarmStore } from './swarm-store.ts';
import type { FamilyCopy, SwarmCopy } from './views.ts';

const CHUNK = 64 * 1024;
/** No record is longer. */
const MAX_RECORD = 64;

/**
 * All swarms of a store, in chunks of about 64 KiB, with the time of writing in milliseconds since
 * 1970. Announces may go on between chunks; each swarm is as it was at one moment of the writing.
 */
export function* encodeSnapshot(
  store: SwarmStore,
  writtenAtMs: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const output = new Output();
  output.bytes(encodeUtf8(`${SNAPSHOT_NAME}${SNAPSHOT_VERSION}\n`));
  output.uint32(Math.floor(writtenAtMs / 0x1_0000_0000));
  output.uint32(writtenAtMs);
  output.byte(TAG.id);
  output.uint32(store.id.high);
  output.uint32(store.id.low);
  for (const copy of store.copies()) {
    output.byte(TAG.swarm);
    output.words(copy.infoHash, 0, INFO_HASH_WORDS);
    output.uint32(copy.completed);
    if (output.isFull) yield output.take();
    for (const family of [copy.four, copy.six]) yield* writePeers(output, copy, family);
  }
  output.byte(TAG.end);
  yield output.take();
  output.uint32(output.checksum);
  yield output.take();
}

function* writePeers(
  output: Output,
  copy: SwarmCopy,
  family: FamilyCopy,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let place = 0; place < family.total; place++) {
    writePeer(output, copy, family, place);
    if (output.isFull) yield output.take();
  }
}

function writePeer(output: Output, copy: SwarmCopy, family: FamilyCopy, place: number): void {
  const { hot, addressLength } = family.shape;
  const at = place * hot;
  const stamp = family.hot[at + hot - 1] ?? 0;
  output.byte(addressLength === 4 ? TAG.peer4 : TAG.peer6);
  output.words(family.hot, at, hot - 1);
  output.byte(stamp >>> 24);
  output.byte(stamp >>> 16);
  output.byte(place < family.seeds ? 1 : 0);
  output.uint32(copy.ageOf(stamp));
  output.words(family.ids, place * PEER_ID_WORDS, PEER_ID_WORDS);
}

/** A chunk that is being filled, and the checksum of those before. */
class Output {
  checksum = 0;
  #chunk = new Uint8Array(CHUNK);
  #length = 0;

  /** The next record may not fit any more. */
  get isFull(): boolean {
    return this.#length > CHUNK - MAX_RECORD;
  }

  take(): Uint8Array<ArrayBuffer> {
    const chunk = this.#chunk.subarray(0, this.#length);
    this.checksum = crc32(this.checksum, chunk);
    this.#chunk = new Uint8Array(CHUNK);
    this.#length = 0;
    return chunk;
  }

  byte(value: number): void {
    this.#chunk[this.#length++] = value;
  }

  uint32(value: number): void {
    writeUint32(this.#chunk, this.#length, value);
    this.#length += 4;
  }

  words(words: Int32Array, from: number, length: number): void {
    for (let at = from; at < from + length; at++) this.uint32(words[at] ?? 0);
  }

  bytes(bytes: Uint8Array): void {
    this.#chunk.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
