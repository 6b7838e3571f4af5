/** Packets that the tracker sends over UDP (BEP 15), written into memory that is used again. @module */

import { COMPACT_LENGTH } from '../../base/endpoint.ts';
import { writeUint32 } from '../../base/uint32.ts';
import { createAnswer, MAX_PEERS_IN_ANSWER, type SwarmAnswer, type SwarmCounts } from './model.ts';

export const ACTION = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;

/** Peers of each family that an answer has room for: longer packets would be cut into fragments. */
export const MAX_PEERS: { readonly 4: number; readonly 6: number } = {
  4: Math.min(MAX_PEERS_IN_ANSWER, room(COMPACT_LENGTH[4])),
  6: Math.min(MAX_PEERS_IN_ANSWER, room(COMPACT_LENGTH[6])),
};

/** All methods return the length of the packet. Requests are at least 16 bytes long. */
export class UdpAnswers {
  readonly out: Uint8Array = new Uint8Array(PEERS_OFFSET + MAX_PEERS_IN_ANSWER * COMPACT_LENGTH[6]);
  /**
   * Lets the store write peers where they stand in the packet: those of one family, and without room
   * for peer ids, which UDP does not carry.
   */
  readonly inPlace: SwarmAnswer = {
    ...createAnswer(),
    peers4: this.out.subarray(PEERS_OFFSET),
    ids4: new Uint8Array(0),
    peers6: this.out.subarray(PEERS_OFFSET),
    ids6: new Uint8Array(0),
  };

  /** The connection id is written behind it by who makes it. */
  connect(request: Uint8Array): number {
    this.#begin(ACTION.connect, request);
    return CONNECT_LENGTH;
  }

  announce(
    request: Uint8Array,
    answer: SwarmAnswer,
    { family, intervalSeconds }: { readonly family: 4 | 6; readonly intervalSeconds: number },
  ): number {
    const [peers, found] =
      family === 4 ? [answer.peers4, answer.count4] : [answer.peers6, answer.count6];
    const end = Math.min(found, MAX_PEERS[family]) * COMPACT_LENGTH[family];
    if (answer !== this.inPlace) this.out.set(peers.subarray(0, end), PEERS_OFFSET);
    this.#begin(ACTION.announce, request);
    writeUint32(this.out, 8, intervalSeconds);
    writeUint32(this.out, 12, answer.leechers);
    writeUint32(this.out, 16, answer.seeders);
    return PEERS_OFFSET + end;
  }

  /** With no swarm yet. */
  scrape(request: Uint8Array): number {
    this.#begin(ACTION.scrape, request);
    return HEAD_LENGTH;
  }

  /** One swarm more, behind the `length` bytes that are there. */
  addCounts(length: number, { seeders, completed, leechers }: SwarmCounts): number {
    writeUint32(this.out, length, seeders);
    writeUint32(this.out, length + 4, completed);
    writeUint32(this.out, length + 8, leechers);
    return length + COUNTS_LENGTH;
  }

  fail(request: Uint8Array, words: Uint8Array): number {
    this.#begin(ACTION.error, request);
    this.out.set(words, HEAD_LENGTH);
    return HEAD_LENGTH + words.length;
  }

  /** Action and transaction id. */
  #begin(action: number, request: Uint8Array): void {
    writeUint32(this.out, 0, action);
    for (let at = 0; at < 4; at++) this.out[4 + at] = request[TRANSACTION_OFFSET + at] ?? 0;
  }
}

/** Before the words of an error, and before the counts of a scrape. */
export const HEAD_LENGTH = 8;
const CONNECT_LENGTH = 16;
const TRANSACTION_OFFSET = 12;
const PEERS_OFFSET = 20;
const COUNTS_LENGTH = 12;

function room(entryLength: number): number {
  // IPv6 carries packets of 1,280 bytes everywhere, nearly every path more than 1,400.
  const longest = 1400;
  return Math.floor((longest - 20) / entryLength);
}
