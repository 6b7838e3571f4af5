/** What everything that hashes files must do. @module */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../../src/base/bytes.ts';
import { merkleRoot } from '../../src/base/merkle.ts';
import type {
  FileHasherOptions,
  FileHashers,
  HashedRun,
  HashPart,
  HashRun,
  Runtime,
} from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place } from './place.ts';
import { pattern } from './recorder.ts';

const KIB = 1024;
const BLOCK = 16 * KIB;

/** One thread's worth and less, threads that take turns, and threads that do not. */
const KINDS: readonly (readonly [string, FileHasherOptions])[] = [
  ['a little', { order: 'auto', totalBytes: 1 }],
  ['threads in turn', { order: 'sequential', totalBytes: 2 ** 30, threads: 3 }],
  ['threads at once', { order: 'parallel', totalBytes: 2 ** 30, threads: 3 }],
];

/** What a run should give, by the simplest code that there is. */
function expected(run: HashRun, contents: ReadonlyMap<string, Uint8Array>): HashedRun {
  const bytesOf = ({ path, position, length }: HashPart): Uint8Array =>
    path === undefined
      ? new Uint8Array(length)
      : (contents.get(path) ?? new Uint8Array()).slice(position, position + length);
  const stream = concatBytes(...run.parts.map(bytesOf));
  const pieces = cut(stream, run.pieceLength).map((piece) => digest('sha1', piece));
  const roots = run.parts
    .filter(({ path }) => run.sha256 && path !== undefined)
    .flatMap((part) =>
      cut(bytesOf(part), run.pieceLength).map((piece) =>
        merkleRoot(
          concatBytes(...cut(piece, BLOCK).map((block) => digest('sha256', block))),
          part.alone === true ? undefined : run.pieceLength / BLOCK,
          { hash: (bytes) => digest('sha256', bytes) },
        ),
      ),
    );
  return {
    sha1: run.sha1 ? concatBytes(...pieces) : new Uint8Array(),
    roots: concatBytes(...roots),
    digests: run.parts
      .filter(({ path }) => path !== undefined)
      .flatMap((part) => (run.digests ?? []).map((algorithm) => digest(algorithm, bytesOf(part)))),
    faults: [],
  };
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    bytes.subarray(at * length, (at + 1) * length),
  );
}

function digest(algorithm: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest());
}

function expectEqual(actual: HashedRun, wanted: HashedRun): void {
  expect(equalBytes(actual.sha1, wanted.sha1)).toBe(true);
  expect(equalBytes(actual.roots, wanted.roots)).toBe(true);
  expect(actual.digests).toEqual(wanted.digests);
  expect(actual.faults).toEqual(wanted.faults);
}

/** Files of these lengths in the scene's directory. */
async function plant(
  runtime: Runtime,
  directory: string,
  lengths: readonly number[],
): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const [at, length] of lengths.entries()) {
    const path = `${directory}/file-${at}`;
    const bytes = pattern(length, at);
    await runtime.files.writeFile(path, bytes);
    contents.set(path, bytes);
  }
  return contents;
}

export function fileHashersCompliance(place: Place): void {
  for (const [kind, options] of KINDS) edges(place, kind, options);
  faults(place);
  disposalQuartet(place, 'file hashers', async ({ here }) => {
    const resource = here.hashers.openFileHashers({ order: 'parallel', totalBytes: 2 ** 30 });
    return {
      resource,
      async expectGone() {
        const run = { parts: [], pieceLength: BLOCK, sha1: true, sha256: false };
        await expect(resource.hash(run)).rejects.toThrow(Error);
      },
    };
  });
}

function edges(place: Place, kind: string, options: FileHasherOptions): void {
  test(`${kind}: any cut of files of any size, zeros between them`, () =>
    place.run(async ({ here, directory }) => {
      const lengths = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 100_000, 4 * BLOCK, 600_001];
      const contents = await plant(here, directory, lengths);
      const part = fc
        .tuple(fc.nat(lengths.length - 1), fc.nat(700_000), fc.nat(700_000), fc.nat(3))
        .map(([file, from, length, zeros]): HashPart => {
          if (zeros === 0) return { position: 0, length: length % 70_000 };
          const size = lengths[file] ?? 0;
          const position = Math.min(from - (from % BLOCK), size - (size % BLOCK));
          const path = `${directory}/file-${file}`;
          return { path, position, length: Math.min(length, size - position) };
        });
      const runs = fc.record({
        parts: fc.array(part, { maxLength: 6 }),
        pieceLength: fc.constantFrom(BLOCK, 2 * BLOCK, 8 * BLOCK, 64 * BLOCK),
        sha1: fc.boolean(),
        sha256: fc.boolean(),
        digests: fc.constantFrom([], ['md5' as const], ['sha256' as const, 'sha1' as const]),
      });
      await using hashers = here.hashers.openFileHashers(options);
      await fc.assert(
        fc.asyncProperty(fc.array(runs, { maxLength: 8 }), async (batch) => {
          const results = await Promise.all(batch.map((run) => hashers.hash(run)));
          for (const [at, run] of batch.entries()) {
            const result = results[at];
            if (result === undefined) throw new Error('a run has no result');
            expectEqual(result, expected(run, contents));
          }
        }),
        { numRuns: 20 },
      );
    }));

  test(`${kind}: pieces of odd lengths, and files with one piece`, () =>
    place.run(async ({ here, directory }) => {
      const contents = await plant(here, directory, [5_000_000, 3 * BLOCK, 77]);
      await using hashers = here.hashers.openFileHashers(options);
      const [large, small, tiny] = [...contents.keys()];
      const odd: HashRun = {
        parts: [
          { path: tiny ?? '', position: 3, length: 74 },
          { path: large ?? '', position: 0, length: 5_000_000 },
        ],
        pieceLength: 999_999,
        sha1: true,
        sha256: false,
      };
      const alone: HashRun = {
        parts: [
          { path: small ?? '', position: 0, length: 3 * BLOCK, alone: true },
          { position: 0, length: 2 ** 20 - 3 * BLOCK },
          { path: tiny ?? '', position: 0, length: 77, alone: true },
        ],
        pieceLength: 2 ** 20,
        sha1: true,
        sha256: true,
      };
      const both = await Promise.all([hashers.hash(odd), hashers.hash(alone)]);
      expectEqual(both[0], expected(odd, contents));
      expectEqual(both[1], expected(alone, contents));
    }));

  test(`${kind}: more than a buffer holds`, () =>
    place.run(async ({ here, directory }) => {
      const contents = await plant(here, directory, [9_000_000]);
      await using hashers = here.hashers.openFileHashers(options);
      const run: HashRun = {
        parts: [{ path: `${directory}/file-0`, position: 0, length: 9_000_000 }],
        pieceLength: 2 ** 24,
        sha1: true,
        sha256: true,
      };
      const results = await Promise.all([run, run, run, run].map((one) => hashers.hash(one)));
      for (const result of results) expectEqual(result, expected(run, contents));
    }));
}

function faults(place: Place): void {
  const each = (
    name: string,
    story: (hashers: FileHashers, runtime: Runtime, directory: string) => Promise<void>,
  ): void => {
    test.each(KINDS)(`${name}: %s`, async (_, options) => {
      expect.hasAssertions();
      await place.run(async ({ here, directory }) => {
        await using hashers = here.hashers.openFileHashers(options);
        await story(hashers, here, directory);
      });
    });
  };
  const whole = (path: string, length: number): HashPart => ({ path, position: 0, length });
  const run = (...parts: HashPart[]): HashRun => ({
    parts,
    pieceLength: BLOCK,
    sha1: true,
    sha256: true,
  });

  each('what is not there spoils its own hashes only', async (hashers, here, directory) => {
    const contents = await plant(here, directory, [BLOCK, 100]);
    const good = whole(`${directory}/file-0`, BLOCK);
    const result = await hashers.hash(
      run(whole(`${directory}/none`, BLOCK), good, whole(`${directory}/file-1`, 101)),
    );
    expect(result.faults.map(({ part, error }) => [part, error.code])).toEqual([
      [0, 'BIP_NOT_FOUND'],
      [2, 'BIP_FILE_SHORT'],
    ]);
    expect(result.faults[0]?.error.message).toContain(`${directory}/none`);
    expect(result.faults[1]?.error.message).toContain('ends at byte 100');
    const alone = expected(run(good), contents);
    expect(result.sha1.subarray(20, 40)).toEqual(alone.sha1);
    expect(result.roots.subarray(32, 64)).toEqual(alone.roots);
    // A fault leaves nothing behind.
    expectEqual(await hashers.hash(run(good)), alone);
  });

  each('a file that changed is named', async (hashers, here, directory) => {
    await plant(here, directory, [BLOCK]);
    const path = `${directory}/file-0`;
    const { size, modified } = (await here.files.stat(path)) ?? { size: 0, modified: 0 };
    const part = whole(path, BLOCK);
    const calm = await hashers.hash(run({ ...part, expected: { size, modified } }));
    expect(calm.faults).toEqual([]);
    const earlier = { size, modified: modified - 1 };
    const shorter = { size: size - 1, modified };
    for (const other of [earlier, shorter]) {
      const result = await hashers.hash(run({ ...part, expected: other }));
      expect(result.faults.map(({ error }) => error.code)).toEqual(['BIP_FILE_CHANGED']);
      expect(result.faults[0]?.error.message).toContain(`${path} changed`);
    }
  });

  each('a folder is no file', async (hashers, { files }, directory) => {
    await files.makeDirectory(`${directory}/folder`);
    const result = await hashers.hash(run(whole(`${directory}/folder`, BLOCK)));
    expect(result.faults.map(({ error }) => error.code)).toEqual(['BIP_IS_DIRECTORY']);
  });
}
