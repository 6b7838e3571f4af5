/** Peers as Redis is told of them, and what it answers. @module */

import { COMPACT_LENGTH } from '../../base/endpoint.ts';
import { InvariantError, RemoteError } from '../../base/errors.ts';
import {
  EVENT,
  type IncomingAnnounce,
  MAX_PEERS_IN_ANSWER,
  type RemoteAnswer,
  type SwarmCounts,
} from './model.ts';
import type { PeerKind } from './redis-script.ts';

/** Address and port in compact form, in memory of its own. */
export function memberOf(peer: {
  readonly address: Uint8Array;
  readonly port: number;
}): Uint8Array {
  const { address, port } = peer;
  const member = new Uint8Array(address.length + 2);
  if (member.length !== COMPACT_LENGTH[4] && member.length !== COMPACT_LENGTH[6]) {
    throw new InvariantError('an address has 4 or 16 bytes');
  }
  member.set(address);
  member[address.length] = port >>> 8;
  member[address.length + 1] = port & 0xff;
  return member;
}

/** What {@link memberOf} was made of. */
export function peerOf(member: Uint8Array): { address: Uint8Array; port: number } {
  const length = member.length - 2;
  const [high = 0, low = 0] = member.subarray(length);
  return { address: member.subarray(0, length), port: (high << 8) | low };
}

export function kindOf({ event, seeding }: IncomingAnnounce): PeerKind {
  if (event === EVENT.stopped) return 'x';
  return seeding || event === EVENT.completed ? 's' : 'l';
}

/** @throws {RemoteError} when it is not what the script returns. */
export function readAnnounceReply(reply: unknown, family: 4 | 6): RemoteAnswer {
  const [seeders, leechers, completed, own, others] = Array.isArray(reply) ? reply : NOTHING;
  const otherFamily = family === 4 ? 6 : 4;
  const compact = {
    [family]: readPeers(own, family),
    [otherFamily]: readPeers(others, otherFamily),
  };
  const { 4: peers4 = NO_BYTES, 6: peers6 = NO_BYTES } = compact;
  return {
    ...countsOf([seeders, leechers, completed]),
    peers4,
    count4: peers4.length / COMPACT_LENGTH[4],
    ids4: NO_BYTES,
    peers6,
    count6: peers6.length / COMPACT_LENGTH[6],
    ids6: NO_BYTES,
    local: false,
  };
}

/** @throws {RemoteError} when it is not what the script returns. */
export function readScrapeReply(reply: unknown): SwarmCounts {
  return countsOf(Array.isArray(reply) ? reply : NOTHING);
}

const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly unknown[] = [];

function countsOf(values: readonly unknown[]): SwarmCounts {
  const [seeders = 0, leechers = 0, completed = 0] = values.slice(0, 3).map(readCount);
  if (values.length < 3) throw nonsense();
  return { seeders, leechers, completed };
}

function readCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw nonsense();
  return value;
}

function readPeers(value: unknown, family: 4 | 6): Uint8Array {
  const size = COMPACT_LENGTH[family];
  const isFine =
    value instanceof Uint8Array &&
    value.length % size === 0 &&
    value.length <= size * MAX_PEERS_IN_ANSWER;
  if (!isFine) throw nonsense();
  return value;
}

function nonsense(): RemoteError {
  return new RemoteError('Redis answers with something that no script of bip returns', {
    code: 'BIP_REDIS',
  });
}
