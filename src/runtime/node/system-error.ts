/** What Node's errors say about the system. @module */

/** The name of `errno.h`, the resolver or OpenSSL that `error` carries, e.g. `ENOSPC`. */
export function systemCode(error: unknown): string | undefined {
  // Attempts at several addresses fail together; the first one is the address preferred.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return systemCode(error.errors[0]);
  }
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
