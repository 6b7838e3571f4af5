/** Paths as the system takes them. @module */

import { encodeName, isPlainName } from '../../base/bytes.ts';

/** Names that are not UTF-8 are handed over as the bytes they are; see `decodeName`. */
export function systemPath(path: string): string | Buffer {
  return isPlainName(path) ? path : Buffer.from(encodeName(path));
}
