/** Checksums of files as a whole, beside the hashes of their pieces (BEP 3 `md5sum`). @module */

import { formatHex } from '../base/bytes.ts';
import type {
  DigestAlgorithm,
  FileHasherOptions,
  HashPart,
  HashRun,
  Runtime,
} from '../runtime/ports.ts';
import { forEachAtOnce, runsAtOnce } from './at-once.ts';
import type { Scan, ScannedFile } from './scanned.ts';

/** What stands in the torrent for one file. */
export type Checksums = Readonly<Record<string, string | Uint8Array>>;

export interface ChecksumOptions extends Pick<FileHasherOptions, 'threads' | 'order'> {
  readonly algorithms: readonly DigestAlgorithm[];
  readonly signal: AbortSignal;
  /** Bytes read so far. */
  readonly onProgress?: (doneBytes: number) => void;
}

/** Files have no pieces here; any length does. */
const PIECE_LENGTH = 2 ** 20;

/** How torrents write a digest. */
interface Form {
  readonly key: string;
  readonly bytes: number;
  readonly format: (digest: Uint8Array) => string | Uint8Array;
}

const asIs: Form['format'] = (digest) => digest;

const FORMS: Readonly<Record<DigestAlgorithm, Form>> = {
  // BEP 3 of old: 32 hex digits. libtorrent reads `sha1` as bytes.
  md5: { key: 'md5sum', bytes: 16, format: formatHex },
  sha1: { key: 'sha1', bytes: 20, format: asIs },
  sha256: { key: 'sha256', bytes: 32, format: asIs },
};

/**
 * The checksums of each file of a scan, by its index; links have none. Reads everything once more,
 * since a file cannot be hashed in parts like its pieces.
 *
 * @throws {StorageError} naming the file that cannot be read or changes; the reason of `signal`.
 */
export async function checksumsOf(
  { hashers }: Pick<Runtime, 'hashers'>,
  scan: Scan,
  options: ChecksumOptions,
): Promise<readonly (Checksums | undefined)[]> {
  const { algorithms, signal, onProgress, order, threads } = options;
  const found: (Checksums | undefined)[] = scan.files.map(() => undefined);
  const limit = threads === undefined ? {} : { threads };
  await using files = hashers.openFileHashers({ ...limit, order, totalBytes: scan.totalBytes });
  let done = 0;
  const pace = { limit: runsAtOnce(files), signal };
  await forEachAtOnce(groups(scan.files, files.runBytes), pace, async (group) => {
    const { digests, faults } = await files.hash(runOf(group, algorithms));
    const [fault] = faults;
    if (fault !== undefined) throw fault.error;
    for (const [at, { index, file }] of group.entries()) {
      const own = digests.slice(at * algorithms.length, (at + 1) * algorithms.length);
      found[index] = checksumsFrom(algorithms, own);
      done += file.length;
    }
    onProgress?.(done);
  });
  return found;
}

/** As long as the real ones: for how long the torrent will be. */
export function placeholders(algorithms: readonly DigestAlgorithm[]): Checksums {
  const digests = algorithms.map((algorithm) => new Uint8Array(FORMS[algorithm].bytes));
  return checksumsFrom(algorithms, digests);
}

interface Indexed {
  readonly index: number;
  readonly file: ScannedFile;
}

/** Small files together, until they are `runBytes`. */
function* groups(files: readonly ScannedFile[], runBytes: number): Generator<readonly Indexed[]> {
  let group: Indexed[] = [];
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    if (file.symlink !== undefined) continue;
    if (group.length > 0 && bytes + file.length > runBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push({ index, file });
    bytes += file.length;
  }
  if (group.length > 0) yield group;
}

function runOf(group: readonly Indexed[], digests: readonly DigestAlgorithm[]): HashRun {
  const parts = group.map(({ file: { source, length, modified } }): HashPart => {
    return { path: source, position: 0, length, expected: { size: length, modified } };
  });
  return { parts, pieceLength: PIECE_LENGTH, sha1: false, sha256: false, digests };
}

function checksumsFrom(
  algorithms: readonly DigestAlgorithm[],
  digests: readonly Uint8Array[],
): Checksums {
  return Object.fromEntries(
    algorithms.map((algorithm, at) => {
      const { key, format } = FORMS[algorithm];
      return [key, format(digests[at] ?? new Uint8Array())];
    }),
  );
}
