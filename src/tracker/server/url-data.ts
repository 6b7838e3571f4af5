/** The options at the end of announces over UDP (BEP 41). @module */

import { concatBytes, decodeUtf8Lossy } from '../../base/bytes.ts';

/**
 * Path and query of the URL that the client announces to, out of the options from `from` on; empty
 * when there are none. Options that are unknown are skipped, and one that is cut ends them.
 */
export function readUrlData(bytes: Uint8Array, from: number): string {
  const parts: Uint8Array[] = [];
  for (let at = from; at < bytes.length && bytes[at] !== END; ) {
    const option = bytes[at];
    if (option === NOP) {
      at++;
      continue;
    }
    const end = at + 2 + (bytes[at + 1] ?? bytes.length);
    if (end > bytes.length) break;
    if (option === URL_DATA) parts.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return parts.length === 0 ? '' : decodeUtf8Lossy(concatBytes(...parts));
}

const END = 0;
const NOP = 1;
const URL_DATA = 2;
