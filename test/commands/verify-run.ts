/** Runs of `bip metainfo verify` where two torrents and their content are. @module */

import type { Files } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { type ContentTorrent, contentTorrent, noise, plantContent } from '../content/torrents.ts';
import { makeWorld } from '../sim/world.ts';
import { type BipResult, type RunOptions, runBip } from './harness.ts';

export const BLOCK = 16_384;

/** A folder with three files, of v1. */
export const ALBUM: ContentTorrent = contentTorrent({
  name: 'album',
  version: 'v1',
  files: [
    { path: 'a', bytes: noise(2 * BLOCK + 100, 1) },
    { path: 'sub/b', bytes: noise(BLOCK, 2) },
    { path: 'c', bytes: noise(2 * BLOCK, 3) },
  ],
});
/** One file, of v2. */
export const SINGLE: ContentTorrent = contentTorrent({
  name: 'single.iso',
  version: 'v2',
  files: [{ path: '', bytes: noise(3 * BLOCK, 4) }],
});

export interface Story extends Partial<Omit<RunOptions, 'argv'>> {
  /** What happens to the disk before: by default the content of both torrents lies in /desk. */
  readonly change?: (files: Files, host: SimHost) => Promise<unknown>;
}

/** Runs `bip metainfo verify` where both torrents and their content are. */
export async function verify(argv: readonly string[], story: Story = {}): Promise<BipResult> {
  const { change, ...run } = story;
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { files } = host.runtime;
  const plant = async (): Promise<void> => {
    await files.makeDirectory('/desk');
    for (const { metainfo, bytes, contents } of [ALBUM, SINGLE]) {
      await files.writeFile(`/desk/${metainfo.name}.torrent`, bytes);
      await plantContent(files, '/desk', contents);
    }
    await change?.(files, host);
  };
  await world.run(plant());
  const result = await runBip({ ...run, argv: ['metainfo', 'verify', ...argv], world, host });
  world.assertClosed();
  return result;
}

/** Changes one byte of a file. */
export async function flip(files: Files, path: string, at: number): Promise<void> {
  await using handle = await files.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, at);
  await handle.write(Uint8Array.of((byte[0] ?? 0) ^ 1), at);
}

/** One line of `--json`. */
export function parsed(line: string): Record<string, unknown> {
  const value: Record<string, unknown> = JSON.parse(line);
  return value;
}

export const TORRENT = '/desk/album.torrent';
