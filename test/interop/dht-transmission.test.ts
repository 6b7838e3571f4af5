/** bip's DHT with that of Transmission, which wants addresses that are not 127.0.0.0/8. */

import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Child } from './child.ts';
import { bytesOf, expectContent, KiB } from './content.ts';
import { parseJson, textAt, textsAt } from './json.ts';
import { describeWith, PYTHON } from './require.ts';
import { openScratch } from './scratch.ts';
import { makeTorrent } from './torrent.ts';

const ISLAND = fileURLToPath(new URL('island.py', import.meta.url));
const PROGRAM = fileURLToPath(new URL('dht-island.ts', import.meta.url));
const DEADLINE_MS = 100_000;
const CAN_HAVE_ISLANDS = spawnSync(PYTHON, [ISLAND, 'true']).status === 0;
const NOTE = CAN_HAVE_ISLANDS ? '' : ' (skipped: no right to a network of our own)';

describeWith(['libtorrent', 'transmission'], 'a DHT of bip and Transmission', () => {
  test.skipIf(!CAN_HAVE_ISLANDS)(`each finds what the other announced${NOTE}`, async () => {
    await using scratch = await openScratch();
    const content = new Map([['of bip.bin', bytesOf('island', 200 * KiB + 1)]]);
    const source = scratch.to('source');
    const out = scratch.to('out');
    await mkdir(out);
    const { path, infoHash } = await makeTorrent({ dir: source, content });
    const program = [process.execPath, PROGRAM, path, infoHash, source, out, scratch.to('state')];
    await using child = new Child([PYTHON, ISLAND, ...program]);
    const { code } = await child.ended(DEADLINE_MS);
    if (code !== 0) expect.fail(child.log);
    await expectContent(out, content);
    const found = parseJson(child.lines[0] ?? '');
    expect(new Set(textsAt(found, 'peers'))).toEqual(
      new Set([textAt(found, 'seed'), textAt(found, 'transmission')]),
    );
  });
});
