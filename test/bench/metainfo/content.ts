/** Files to make torrents of. @module */

import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Shape {
  readonly name: string;
  readonly files: number;
  /** Bytes of each file. */
  readonly length: number;
}

const MIB = 2 ** 20;

export const SHAPES: readonly Shape[] = [
  { name: '1 x 4 GiB', files: 1, length: 4096 * MIB },
  { name: '8 x 512 MiB', files: 8, length: 512 * MIB },
  { name: '20000 x 64 KiB', files: 20_000, length: MIB / 16 },
];

export interface Tree extends AsyncDisposable {
  /** The file or folder. */
  readonly content: string;
  /** What holds it. */
  readonly folder: string;
  /** Bytes of all files. */
  readonly bytes: number;
  to(name: string): string;
}

const CHUNK = 8 * MIB;
const FILES_PER_FOLDER = 100;

/** `scale` makes large files smaller, and many fewer. */
export async function makeTree(shape: Shape, dir: string, scale: number): Promise<Tree> {
  const root = await mkdtemp(join(dir, 'bip-bench-'));
  const folder = join(root, 'source');
  await mkdir(folder);
  const isMany = shape.files > 1000;
  const count = isMany ? Math.ceil(shape.files * scale) : shape.files;
  const length = isMany ? shape.length : Math.ceil(shape.length * scale);
  const content = join(folder, shape.files === 1 ? 'content.bin' : 'content');
  for (let at = 0; at < count; at++) {
    const sub = join(content, `${Math.floor(at / FILES_PER_FOLDER)}`);
    if (shape.files > 1) await mkdir(sub, { recursive: true });
    await write(shape.files === 1 ? content : join(sub, `${at}.bin`), length);
  }
  return {
    content,
    folder,
    bytes: count * length,
    to: (name) => join(root, name),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

async function write(path: string, length: number): Promise<void> {
  await using file = await open(path, 'w');
  const chunk = new Uint8Array(Math.min(CHUNK, length));
  for (let done = 0; done < length; done += chunk.length) {
    randomFillSync(chunk);
    await file.write(chunk, 0, Math.min(chunk.length, length - done), done);
  }
}
