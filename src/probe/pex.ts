/** Peers that a peer names: the messages of ut_pex (BEP 11), as far as a probe reads them. @module */

import { COMPACT_LENGTH, decodeCompact, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { decode } from '../bencode/index.ts';
import type { PexFlag, PexPeer } from './report.ts';

/** Names, byte strings, one dictionary. */
const LIMITS = { maxDepth: 4, maxTokens: 100 } as const;
/** Peers kept of one message; BEP 11 allows for 50 of each family, the first message may have more. */
const MAX_PEERS = 400;
/** BEP 11 "added.f". */
const FLAGS: readonly (readonly [mask: number, flag: PexFlag])[] = [
  [0x01, 'encryption'],
  [0x02, 'seed'],
  [0x04, 'utp'],
  [0x08, 'holepunch'],
  [0x10, 'reachable'],
];

/**
 * The peers that the message adds, at most 400, each once.
 * @throws {ProtocolError} no such message.
 */
export function decodePexPeers(payload: Uint8Array): readonly PexPeer[] {
  const root = decode(payload, { ...LIMITS, fullDecode: false });
  if (root.kind !== 'dictionary') {
    throw new ProtocolError('the ut_pex message is no dictionary', { rule: 'BEP 11 message' });
  }
  const peers = new Map<string, PexPeer>();
  for (const [family, key] of [
    [4, 'added'],
    [6, 'added6'],
  ] as const) {
    const flags = root.get(`${key}.f`)?.asBytes();
    const added = root.get(key)?.asBytes() ?? new Uint8Array(0);
    const size = COMPACT_LENGTH[family];
    for (let at = 0; at * size < added.length && peers.size < MAX_PEERS; at++) {
      // One by one, since those that cannot be reached have flags all the same.
      const [endpoint] = decodeCompact(added.subarray(at * size, (at + 1) * size), family);
      if (endpoint === undefined) continue;
      peers.set(formatEndpoint(endpoint), { endpoint, flags: namesOf(flags?.[at]) });
    }
  }
  return [...peers.values()];
}

function namesOf(bits = 0): readonly PexFlag[] {
  return FLAGS.flatMap(([mask, flag]) => ((bits & mask) === 0 ? [] : [flag]));
}
