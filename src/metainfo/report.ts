/** How the parser says no, and how it says "odd". @module */

import { type ErrorCode, ProtocolError } from '../base/errors.ts';
import type { Warning, WarningCode } from './metainfo.ts';

/** Reasons to refuse a torrent; part of the `--json` contract as `BIP_METAINFO_…`. */
export type Refusal =
  | 'DEPTH'
  | 'DUPLICATES'
  | 'FILE'
  | 'FILE_TREE'
  | 'FILES'
  | 'HYBRID'
  | 'INFO'
  | 'LENGTH'
  | 'LIMIT'
  | 'NAME'
  | 'PADDING'
  | 'PATH'
  | 'PIECE_LAYERS'
  | 'PIECE_LENGTH'
  | 'PIECES'
  | 'PIECES_ROOT'
  | 'VERSION';

/** The error to throw for a torrent that breaks `rule` at `offset`. */
export function refuse(
  reason: Refusal,
  message: string,
  details: { readonly rule: string; readonly offset?: number | undefined },
): ProtocolError {
  const code: ErrorCode = `BIP_METAINFO_${reason}`;
  const { rule, offset } = details;
  return new ProtocolError(message, { code, rule, ...(offset === undefined ? {} : { offset }) });
}

/** Collects warnings: one for each code, with the first case and how many more there were. */
export class Warnings {
  readonly #first = new Map<WarningCode, { readonly message: string; more: number }>();

  add(code: WarningCode, message: string): void {
    const known = this.#first.get(code);
    if (known === undefined) this.#first.set(code, { message, more: 0 });
    else known.more++;
  }

  /** One more than is kept of something. */
  addLimit(what: string, kept: number): void {
    this.add('limit', `there are more than ${kept} ${what}; the rest is left out`);
  }

  list(): Warning[] {
    return [...this.#first].map(([code, { message, more }]) => ({
      code,
      message: more === 0 ? message : `${message} (and ${more} more like this)`,
    }));
  }
}

/** A path for a sentence: short, on one line. */
export function showPath(path: readonly string[]): string {
  return show(path.join('/'));
}

/** Text from outside for a sentence: short, on one line. */
export function show(text: string): string {
  const line = text.replace(/\p{Cc}/gu, '␣');
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
