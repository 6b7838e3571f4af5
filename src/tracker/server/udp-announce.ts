/** Announces out of UDP packets (BEP 15). @module */

import { readUint32 } from '../../base/uint32.ts';
import { EVENT, type EventCode, type IncomingAnnounce } from './model.ts';
import type { Tracker } from './tracker.ts';
import { MAX_PEERS } from './udp-answers.ts';

/** Options may follow (BEP 41). */
export const ANNOUNCE_LENGTH = 98;

/** Reads one announce after the other into the same {@link call}. */
export class UdpAnnounces {
  readonly call: IncomingAnnounce = {
    infoHash: new Uint8Array(20),
    peerId: new Uint8Array(20),
    address: new Uint8Array(4),
    port: 0,
    seeding: false,
    event: EVENT.none,
    numWant: 0,
    withIds: false,
  };
  readonly #namedAddress = new Uint8Array(4);

  /** Fills {@link call} from a packet of at least {@link ANNOUNCE_LENGTH} bytes; its port may be 0. */
  read(bytes: Uint8Array, sender: Uint8Array, tracker: Tracker): void {
    const { call } = this;
    const isFour = sender.length === 4;
    copyTo(call.infoHash, bytes, 16);
    copyTo(call.peerId, bytes, 36);
    call.seeding = readUint32(bytes, 64) === 0 && readUint32(bytes, 68) === 0;
    call.event = EVENTS[readUint32(bytes, 80)] ?? EVENT.none;
    call.sender = sender;
    call.address = sender;
    // The field has no room for IPv6.
    if (isFour && readUint32(bytes, 84) !== 0 && tracker.believes(sender)) {
      copyTo(this.#namedAddress, bytes, 84);
      call.address = this.#namedAddress;
    }
    const asked = readUint32(bytes, 92) | 0;
    call.numWant = Math.min(tracker.numWant(asked), MAX_PEERS[isFour ? 4 : 6]);
    call.port = readUint32(bytes, 94) & 0xffff;
  }
}

/** Fills `target` with what stands in `bytes` from `at` on. */
export function copyTo(target: Uint8Array, bytes: Uint8Array, at: number): void {
  for (let index = 0; index < target.length; index++) target[index] = bytes[at + index] ?? 0;
}

/** Others, as that of a client that pauses (BEP 21), are none. */
const EVENTS: readonly EventCode[] = [EVENT.none, EVENT.completed, EVENT.started, EVENT.stopped];
