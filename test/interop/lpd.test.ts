/** Peers that are found by local discovery alone: bip with libtorrent, aria2, Transmission and itself. */

import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Child } from './child.ts';
import { bytesOf, expectContent, KiB } from './content.ts';
import { at, parseJson, textAt } from './json.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
import { makeTorrent } from './torrent.ts';

const LAN = fileURLToPath(new URL('lan.sh', import.meta.url));
const PROGRAM = fileURLToPath(new URL('lpd-lan.ts', import.meta.url));
const DEADLINE_MS = 110_000;
const CAN_HAVE_LANS = spawnSync(LAN, ['true']).status === 0;
const NOTE = CAN_HAVE_LANS ? '' : ' (skipped: no right to a network of our own)';

describeWith(
  ['libtorrent', 'aria2', 'transmission', 'iproute2'],
  'on a network of their own, with neither tracker nor DHT',
  () => {
    test.skipIf(!CAN_HAVE_LANS).for([
      ['from libtorrent', 'bip downloads from libtorrent'],
      ['to libtorrent', 'libtorrent downloads from bip'],
      ['from libtorrent 6', 'bip downloads from libtorrent over IPv6'],
      ['to libtorrent 6', 'libtorrent downloads from bip over IPv6'],
      ['from aria2', 'bip downloads from aria2'],
      ['to aria2', 'aria2 downloads from bip'],
      ['from transmission', 'bip downloads from Transmission'],
      ['to transmission', 'Transmission downloads from bip'],
      ['from bip', 'bip downloads from bip'],
      ['from bip 6', 'bip downloads from bip over IPv6'],
    ] as const)(`%s: %s${NOTE}`, async ([story]) => {
      await using scratch = await openScratch();
      const content = new Map([['local.bin', bytesOf('local', 300 * KiB + 1)]]);
      const source = scratch.to('source');
      const out = scratch.to('out');
      await mkdir(out);
      const { path, infoHash } = await makeTorrent({ dir: source, content });
      const places = [path, infoHash, source, out, scratch.to('state')];
      await using child = new Child([LAN, process.execPath, PROGRAM, story, ...places]);
      const { code } = await child.ended(DEADLINE_MS);
      if (code !== 0) expect.fail(child.log);
      await expectContent(out, content);
      // Each of them called, and from where it listens.
      const result = parseJson(child.lines.at(-1) ?? '');
      const heard = at(result, 'heard');
      expect(heard).toContainEqual(
        expect.objectContaining({
          ...{ type: 'announce', address: textAt(result, 'them'), infoHashes: [infoHash] },
          ours: true,
        }),
      );
      expect(heard).toContainEqual(
        expect.objectContaining({ cookie: expect.stringMatching(/^bip-/), infoHashes: [infoHash] }),
      );
    });
  },
);
