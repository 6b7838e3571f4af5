/** The FileHashers port of the simulated world. @module */

import { concatBytes } from '../../base/bytes.ts';
import { StorageError } from '../../base/errors.ts';
import { HASH_LENGTH, merkleRoot } from '../../base/merkle.ts';
import { changedFile, shortFile, storageFailure } from '../failures.ts';
import type { FileHashers, Files, HashedRun, HashFault, HashPart, HashRun } from '../ports.ts';
import type { Digest } from './digest.ts';

/** Leaves of the trees of BEP 52: 16 KiB. */
const BLOCK_LENGTH = 16_384;

/** Runs that tests may see at once. */
const LANES = 2;

const RUN_BYTES = 4 * 1024 * 1024;

export function simFileHashers(files: Files, digest: Digest): FileHashers {
  return new SimFileHashers(files, digest);
}

class SimFileHashers implements FileHashers {
  readonly lanes = LANES;
  readonly runBytes = RUN_BYTES;
  readonly #files: Files;
  readonly #digest: Digest;
  #disposed = false;

  constructor(files: Files, digest: Digest) {
    this.#files = files;
    this.#digest = digest;
  }

  async hash(run: HashRun): Promise<HashedRun> {
    if (this.#disposed) throw new Error('the hashers were disposed');
    const faults: HashFault[] = [];
    const contents: Uint8Array[] = [];
    for (const [part, what] of run.parts.entries()) {
      contents.push(await this.#read(what, (error) => faults.push({ part, error })));
    }
    const trees = contents.filter((_, at) => run.parts[at]?.path !== undefined);
    const alone = run.parts.filter(({ path }) => path !== undefined).map((part) => part.alone);
    return {
      sha1: run.sha1 ? this.#pieces(concatBytes(...contents), run) : new Uint8Array(),
      roots: run.sha256
        ? concatBytes(...trees.map((bytes, at) => this.#roots(bytes, run, alone[at] ?? false)))
        : new Uint8Array(),
      digests: trees.flatMap((bytes) =>
        (run.digests ?? []).map((algorithm) => this.#digest(algorithm, bytes)),
      ),
      faults,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }

  async #read(part: HashPart, fail: (error: StorageError) => void): Promise<Uint8Array> {
    const { path, position, length, expected } = part;
    const bytes = new Uint8Array(length);
    if (path === undefined || length === 0) return bytes;
    try {
      await using handle = await this.#files.open(path, 'read');
      const count = await handle.read(bytes, position);
      const { size, modified } = await handle.stat();
      if (expected !== undefined && (size !== expected.size || modified !== expected.modified)) {
        fail(changedFile(path));
      } else if (count < length) fail(shortFile(path, position + count));
    } catch (error) {
      fail(
        error instanceof StorageError
          ? error
          : storageFailure(`cannot read ${path}`, 'EIO', { cause: error }),
      );
    }
    return bytes;
  }

  #pieces(stream: Uint8Array, { pieceLength }: HashRun): Uint8Array {
    return concatBytes(...cut(stream, pieceLength).map((piece) => this.#digest('sha1', piece)));
  }

  #roots(bytes: Uint8Array, { pieceLength }: HashRun, alone: boolean): Uint8Array {
    const hash = (block: Uint8Array): Uint8Array => this.#digest('sha256', block);
    const width = alone ? undefined : pieceLength / BLOCK_LENGTH;
    const roots = new Uint8Array(Math.ceil(bytes.length / pieceLength) * HASH_LENGTH);
    for (const [at, piece] of cut(bytes, pieceLength).entries()) {
      const leaves = concatBytes(...cut(piece, BLOCK_LENGTH).map(hash));
      roots.set(merkleRoot(leaves, width, { hash }), at * HASH_LENGTH);
    }
    return roots;
  }
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    bytes.subarray(at * length, (at + 1) * length),
  );
}
