/** Stories of verification in a simulated world. @module */

import {
  type FileState,
  type Verification,
  type VerifyOptions,
  verifyContent,
} from '../../src/content/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { type ContentFile, type ContentTorrent, noise, plantContent } from './torrents.ts';

const BLOCK = 16_384;

/** Three files; in v1 each shares a piece with the next. */
export const NEIGHBOURS: readonly ContentFile[] = [
  { path: 'a', bytes: noise(2 * BLOCK + 100, 1) },
  { path: 'b', bytes: noise(BLOCK, 2) },
  { path: 'c', bytes: noise(2 * BLOCK, 3) },
];

export type Settings = Partial<Omit<VerifyOptions, 'metainfo'>>;

/** The content of a torrent at /data, what `change` does to it, and what is said of it then. */
export async function verified(
  torrent: ContentTorrent,
  change: (files: Files, host: SimHost) => Promise<unknown> = async () => undefined,
  settings: Settings = {},
): Promise<Verification> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { files } = host.runtime;
  const story = async (): Promise<Verification> => {
    await plantContent(files, '/data', torrent.contents);
    await change(files, host);
    return verifyContent(host.runtime, {
      metainfo: torrent.metainfo,
      root: '/data',
      signal: new AbortController().signal,
      ...settings,
    });
  };
  const result = await world.run(story());
  world.assertClosed();
  return result;
}

/** What is said of each file. */
export function states({ files }: Verification): Record<string, FileState> {
  return Object.fromEntries(files.map(({ path, state }) => [path, state]));
}

/** Changes one byte of a file. */
export async function flip(files: Files, path: string, at: number): Promise<void> {
  await using handle = await files.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, at);
  await handle.write(Uint8Array.of((byte[0] ?? 0) ^ 0x80), at);
}

/** Cuts a file, or makes it longer. */
export async function truncate(files: Files, path: string, size: number): Promise<void> {
  await using handle = await files.open(path, 'write');
  await handle.resize(size);
}
