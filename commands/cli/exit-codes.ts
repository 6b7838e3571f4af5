/** The exit codes of bip, and which error leads to which. @module */

import { CommanderError } from 'commander';
import {
  BipError,
  IntegrityError,
  ProtocolError,
  StorageError,
  UsageError,
} from '../../src/base/errors.ts';
import { Interrupted } from './context.ts';

export const EXIT = {
  done: 0,
  network: 1,
  usage: 2,
  malformed: 3,
  storage: 4,
  integrity: 5,
  limit: 6,
  bug: 70,
} as const;

/** A command that printed its result and still has a code to give, e.g. `bencode check` on faults. */
export class ExitWith extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** The limit that the user set came first; what was done is kept. Exit code 6. */
export class LimitReached extends BipError {
  constructor(message: string) {
    super('BIP_LIMIT', message);
  }
}

const CODES = [
  [UsageError, EXIT.usage],
  [ProtocolError, EXIT.malformed],
  [StorageError, EXIT.storage],
  [IntegrityError, EXIT.integrity],
  [LimitReached, EXIT.limit],
  [BipError, EXIT.network],
] as const;

/** What the process ends with after `error`; whatever bip does not throw on purpose is a bug. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitWith || error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return CODES.find(([kind]) => error instanceof kind)?.[1] ?? EXIT.bug;
}
