import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { type FileEntry, type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import type { Case, Loads } from './case.ts';
import { CASES, FIXTURES, fixtureFiles } from './make-fixtures.ts';

function judge(bytes: Uint8Array): Metainfo | ProtocolError {
  try {
    return parseMetainfo(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

function shown({ path, padding, symlink }: FileEntry): string {
  const text = path.join('/');
  if (symlink !== undefined) return `${text} -> ${symlink.join('/')}`;
  return padding ? `${text} (pad)` : text;
}

function summary(metainfo: Metainfo): Required<Loads> {
  const { version, name, files, pieceCount, warnings } = metainfo;
  return {
    version,
    name,
    files: files.map(shown),
    lengths: files.map(({ length }) => length),
    offsets: files.map(({ offset }) => offset),
    pieceCount,
    warnings: warnings.map(({ code }) => code),
  };
}

/** The verdict in the terms of the case. */
function verdictOn({ bytes, expect: wanted }: Case): Loads | { readonly refused: string } {
  const verdict = judge(bytes);
  if (!(verdict instanceof ProtocolError)) return summary(verdict);
  if (!('refused' in wanted)) throw verdict;
  return { refused: verdict.code.replace(/^BIP_(?:METAINFO_)?/, '') };
}

describe('each rule has a torrent in fixtures/torrents', () => {
  test.each(CASES.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    expect(verdictOn(entry)).toMatchObject(entry.expect);
  });

  test('the folder is what make-fixtures.ts writes', () => {
    const made = fixtureFiles();
    expect(readdirSync(FIXTURES).toSorted()).toEqual([...made.keys()].toSorted());
    const stale = [...made].filter(
      ([name, bytes]) => Buffer.compare(readFileSync(join(FIXTURES, name)), bytes) !== 0,
    );
    expect(stale.map(([name]) => name)).toEqual([]);
  });

  test('no two cases share a name', () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });
});
