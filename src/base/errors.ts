/**
 * Errors bip throws on purpose: one class per reaction of the caller.
 *
 * Every class carries a stable `code`, part of the `--json` contract, and one sentence that names
 * the thing, what is wrong with it and, where there is one, what helps. Anything else that reaches
 * the command line is a bug.
 *
 * @module
 */

/** Stable, machine-readable name of a failure: `BIP_<MODULE>_<REASON>`. */
export type ErrorCode = `BIP_${string}`;

/** Root of every error bip throws on purpose. */
export abstract class BipError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
  override get name(): string {
    return this.constructor.name;
  }
}

/** Bytes or text from outside break the named rule. Exit code 3 when it is the user's input. */
export class ProtocolError extends BipError {
  /** The rule broken, with its source, e.g. `BEP 15 packet length`. */
  readonly rule: string;
  /** Where in the input, in bytes; `undefined` when no single place is to blame. */
  readonly offset: number | undefined;
  constructor(
    message: string,
    details: {
      readonly rule: string;
      readonly offset?: number;
      readonly code?: ErrorCode;
      readonly cause?: unknown;
    },
  ) {
    super(details.code ?? 'BIP_PROTOCOL', message, details);
    this.rule = details.rule;
    this.offset = details.offset;
  }
}

/** The remote answered, and its answer is a refusal. Exit code 1. */
export class RemoteError extends BipError {
  constructor(
    message: string,
    details: { readonly code?: ErrorCode; readonly cause?: unknown } = {},
  ) {
    super(details.code ?? 'BIP_REMOTE', message, details);
  }
}

/** The network gave no way through: refused, unreachable, reset, no such host. Exit code 1. */
export class NetworkError extends BipError {
  constructor(
    message: string,
    details: { readonly code?: ErrorCode; readonly cause?: unknown } = {},
  ) {
    super(details.code ?? 'BIP_NETWORK', message, details);
  }
}

/** No answer in the time allowed. Exit code 1, or 6 when the user set the limit. */
export class TimeoutError extends BipError {
  /** How long was waited, in milliseconds. */
  readonly waitedMs: number;
  constructor(message: string, waitedMs: number, details: { readonly code?: ErrorCode } = {}) {
    super(details.code ?? 'BIP_TIMEOUT', message);
    this.waitedMs = waitedMs;
  }
}

/** Local storage refuses: cannot read, cannot write, disk full, would overwrite. Exit code 4. */
export class StorageError extends BipError {
  constructor(
    message: string,
    details: { readonly code?: ErrorCode; readonly cause?: unknown } = {},
  ) {
    super(details.code ?? 'BIP_STORAGE', message, details);
  }
}

/** Data does not match its hashes. Exit code 5. */
export class IntegrityError extends BipError {
  constructor(
    message: string,
    details: { readonly code?: ErrorCode; readonly cause?: unknown } = {},
  ) {
    super(details.code ?? 'BIP_INTEGRITY', message, details);
  }
}

/** The caller asked for something that makes no sense. Exit code 2. */
export class UsageError extends BipError {
  constructor(
    message: string,
    details: { readonly code?: ErrorCode; readonly cause?: unknown } = {},
  ) {
    super(details.code ?? 'BIP_USAGE', message, details);
  }
}

/** A promise bip made to itself is broken: a bug, never the fault of any input. Exit code 70. */
export class InvariantError extends Error {
  override get name(): string {
    return 'InvariantError';
  }
}

/** @throws {InvariantError} when `condition` is false. `message` says what had to hold. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
