/** Peers that a peer names: the messages of ut_pex (BEP 11), as far as a probe reads them. @module */

import { decodeCompact } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { type BencodeNode, decode } from '../bencode/index.ts';
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
    for (const [at, peer] of readPeers(root.get(key), family).entries()) {
      if (peers.size === MAX_PEERS) break;
      peers.set(`${peer.host} ${peer.port}`, { endpoint: peer, flags: namesOf(flags?.[at]) });
    }
  }
  return [...peers.values()];
}

function readPeers(node: BencodeNode | undefined, family: 4 | 6): readonly PexPeer['endpoint'][] {
  return decodeCompact(node?.asBytes() ?? new Uint8Array(0), family);
}

function namesOf(bits = 0): readonly PexFlag[] {
  return FLAGS.flatMap(([mask, flag]) => ((bits & mask) === 0 ? [] : [flag]));
}
