/** Runs of `bip metainfo edit` for its tests. @module */

import { decode, type JsonValue, toJson } from '../../src/bencode/index.ts';
import { type RawDictionary, singleV1 } from '../metainfo/raw.ts';
import { makeWorld } from '../sim/world.ts';
import { type BipResult, type RunOptions, runBip } from './harness.ts';

/** Trackers. */
export const A = 'http://a.example/announce';
export const B = 'udp://b.example:1';
export const C = 'udp://c.example:2/x';
/** A passkey. */
export const KEY = '0123456789abcdef0123456789abcdef';

export interface Edited extends BipResult {
  /** The file afterwards. */
  readonly bytes: Uint8Array;
  /** What is in it, as JSON. */
  readonly json: JsonValue;
}

export type Files = NonNullable<RunOptions['files']>;

/** `bip metainfo edit a.torrent …`, and what became of the file. */
export async function edit(
  root: RawDictionary | Uint8Array,
  argv: readonly string[],
  options: Omit<RunOptions, 'argv'> = {},
): Promise<Edited> {
  const torrent = root instanceof Uint8Array ? root : singleV1({}, root);
  const { result, read } = await run(['a.torrent', ...argv], {
    ...options,
    files: { 'a.torrent': torrent, ...options.files },
  });
  const bytes = await read('a.torrent');
  return { ...result, bytes, json: toJson(decode(bytes, { fullDecode: false })) };
}

export interface Ran {
  readonly result: BipResult;
  read(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
}

export async function run(
  argv: readonly string[],
  options: Omit<RunOptions, 'argv'> = {},
): Promise<Ran> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { files } = host.runtime;
  const result = await runBip({ argv: ['metainfo', 'edit', ...argv], world, host, ...options });
  return {
    result,
    read: (path) => world.run(files.readFile(path, { maxBytes: 1e6 })),
    exists: async (path) => (await world.run(files.stat(path))) !== undefined,
  };
}

export interface Printed {
  readonly [key: string]: unknown;
}

/** One line of `--json`. */
export function parsed(line: string): Printed {
  const value: Printed = JSON.parse(line);
  return value;
}
