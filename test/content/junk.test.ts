import { expect, test } from 'vitest';
import { isJunk } from '../../src/content/index.ts';

test.each([
  'Thumbs.db',
  'THUMBS.DB',
  'Desktop.ini',
  '.DS_Store',
  '._photo.jpg',
  '@eaDir',
  'a.exe:Zone.Identifier',
  'Zone.Identifier',
  '.directory',
  'lost+found',
  '$RECYCLE.BIN',
  'System Volume Information',
  '__MACOSX',
  'Icon\r',
  '.Trash-1000',
  '.nfs0000000001',
  '.fuse_hidden0001',
  'movie.mkv@SynoEAStream',
])('%j is junk', (name) => {
  expect(isJunk(name)).toBe(true);
});

test.each([
  'thumbs.db.txt',
  'my desktop.ini',
  '.hidden',
  '_.x',
  'directory',
  'Icon',
  'lost',
  'Zone.Identifier.txt',
  '.trash',
  '.nfs',
  'a.torrent',
])('%j is not', (name) => {
  expect(isJunk(name)).toBe(false);
});
