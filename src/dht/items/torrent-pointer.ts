/** Mutable items that name the torrent of the day (BEP 46). @module */

import { invariant, ProtocolError } from '../../base/errors.ts';
import { decode, encode } from '../../bencode/index.ts';
import { ID_BYTES } from '../distance.ts';

/** The value of an item that points to a torrent, by the 20 bytes of its infohash on the wire. */
export function encodeTorrentPointer(infoHash: Uint8Array): Uint8Array {
  invariant(infoHash.length === ID_BYTES, 'an infohash on the wire has 20 bytes');
  return encode({ ih: infoHash });
}

/** A copy of the 20 bytes to which the value of an item points; `undefined` when it points to no torrent. */
export function decodeTorrentPointer(value: Uint8Array): Uint8Array | undefined {
  try {
    const infoHash = decode(value).get('ih')?.asBytes();
    return infoHash?.length === ID_BYTES ? infoHash.slice() : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
