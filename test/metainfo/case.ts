/** A torrent and what is to be said about it. @module */

import type { WarningCode } from '../../src/metainfo/index.ts';

/** What must hold of a torrent that loads; what is left out is not looked at. */
export interface Loads {
  readonly version?: 'v1' | 'v2' | 'hybrid';
  readonly name?: string;
  /** `path`, `path -> target` for symlinks, `path (pad)` for padding, in order. */
  readonly files?: readonly string[];
  readonly lengths?: readonly number[];
  readonly offsets?: readonly number[];
  readonly pieceCount?: number;
  readonly warnings?: readonly WarningCode[];
}

export interface Case {
  /** Name of the fixture; of an invalid one, the rule that it breaks. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly expect: Loads | { readonly refused: string };
}

export function loads(name: string, bytes: Uint8Array, expect: Loads = {}): Case {
  return { name, bytes, expect: { warnings: [], ...expect } };
}

/** `reason`: the code without `BIP_METAINFO_`, or `BENCODE`. */
export function refused(name: string, bytes: Uint8Array, reason: string): Case {
  return { name, bytes, expect: { refused: reason } };
}
