/**
 * What can be wrong with bencode: every rule by a stable code.
 *
 * @module
 */

import { ProtocolError } from '../base/errors.ts';

/**
 * How bad a fault is. `form`: the value is clear, its form is not canonical; refused by `strict`
 * only. `error`: always refused, though it is clear where the next value begins. `fatal`: always
 * refused, and nothing behind it can be judged.
 */
export type FaultLevel = 'form' | 'error' | 'fatal';

interface Kind {
  readonly rule: string;
  readonly level: FaultLevel;
}

/** Stable name of a broken rule; part of the `--json` contract of `bencode check`. */
export type FaultCode =
  | 'unexpected-end'
  | 'no-value'
  | 'integer-digits'
  | 'empty-integer'
  | 'negative-zero'
  | 'leading-zero'
  | 'integer-range'
  | 'integer-limit'
  | 'string-length'
  | 'string-limit'
  | 'key-type'
  | 'missing-value'
  | 'unsorted-key'
  | 'duplicate-key'
  | 'trailing-bytes'
  | 'depth-limit'
  | 'token-limit'
  | 'input-limit';

/** Rules of BEP 3 "bencoding", and the limits of bip. */
const KINDS: Readonly<Record<FaultCode, Kind>> = {
  'unexpected-end': { rule: 'BEP 3 end of input', level: 'fatal' },
  'no-value': { rule: 'BEP 3 first byte of a value', level: 'fatal' },
  'integer-digits': { rule: 'BEP 3 integer digits', level: 'fatal' },
  'empty-integer': { rule: 'BEP 3 integer digits', level: 'error' },
  'negative-zero': { rule: 'BEP 3 negative zero', level: 'error' },
  'leading-zero': { rule: 'BEP 3 leading zeros', level: 'form' },
  'integer-range': { rule: 'signed 64-bit integers', level: 'form' },
  'integer-limit': { rule: 'limit of digits', level: 'error' },
  'string-length': { rule: 'BEP 3 string length', level: 'fatal' },
  'string-limit': { rule: 'limit of string length', level: 'error' },
  'key-type': { rule: 'BEP 3 keys are strings', level: 'fatal' },
  'missing-value': { rule: 'BEP 3 every key has a value', level: 'error' },
  'unsorted-key': { rule: 'BEP 3 keys are sorted', level: 'form' },
  'duplicate-key': { rule: 'BEP 3 keys appear once', level: 'error' },
  'trailing-bytes': { rule: 'BEP 3 one value', level: 'form' },
  'depth-limit': { rule: 'limit of nesting', level: 'fatal' },
  'token-limit': { rule: 'limit of values', level: 'fatal' },
  'input-limit': { rule: 'limit of input length', level: 'fatal' },
};

/** One broken rule at one place. */
export interface Fault {
  readonly code: FaultCode;
  /** Where in the input, in bytes. */
  readonly offset: number;
  /** A sentence without the offset. */
  readonly message: string;
}

/** See {@link FaultLevel}. */
export function faultLevel(code: FaultCode): FaultLevel {
  return KINDS[code].level;
}

/** The rule with its source, as in `ProtocolError.rule`. */
export function faultRule(code: FaultCode): string {
  return KINDS[code].rule;
}

/** The fault as an error: its sentence names the offset. */
export function faultError({ code, offset, message }: Fault): ProtocolError {
  return new ProtocolError(`bencode at byte ${offset}: ${message}`, {
    rule: KINDS[code].rule,
    offset,
    code: 'BIP_BENCODE',
  });
}
