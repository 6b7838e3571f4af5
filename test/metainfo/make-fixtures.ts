/**
 * Writes `fixtures/torrents`: one torrent for each rule, and `expected.json` with the judgement.
 * Run it after a change of the cases: `node test/metainfo/make-fixtures.ts`.
 *
 * @module
 */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Case } from './case.ts';
import { V1_CASES } from './cases-v1.ts';
import { V2_CASES } from './cases-v2.ts';

export const CASES: readonly Case[] = [...V1_CASES, ...V2_CASES];

/** Where the fixtures are. */
export const FIXTURES: string = join(import.meta.dirname, '../../fixtures/torrents');

/** The files of the folder by name. */
export function fixtureFiles(): ReadonlyMap<string, Uint8Array> {
  const expected = Object.fromEntries(CASES.map(({ name, expect }) => [name, expect]));
  const files = new Map<string, Uint8Array>(
    CASES.map(({ name, bytes }) => [`${name}.torrent`, bytes]),
  );
  files.set('expected.json', Buffer.from(`${JSON.stringify(expected, undefined, 1)}\n`));
  return files;
}

async function main(): Promise<void> {
  await mkdir(FIXTURES, { recursive: true });
  for (const name of await readdir(FIXTURES)) await rm(join(FIXTURES, name));
  for (const [name, bytes] of fixtureFiles()) await writeFile(join(FIXTURES, name), bytes);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
