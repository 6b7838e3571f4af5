/** What both benches need: options, a torrent of some size, and a place that is removed. @module */

import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { parseSize } from '../../../commands/cli/units.ts';
import { Child } from '../../interop/child.ts';
import { SCRIPT } from '../../interop/peers/libtorrent.ts';
import { PYTHON } from '../../interop/require.ts';

const CHUNK = 2 ** 24;
const PIECE_LENGTH = 2 ** 20;
export const CONTENT_NAME = 'content.bin';

export interface BenchOptions {
  readonly size: number;
  readonly runs: number;
  /** Where content and downloads are; the same for all. */
  readonly dir: string;
  /** Names of those who take part; empty for all. */
  readonly only: readonly string[];
}

/** @throws {UsageError | TypeError} for options that make no sense. */
export function benchOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      size: { type: 'string', default: '1GiB' },
      runs: { type: 'string', default: '5' },
      dir: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const size = parseSize(values.size, '--size');
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new TypeError('--runs: a number above 0');
  const only = values.only.flatMap((names) => names.split(','));
  return { size, runs, dir: values.dir ?? tmpdir(), only };
}

export interface Arena extends AsyncDisposable {
  /** Holds {@link CONTENT_NAME}. */
  readonly source: string;
  readonly content: string;
  to(name: string): string;
  /** A torrent of the content that names the tracker. */
  makeTorrent(tracker?: string): Promise<string>;
}

export async function openArena(options: BenchOptions): Promise<Arena> {
  const root = await mkdtemp(join(options.dir, 'bip-bench-'));
  const dispose = (): Promise<void> => rm(root, { recursive: true, force: true });
  const source = join(root, 'source');
  const content = join(source, CONTENT_NAME);
  try {
    await mkdir(source);
    await using file = await open(content, 'w');
    await fill(file, options.size);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    source,
    content,
    to: (name) => join(root, name),
    makeTorrent: (tracker) => create(content, join(root, 'content.torrent'), tracker),
    [Symbol.asyncDispose]: dispose,
  };
}

async function fill(file: FileHandle, size: number): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  for (let done = 0; done < size; done += CHUNK) {
    randomFillSync(chunk);
    await file.write(chunk, 0, Math.min(CHUNK, size - done), done);
  }
}

async function create(content: string, out: string, tracker?: string): Promise<string> {
  const announce = tracker === undefined ? [] : ['--tracker', tracker];
  const pieces = ['--piece-length', String(PIECE_LENGTH)];
  await using child = new Child([PYTHON, SCRIPT, 'create', content, out, ...pieces, ...announce]);
  const { code } = await child.ended(600_000);
  if (code !== 0) throw new Error(`no torrent was made\n${child.log}`);
  return out;
}

/** SHA-1 of a file, to tell whether a copy is the content. */
export async function digest(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** What the figures depend on, for the line above the table. */
export function circumstances(options: BenchOptions): string {
  const processors = cpus();
  const model = processors[0]?.model ?? 'unknown processor';
  const mebibytes = options.size / 2 ** 20;
  return `${mebibytes} MiB, median of ${options.runs}, in ${options.dir}; ${processors.length} × ${model}, Node ${process.version}`;
}
