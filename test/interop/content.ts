/** What the tests transfer, and whether it arrived. @module */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';

export const KiB = 1024;
export const MiB: number = 1024 * KiB;

/** Files by path below the folder that holds the torrent; the first part is the torrent's name. */
export type Content = ReadonlyMap<string, Uint8Array>;

/** Bytes that look random and are the same in every run. */
export function bytesOf(seed: string, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** One file with a length that fits no piece or block. */
export function singleFile(length: number = 4 * MiB + 4321): Content {
  return new Map([['one file.bin', bytesOf('single', length)]]);
}

/** Every awkward case at once: empty, tiny, nested, blanks, unicode, ends on and off pieces. */
export function manyFiles(): Content {
  const lengths: readonly (readonly [string, number])[] = [
    ['.hidden', 100],
    ['a tiny file', 1],
    ['aligned.bin', 512 * KiB],
    ['empty.dat', 0],
    ['nested/deep er/naïve 日本語 файл.bin', 2 * MiB + 17],
    ['nested/deep er/z', 3],
    ['nested/second.bin', MiB - 1],
    ['zz last.bin', 777_777],
  ];
  return new Map(
    lengths.map(([path, length]) => [`many – ünïcode/${path}`, bytesOf(path, length)]),
  );
}

/** The name of the file or folder that holds it all. */
export function nameOf(content: Content): string {
  const [first = ''] = content.keys();
  return first.split('/')[0] ?? '';
}

export function lengthOf(content: Content): number {
  return [...content.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

export async function writeContent(folder: string, content: Content): Promise<void> {
  for (const [path, bytes] of content) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
}

/** The same files, byte for byte, and no others beside them within the torrent's folder. */
export async function expectContent(folder: string, content: Content): Promise<void> {
  const found = await filesUnder(folder, nameOf(content));
  expect(found.toSorted()).toEqual([...content.keys()].toSorted());
  for (const [path, bytes] of content) await expectBytes(join(folder, path), bytes);
}

/** Compared by the first difference: a diff of megabytes helps nobody. */
export async function expectBytes(path: string, expected: Uint8Array): Promise<void> {
  const found = await readFile(path);
  if (found.equals(expected)) return;
  const first = found.findIndex((byte, index) => byte !== expected[index]);
  expect.fail(`${path}: ${found.length} of ${expected.length} bytes, first wrong one at ${first}`);
}

/** Paths of files below `folder`, which hang under `name`; that of the file if `name` is one. */
async function filesUnder(folder: string, name: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const prefix = folder.length + 1;
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(prefix))
    .filter((path) => path === name || path.startsWith(`${name}/`));
}
