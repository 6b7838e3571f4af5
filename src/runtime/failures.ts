/**
 * Failures of the system as errors of bip, by the names of POSIX. Both worlds speak through this
 * table, so that a test in the simulated one sees the codes and sentences of the real one.
 *
 * @module
 */

import { type ErrorCode, NetworkError, StorageError } from '../base/errors.ts';

interface Failure {
  readonly code?: ErrorCode;
  /** What is wrong, and where there is one, what helps; completes "cannot do this: …". */
  readonly reason: string;
}

const NETWORK: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ['ECONNREFUSED', { code: 'BIP_REFUSED', reason: 'the connection was refused' }],
  ['ECONNRESET', { code: 'BIP_RESET', reason: 'the other side reset the connection' }],
  ['EPIPE', { code: 'BIP_RESET', reason: 'the other side closed the connection' }],
  ['ECONNABORTED', { code: 'BIP_RESET', reason: 'the connection was aborted' }],
  ['ETIMEDOUT', { code: 'BIP_NETWORK_TIMEOUT', reason: 'there was no answer in time' }],
  ['EHOSTUNREACH', { code: 'BIP_UNREACHABLE', reason: 'there is no way to this host' }],
  ['ENETUNREACH', { code: 'BIP_UNREACHABLE', reason: 'there is no way to this network' }],
  ['ENETDOWN', { code: 'BIP_UNREACHABLE', reason: 'the network is down' }],
  ['EADDRINUSE', { code: 'BIP_PORT_IN_USE', reason: 'somebody else listens there' }],
  ['EADDRNOTAVAIL', { code: 'BIP_ADDRESS', reason: 'this machine has no such address' }],
  ['ENODEV', { code: 'BIP_ADDRESS', reason: 'this machine has no such interface' }],
  [
    'EAFNOSUPPORT',
    { code: 'BIP_ADDRESS', reason: 'this machine does not speak this kind of addresses' },
  ],
  ['EINVAL', { reason: 'the system does not accept this address' }],
  ['EACCES', { reason: 'the system does not permit it' }],
  ['EPERM', { reason: 'the system does not permit it' }],
  ['EMFILE', { reason: 'too many files are open; raise the limit (ulimit -n)' }],
  ['ENFILE', { reason: 'too many files are open on this machine' }],
  ['ENOTFOUND', { code: 'BIP_DNS', reason: 'there is no such name' }],
  ['ENODATA', { code: 'BIP_DNS', reason: 'the name has no such address' }],
  ['EAI_AGAIN', { code: 'BIP_DNS', reason: 'the name server does not answer' }],
]);

const STORAGE: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ['ENOENT', { code: 'BIP_NOT_FOUND', reason: 'there is no such file or directory' }],
  ['EEXIST', { code: 'BIP_EXISTS', reason: 'it exists already' }],
  ['ENOTEMPTY', { code: 'BIP_EXISTS', reason: 'the directory is not empty' }],
  ['EACCES', { code: 'BIP_ACCESS', reason: 'permission denied' }],
  ['EPERM', { code: 'BIP_ACCESS', reason: 'the system does not permit it' }],
  ['EROFS', { code: 'BIP_ACCESS', reason: 'the file system is read-only' }],
  ['ETXTBSY', { code: 'BIP_ACCESS', reason: 'the program is being executed' }],
  ['ELOOP', { code: 'BIP_ACCESS', reason: 'it is a symbolic link, which is not followed here' }],
  ['ENOSPC', { code: 'BIP_DISK_FULL', reason: 'the disk is full' }],
  ['EDQUOT', { code: 'BIP_DISK_FULL', reason: 'the disk quota is used up' }],
  ['EFBIG', { code: 'BIP_DISK_FULL', reason: 'the file system takes no files of this size' }],
  ['EISDIR', { code: 'BIP_IS_DIRECTORY', reason: 'it is a directory' }],
  ['ENOTDIR', { code: 'BIP_NOT_DIRECTORY', reason: 'a part of the path is not a directory' }],
  ['ENAMETOOLONG', { reason: 'the name is too long for the file system' }],
  ['EXDEV', { code: 'BIP_OTHER_DEVICE', reason: 'the two are on different file systems' }],
  ['EBUSY', { reason: 'it is in use' }],
  ['EIO', { reason: 'the disk reports an error' }],
  ['EMFILE', { reason: 'too many files are open; raise the limit (ulimit -n)' }],
  ['ENFILE', { reason: 'too many files are open on this machine' }],
  ['EBADF', { reason: 'the file was closed before' }],
  ['EINVAL', { reason: 'the system does not accept this' }],
  ['ESPIPE', { reason: 'it is no regular file' }],
]);

/** A name of `errno.h` that {@link networkFailure} or {@link storageFailure} may know. */
export type SystemCode = string | undefined;

interface FailureDetails {
  /** For failures that the table has no code for; default `BIP_NETWORK` or `BIP_IO`. */
  readonly code?: ErrorCode;
  readonly cause?: unknown;
}

/**
 * @param doing what failed, e.g. `cannot connect to 10.0.0.1:6881`
 * @param system the system's name of the failure, e.g. `ECONNREFUSED`
 */
export function networkFailure(
  doing: string,
  system: SystemCode,
  { code = 'BIP_NETWORK', cause }: FailureDetails = {},
): NetworkError {
  const failure = NETWORK.get(system ?? '');
  return new NetworkError(`${doing}: ${failure?.reason ?? unknownReason(system, cause)}`, {
    code: failure?.code ?? code,
    cause,
  });
}

/**
 * @param doing what failed, e.g. `cannot write /srv/a.iso`
 * @param system the system's name of the failure, e.g. `ENOSPC`
 */
export function storageFailure(
  doing: string,
  system: SystemCode,
  { code = 'BIP_IO', cause }: FailureDetails = {},
): StorageError {
  const failure = STORAGE.get(system ?? '');
  return new StorageError(`${doing}: ${failure?.reason ?? unknownReason(system, cause)}`, {
    code: failure?.code ?? code,
    cause,
  });
}

function unknownReason(system: SystemCode, cause: unknown): string {
  if (cause instanceof Error && cause.message !== '') return cause.message;
  return system ?? 'the system gave no reason';
}

/** A file ends before what was to be read of it does. */
export function shortFile(path: string, size: number): StorageError {
  return new StorageError(`${path} ends at byte ${size}, before what was to be read of it`, {
    code: 'BIP_FILE_SHORT',
  });
}

/** A file is not what it was when it was looked at first. */
export function changedFile(path: string): StorageError {
  return new StorageError(
    `${path} changed while it was read; run again when nothing writes to it`,
    { code: 'BIP_FILE_CHANGED' },
  );
}
