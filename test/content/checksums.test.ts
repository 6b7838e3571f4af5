import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type BencodeNode, decode } from '../../src/bencode/index.ts';
import { createTorrent, placeholders, planScan, scanContent } from '../../src/content/index.ts';
import { parseMetainfo, torrentSize, type Version } from '../../src/metainfo/index.ts';
import type { DigestAlgorithm } from '../../src/runtime/ports.ts';
import { pattern } from '../runtime/recorder.ts';
import { makeWorld } from '../sim/world.ts';

const LENGTHS = [0, 5, 100_000, 5_000_000];
const ALGORITHMS: readonly DigestAlgorithm[] = ['md5', 'sha1', 'sha256'];

test.each(['v1', 'v2', 'hybrid'] as const)(
  '%s: checksums of each file as a whole',
  async (version) => {
    const world = makeWorld();
    const { runtime } = world.host('10.0.0.1');
    const { signal } = new AbortController();
    await world.run(
      (async () => {
        await runtime.files.makeDirectory('/a');
        for (const [at, length] of LENGTHS.entries()) {
          await runtime.files.writeFile(`/a/${at}`, pattern(length, at));
        }
        await runtime.files.makeSymlink('/a/link', '1');
        const scan = await scanContent(runtime.files, {
          inputs: ['/a'],
          symlinks: 'keep',
          hidden: false,
          junk: false,
          signal,
        });
        const info = { version, pieceLength: 65_536 } as const;
        const progress: number[] = [];
        const { bytes } = await createTorrent(runtime, {
          scan,
          info,
          surroundings: {},
          order: 'auto',
          checksums: ALGORITHMS,
          signal,
          onProgress: (done, total) => void progress.push(done / total),
        });
        const predicted = planScan(scan, info, () => placeholders(ALGORITHMS));
        expect(torrentSize(predicted.draft, {})).toBe(bytes.length);
        expect(parseMetainfo(bytes).warnings).toEqual([]);
        expect(progress.at(-1)).toBe(1);
        expect(progress.toSorted((a, b) => a - b)).toEqual(progress);
        for (const [at, length] of LENGTHS.entries()) {
          const content = pattern(length, at);
          const digest = (name: string): Buffer => createHash(name).update(content).digest();
          const entry = entryOf(decode(bytes), version, at);
          expect(entry?.get('md5sum')?.asText()).toBe(digest('md5').toString('hex'));
          expect(entry?.get('sha1')?.asBytes()).toEqual(new Uint8Array(digest('sha1')));
          expect(entry?.get('sha256')?.asBytes()).toEqual(new Uint8Array(digest('sha256')));
        }
      })(),
    );
    world.assertClosed();
  },
);

/** What the torrent says of one file, padding left out. */
function entryOf(torrent: BencodeNode, version: Version, at: number): BencodeNode | undefined {
  const info = torrent.get('info');
  if (version === 'v2') return info?.get('file tree')?.get(`${at}`)?.get('');
  const files = [...(info?.get('files')?.items() ?? [])];
  return files.filter((file) => file.get('attr')?.asText() !== 'p')[at];
}
