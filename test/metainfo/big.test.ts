import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { choosePieceLength, encodeMetainfo } from '../../src/metainfo/index.ts';

const FILES = 100_000;
const MODULE = pathToFileURL(join(import.meta.dirname, '../../src/metainfo/index.ts')).href;

/** Runs in a process of its own, whose heap is limited; prints what it saw. */
const SCRIPT = `
  import { readFileSync } from 'node:fs';
  import { parseMetainfo } from '${MODULE}';
  const { files, length, pieceCount } = parseMetainfo(new Uint8Array(readFileSync(process.argv[1])));
  process.stdout.write(JSON.stringify({ files: files.length, length, pieceCount }));
`;

test('a torrent of 1 TiB and 100,000 files opens in a heap of 100 MB', async () => {
  const length = Math.ceil(2 ** 40 / FILES);
  const total = length * FILES;
  const pieceLength = choosePieceLength(total);
  const pieceCount = Math.ceil(total / pieceLength);
  const bytes = encodeMetainfo({
    name: 'large',
    files: Array.from({ length: FILES }, (_, at) => ({
      path: ['large', `folder ${at % 1000}`, `a file with some name ${at}.bin`],
      length,
    })),
    pieceLength,
    pieces: new Uint8Array(20 * pieceCount),
  });
  const folder = await mkdtemp(join(tmpdir(), 'bip-test-'));
  try {
    const path = join(folder, 'large.torrent');
    await writeFile(path, bytes);
    const limits = ['--max-old-space-size=100', '--max-semi-space-size=4'];
    const args = [...limits, '--input-type=module', '--eval', SCRIPT, path];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(JSON.parse(stdout)).toEqual({ files: FILES, length: total, pieceCount });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
