/** src/README.md says where things are: here it is held to that. @module */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const map = readFileSync(join(ROOT, 'src', 'README.md'), 'utf8');
const rows = map.split('\n').filter((line) => line.startsWith('| '));

test('every folder of src/ has its row', () => {
  const folders = globSync('src/*/', { cwd: ROOT }).map((path) => path.replace(/\/?$/, '/'));
  expect(folders.length).toBeGreaterThan(5);
  for (const folder of folders) {
    expect(rows.filter((row) => row.includes(`| \`${folder}\` |`))).toHaveLength(1);
  }
});

test('every row of a folder has its folder', () => {
  const named = rows.flatMap((row) => /^\| \d \| `([^`]+)` \|/.exec(row)?.[1] ?? []);
  expect(named.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
});

test('modules and tests of the table of BEPs exist', () => {
  const beps = rows.filter((row) => /^\| \d+(?:, \d+)* \| .*test\.ts/.test(row));
  expect(beps.length).toBeGreaterThan(15);
  const paths = beps.flatMap((row) => {
    const [, , modules = '', tests = ''] = row.split(' | ');
    const quoted = [...`${modules} ${tests}`.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? '');
    return quoted.map((path) => (path.startsWith('test/') ? path : `src/${path}`));
  });
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
