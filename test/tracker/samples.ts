/** Values that the tracker's tests share. @module */

import { encodeUtf8, parseHex } from '../../src/base/bytes.ts';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import type { AnnounceRequest } from '../../src/tracker/index.ts';

/** Bytes of hex with spaces. */
export function hex(text: string): Uint8Array {
  const bytes = parseHex(text.replace(/\s/g, ''));
  if (bytes === undefined) throw new Error(`no hex: ${text}`);
  return bytes;
}

export const INFO_HASH: InfoHash = new InfoHash(
  hex('00 20 25 26 2b 2d 2e 2f 39 3a 41 5a 5f 61 7a 7e 7f 80 fe ff'),
);
export const PEER_ID: PeerId = new PeerId(encodeUtf8('-BP0100-abcdefghijkl'));

export const REQUEST: AnnounceRequest = {
  infoHash: INFO_HASH,
  peerId: PEER_ID,
  port: 6881,
  uploaded: 3,
  downloaded: 2,
  left: 1,
  key: 0x0a0b0c0d,
};

/** Every prefix that is shorter than the whole. */
export function* prefixes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
}
