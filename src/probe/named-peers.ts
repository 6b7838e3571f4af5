/** The peers that a peer names by ut_pex (BEP 11), and what it says of them in words. @module */

import { decodePex, PEX_FLAG } from '../peer/index.ts';
import type { PexFlag, PexPeer } from './report.ts';

const FLAGS: readonly (readonly [bit: number, flag: PexFlag])[] = [
  [PEX_FLAG.encryption, 'encryption'],
  [PEX_FLAG.uploadOnly, 'seed'],
  [PEX_FLAG.utp, 'utp'],
  [PEX_FLAG.holepunch, 'holepunch'],
  [PEX_FLAG.reachable, 'reachable'],
];

/**
 * The peers that the message adds.
 * @throws {ProtocolError} no such message.
 */
export function readNamedPeers(payload: Uint8Array): readonly PexPeer[] {
  return decodePex(payload).added.map(({ endpoint, flags }) => ({
    endpoint,
    flags: FLAGS.flatMap(([bit, flag]) => ((flags & bit) === 0 ? [] : [flag])),
  }));
}
