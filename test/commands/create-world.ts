/** A host with content for the tests of `metainfo create`. @module */

import { type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';

/** `length` bytes that do not repeat with any block. */
export function pattern(length: number, seed = 1): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, at) => (at * 31 + (at >> 8) * 7 + (at >> 16) + seed) & 255,
  );
}

/** Files of `album`, with one hidden and one that is junk. */
export const ALBUM: Readonly<Record<string, Uint8Array | string>> = {
  'album/b/two.txt': pattern(20_000, 2),
  'album/a.bin': pattern(100_000),
  'album/empty': '',
  'album/.hidden': 'h',
  'album/Thumbs.db': 'junk',
};

/** What a run left behind, and a look at the host. */
export interface CreateRun extends BipResult {
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Parsed. */
  torrent(path: string): Promise<Metainfo>;
  /** Names in the working directory. */
  list(): Promise<readonly string[]>;
  /** The one line of JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface CreateWorld {
  readonly world: World;
  readonly host: SimHost;
}

export function createWorld(): CreateWorld {
  const world = makeWorld();
  return { world, host: world.host('10.0.0.1') };
}

/** Runs `bip metainfo create …` in a folder with {@link ALBUM}. */
export async function create(
  argv: readonly string[],
  options: Partial<RunOptions> & { readonly on?: CreateWorld } = {},
): Promise<CreateRun> {
  const { on = createWorld(), files = {}, ...rest } = options;
  const { world, host } = on;
  const result = await world.run(
    startBip(host.runtime, {
      argv: ['metainfo', 'create', ...argv],
      files: { ...ALBUM, ...files },
      ...rest,
    }),
  );
  const read = (path: string): Promise<Uint8Array | undefined> =>
    world.run(
      (async () => {
        const there = await host.runtime.files.stat(path);
        return there === undefined
          ? undefined
          : host.runtime.files.readFile(path, { maxBytes: 2 ** 30 });
      })(),
    );
  return {
    ...result,
    read,
    torrent: async (path) => {
      const bytes = await read(path);
      if (bytes === undefined) throw new Error(`${path} is not there: ${result.stderr}`);
      return parseMetainfo(bytes);
    },
    list: () => world.run(host.runtime.files.list('.')),
    get json() {
      const value: Readonly<Record<string, unknown>> = JSON.parse(result.stdout);
      return value;
    },
  };
}
