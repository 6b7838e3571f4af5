/** What every file system must do. @module */

import { expect, test } from 'vitest';
import { decodeName } from '../../src/base/bytes.ts';
import type { FileHandle, Files } from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place } from './place.ts';
import { pattern } from './recorder.ts';

export function filesCompliance(place: Place): void {
  handles(place);
  names(place);
  links(place);
  wholeFiles(place);
  failures(place);
}

/** Runs `story` with the files of a scene and a way to make paths in its directory. */
function inDirectory(
  place: Place,
  story: (files: Files, at: (name: string) => string) => Promise<void>,
): () => Promise<void> {
  return () =>
    place.run(({ here, directory }) => story(here.files, (name) => `${directory}/${name}`));
}

function handles(place: Place): void {
  const within = inDirectory.bind(undefined, place);

  test(
    'writes at any position, reads them back',
    within(async (files, at) => {
      await using handle = await files.open(at('a'), 'create');
      const expected = new Uint8Array(300_000);
      for (const [position, length] of [
        [100_000, 50_000],
        [0, 10],
        [4090, 20],
        [299_990, 10],
        [99_999, 2],
      ] as const) {
        const bytes = pattern(length, position);
        await handle.write(bytes, position);
        expected.set(bytes, position);
      }
      const seen = new Uint8Array(300_000);
      expect(await handle.read(seen, 0)).toBe(300_000);
      expect(Buffer.compare(seen, expected)).toBe(0);
      expect((await handle.stat()).size).toBe(300_000);
    }),
  );

  test(
    'a read is cut at the end of the file',
    within(async (files, at) => {
      await using handle = await written(files, at('a'), pattern(100));
      const into = new Uint8Array(50).fill(7);
      expect(await handle.read(into, 80)).toBe(20);
      expect(into.subarray(0, 20)).toEqual(pattern(100).subarray(80));
      expect(into.subarray(20)).toEqual(new Uint8Array(30).fill(7));
      expect(await handle.read(into, 100)).toBe(0);
      expect(await handle.read(into, 5000)).toBe(0);
      expect(await handle.read(new Uint8Array(0), 0)).toBe(0);
    }),
  );

  test(
    'many reads and writes at once',
    within(async (files, at) => {
      await using handle = await files.open(at('a'), 'create');
      const blocks = Array.from({ length: 64 }, (_, block) => pattern(16_384, block));
      await Promise.all(blocks.map((block, index) => handle.write(block, index * 16_384)));
      const seen = blocks.map(() => new Uint8Array(16_384));
      await Promise.all(seen.map((into, index) => handle.read(into, index * 16_384)));
      expect(Buffer.compare(Buffer.concat(seen), Buffer.concat(blocks))).toBe(0);
    }),
  );

  test(
    'resize cuts, and adds zeros',
    within(async (files, at) => {
      await using handle = await written(files, at('a'), pattern(10_000));
      await handle.resize(5000);
      await handle.resize(9000);
      const seen = new Uint8Array(9000);
      expect(await handle.read(seen, 0)).toBe(9000);
      expect(seen.subarray(0, 5000)).toEqual(pattern(10_000).subarray(0, 5000));
      expect(seen.subarray(5000).every((byte) => byte === 0)).toBe(true);
      await handle.resize(1_000_000_000_000);
      expect((await handle.stat()).size).toBe(1_000_000_000_000);
      await handle.resize(0);
      expect((await handle.stat()).size).toBe(0);
      await handle.sync();
    }),
  );

  test(
    'create keeps what is there, write wants it, read only reads',
    within(async (files, at) => {
      await (await written(files, at('a'), pattern(10)))[Symbol.asyncDispose]();
      for (const mode of ['create', 'write', 'read'] as const) {
        await using handle = await files.open(at('a'), mode);
        expect((await handle.stat()).size).toBe(10);
      }
      await using reader = await files.open(at('a'), 'read');
      await expect(reader.write(pattern(1), 0)).rejects.toMatchObject({ name: 'StorageError' });
      await expect(reader.resize(1)).rejects.toMatchObject({ name: 'StorageError' });
    }),
  );

  test(
    'a closed handle refuses; one being closed ends what is under way',
    within(async (files, at) => {
      const handle = await files.open(at('a'), 'create');
      const writes = [handle.write(pattern(100_000), 0), handle.write(pattern(10), 100_000)];
      const closed = handle[Symbol.asyncDispose]();
      await expect(handle.read(new Uint8Array(1), 0)).rejects.toMatchObject({
        code: 'BIP_IO',
        message: expect.stringContaining(at('a')),
      });
      await closed;
      await Promise.all(writes);
      expect((await files.stat(at('a')))?.size).toBe(100_010);
    }),
  );

  disposalQuartet(place, 'a file', async ({ here, directory }) => {
    const handle = await here.files.open(`${directory}/a`, 'create');
    return {
      resource: handle,
      async expectGone() {
        await expect(handle.stat()).rejects.toMatchObject({ code: 'BIP_IO' });
      },
    };
  });
}

function names(place: Place): void {
  const within = inDirectory.bind(undefined, place);

  test(
    'a secret is written once, and never over anything',
    within(async (files, at) => {
      await files.writeSecret(at('secret'), pattern(32));
      expect(await files.readFile(at('secret'), { maxBytes: 32 })).toEqual(pattern(32));
      await files.makeDirectory(at('folder'));
      await files.makeSymlink(at('broken'), 'nothing');
      for (const name of ['secret', 'folder', 'broken']) {
        await expect(files.writeSecret(at(name), pattern(1))).rejects.toMatchObject({
          name: 'StorageError',
          code: 'BIP_EXISTS',
        });
      }
      expect(await files.readFile(at('secret'), { maxBytes: 32 })).toEqual(pattern(32));
      expect(await files.stat(at('nothing'))).toBeUndefined();
      await expect(files.writeSecret(at('none/secret'), pattern(1))).rejects.toMatchObject({
        code: 'BIP_NOT_FOUND',
      });
    }),
  );

  test(
    'stat tells kinds, sizes and times, through links and of links',
    within(async (files, at) => {
      await files.writeFile(at('file'), pattern(10));
      await files.makeDirectory(at('folder'));
      await files.makeSymlink(at('link'), 'file');
      await files.makeSymlink(at('broken'), 'nothing');
      expect(await files.stat(at('file'))).toMatchObject({ kind: 'file', size: 10 });
      expect(await files.stat(at('folder'))).toMatchObject({ kind: 'directory' });
      expect(await files.stat(at('link'))).toMatchObject({ kind: 'file', size: 10 });
      expect(await files.statLink(at('link'))).toMatchObject({ kind: 'symlink' });
      expect(await files.stat(at('broken'))).toBeUndefined();
      expect(await files.statLink(at('broken'))).toMatchObject({ kind: 'symlink' });
      expect(await files.stat(at('none'))).toBeUndefined();
      expect(await files.stat(at('file/below'))).toBeUndefined();
      const { modified } = (await files.stat(at('file'))) ?? { modified: 0 };
      expect(modified).toBeGreaterThan(Date.UTC(2025, 0));
    }),
  );

  test(
    'directories come with their parents, and are listed',
    within(async (files, at) => {
      await files.makeDirectory(at('a/b/c'));
      await files.makeDirectory(at('a/b/c'));
      await files.writeFile(at('a/b/file'), pattern(1));
      await files.writeFile(at('a/b/Ünï 日本'), pattern(1));
      expect((await files.list(at('a/b'))).toSorted()).toEqual(['c', 'file', 'Ünï 日本']);
      expect(await files.list(at('a/b/c'))).toEqual([]);
      expect((await files.stat(at('a/./b/../b//file')))?.kind).toBe('file');
    }),
  );

  test(
    'rename replaces, and moves open files and folders',
    within(async (files, at) => {
      await files.writeFile(at('old'), pattern(1));
      await files.writeFile(at('new'), pattern(2));
      await using handle = await files.open(at('new'), 'write');
      await files.rename(at('new'), at('old'));
      await handle.write(pattern(3), 0);
      expect(await files.readFile(at('old'), { maxBytes: 9 })).toEqual(pattern(3));
      expect(await files.stat(at('new'))).toBeUndefined();
      await files.makeDirectory(at('x/y'));
      await files.rename(at('x'), at('z'));
      expect((await files.stat(at('z/y')))?.kind).toBe('directory');
    }),
  );

  test(
    'remove takes files, links and empty directories, and what is not there',
    within(async (files, at) => {
      await files.writeFile(at('file'), pattern(1));
      await files.makeSymlink(at('link'), 'file');
      await files.makeDirectory(at('folder/full'));
      await files.remove(at('link'));
      expect(await files.list(at('.'))).toHaveLength(2);
      await files.remove(at('file'));
      await files.remove(at('none'));
      await files.remove(at('none/below'));
      await expect(files.remove(at('folder'))).rejects.toMatchObject({ code: 'BIP_EXISTS' });
      await files.remove(at('folder/full'));
      await files.remove(at('folder'));
      expect(await files.list(at('.'))).toEqual([]);
    }),
  );

  test(
    'links lead on, but nothing is written through the last one',
    within(async (files, at) => {
      await files.makeDirectory(at('folder'));
      await files.writeFile(at('folder/file'), pattern(5));
      await files.makeSymlink(at('way'), 'folder');
      await files.makeSymlink(at('link'), 'folder/file');
      await using through = await files.open(at('way/file'), 'write');
      await through.write(pattern(6), 0);
      await using reader = await files.open(at('link'), 'read');
      expect((await reader.stat()).size).toBe(6);
      for (const mode of ['write', 'create'] as const) {
        await expect(files.open(at('link'), mode)).rejects.toMatchObject({
          code: 'BIP_ACCESS',
          message: expect.stringContaining('symbolic link'),
        });
      }
      await files.makeSymlink(at('round'), 'round');
      await expect(files.open(at('round'), 'read')).rejects.toMatchObject({ code: 'BIP_ACCESS' });
    }),
  );
}

function links(place: Place): void {
  const within = inDirectory.bind(undefined, place);

  test(
    'links say where they lead, and paths where they end',
    within(async (files, at) => {
      await files.makeDirectory(at('a/b'));
      await files.writeFile(at('a/b/file'), pattern(1));
      await files.makeSymlink(at('way'), 'a/./b');
      await files.makeSymlink(at('a/up'), '../a');
      const root = await files.realPath(at('.'));
      expect(root).toMatch(/^\//);
      expect(await files.readLink(at('way'))).toBe('a/./b');
      expect(await files.realPath(at('way/file'))).toBe(`${root}/a/b/file`);
      expect(await files.realPath(at('way/..'))).toBe(`${root}/a`);
      expect(await files.realPath(at('a/up/up/b'))).toBe(`${root}/a/b`);
      await expect(files.realPath(at('none'))).rejects.toMatchObject({ code: 'BIP_NOT_FOUND' });
      await expect(files.readLink(at('none'))).rejects.toMatchObject({ code: 'BIP_NOT_FOUND' });
      await expect(files.readLink(at('a'))).rejects.toMatchObject({ name: 'StorageError' });
    }),
  );

  test(
    'a hard link is a second name of one file',
    within(async (files, at) => {
      await files.writeFile(at('a'), pattern(5));
      await files.makeHardLink(at('b'), at('a'));
      await using handle = await files.open(at('a'), 'write');
      await handle.write(pattern(6), 0);
      await files.remove(at('a'));
      expect(await files.readFile(at('b'), { maxBytes: 9 })).toEqual(pattern(6));
      await expect(files.makeHardLink(at('b'), at('b'))).rejects.toMatchObject({
        code: 'BIP_EXISTS',
      });
      await expect(files.makeHardLink(at('c'), at('none'))).rejects.toMatchObject({
        code: 'BIP_NOT_FOUND',
      });
    }),
  );

  test(
    'names that are not UTF-8 are kept',
    within(async (files, at) => {
      const name = decodeName(Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
      await files.makeDirectory(at(name));
      await files.writeFile(at(`${name}/${name}`), pattern(3));
      expect(await files.list(at('.'))).toEqual([name]);
      expect(await files.list(at(name))).toEqual([name]);
      expect((await files.statLink(at(`${name}/${name}`)))?.size).toBe(3);
      await files.makeSymlink(at('link'), name);
      expect(await files.readLink(at('link'))).toBe(name);
      await using handle = await files.open(at(`link/${name}`), 'read');
      expect((await handle.stat()).size).toBe(3);
      await files.rename(at(`${name}/${name}`), at(`${name}/plain`));
      expect(await files.list(at(name))).toEqual(['plain']);
      await files.remove(at(`${name}/plain`));
    }),
  );
}

function wholeFiles(place: Place): void {
  const within = inDirectory.bind(undefined, place);

  test(
    'a file is written and read as a whole, and nothing else stays',
    within(async (files, at) => {
      for (const length of [0, 1, 200_000, 5]) {
        await files.writeFile(at('a'), pattern(length, length));
        const seen = await files.readFile(at('a'), { maxBytes: length });
        expect(Buffer.compare(seen, pattern(length, length))).toBe(0);
        expect(await files.list(at('.'))).toEqual(['a']);
      }
    }),
  );

  test(
    'who reads while it is replaced sees the old or the new one',
    within(async (files, at) => {
      await files.writeFile(at('a'), pattern(1000));
      await using reader = await files.open(at('a'), 'read');
      await files.writeFile(at('a'), pattern(2000, 1));
      const seen = new Uint8Array(3000);
      expect(await reader.read(seen, 0)).toBe(1000);
      expect((await files.stat(at('a')))?.size).toBe(2000);
    }),
  );

  test(
    'a link in the place of a file is replaced, not followed',
    within(async (files, at) => {
      await files.writeFile(at('target'), pattern(1));
      await files.makeSymlink(at('link'), 'target');
      await files.writeFile(at('link'), pattern(2));
      expect((await files.statLink(at('link')))?.kind).toBe('file');
      expect((await files.stat(at('target')))?.size).toBe(1);
    }),
  );

  test(
    'a longer file than allowed is not read',
    within(async (files, at) => {
      await files.writeFile(at('a'), pattern(1000));
      expect((await files.readFile(at('a'), { maxBytes: 1000 })).length).toBe(1000);
      await expect(files.readFile(at('a'), { maxBytes: 999 })).rejects.toMatchObject({
        name: 'StorageError',
        code: 'BIP_TOO_LARGE',
        message: expect.stringContaining(at('a')),
      });
    }),
  );

  test(
    'a failed write leaves nothing behind',
    within(async (files, at) => {
      await files.makeDirectory(at('folder/x'));
      await expect(files.writeFile(at('folder'), pattern(1))).rejects.toMatchObject({
        code: 'BIP_IS_DIRECTORY',
      });
      expect(await files.list(at('.'))).toEqual(['folder']);
    }),
  );

  test(
    'what may be read becomes executable',
    within(async (files, at) => {
      await files.writeFile(at('a'), pattern(1));
      expect((await files.stat(at('a')))?.executable).toBe(false);
      await files.makeExecutable(at('a'));
      expect(await files.stat(at('a'))).toMatchObject({ size: 1, executable: true });
      await files.makeDirectory(at('folder'));
      expect((await files.stat(at('folder')))?.executable).toBe(false);
      await expect(files.makeExecutable(at('none'))).rejects.toMatchObject({
        code: 'BIP_NOT_FOUND',
      });
    }),
  );
}

function failures(place: Place): void {
  const within = inDirectory.bind(undefined, place);
  const long = 'x'.repeat(300);

  const cases: readonly [string, string, (files: Files, at: Name) => Promise<unknown>][] = [
    ['open: missing', 'BIP_NOT_FOUND', (files, at) => files.open(at('none'), 'read')],
    ['open to write: missing', 'BIP_NOT_FOUND', (files, at) => files.open(at('none'), 'write')],
    ['create: no folder', 'BIP_NOT_FOUND', (files, at) => files.open(at('none/a'), 'create')],
    ['open: a directory', 'BIP_IS_DIRECTORY', (files, at) => files.open(at('folder'), 'read')],
    ['create: a directory', 'BIP_IS_DIRECTORY', (files, at) => files.open(at('folder'), 'create')],
    ['open: below a file', 'BIP_NOT_DIRECTORY', (files, at) => files.open(at('file/a'), 'create')],
    ['create: a long name', 'BIP_IO', (files, at) => files.open(at(long), 'create')],
    ['list: missing', 'BIP_NOT_FOUND', (files, at) => files.list(at('none'))],
    ['list: a file', 'BIP_NOT_DIRECTORY', (files, at) => files.list(at('file'))],
    ['directory: a file', 'BIP_EXISTS', (files, at) => files.makeDirectory(at('file'))],
    [
      'directory: below a file',
      'BIP_NOT_DIRECTORY',
      (files, at) => files.makeDirectory(at('file/a')),
    ],
    ['rename: missing', 'BIP_NOT_FOUND', (files, at) => files.rename(at('none'), at('b'))],
    [
      'rename: onto a folder',
      'BIP_IS_DIRECTORY',
      (files, at) => files.rename(at('file'), at('folder')),
    ],
    [
      'rename: a folder onto a file',
      'BIP_NOT_DIRECTORY',
      (files, at) => files.rename(at('folder'), at('file')),
    ],
    [
      'rename: onto a full folder',
      'BIP_EXISTS',
      (files, at) => files.rename(at('folder'), at('full')),
    ],
    ['symlink: taken', 'BIP_EXISTS', (files, at) => files.makeSymlink(at('file'), 'x')],
    [
      'read whole: missing',
      'BIP_NOT_FOUND',
      (files, at) => files.readFile(at('none'), { maxBytes: 9 }),
    ],
    [
      'read whole: a directory',
      'BIP_IS_DIRECTORY',
      (files, at) => files.readFile(at('folder'), { maxBytes: 9 }),
    ],
    [
      'write whole: no folder',
      'BIP_NOT_FOUND',
      (files, at) => files.writeFile(at('none/a'), pattern(1)),
    ],
  ];
  test.each(cases)('%s is %s', async (_what, code, work) => {
    await within(async (files, at) => {
      await files.writeFile(at('file'), pattern(1));
      await files.makeDirectory(at('folder'));
      await files.makeDirectory(at('full/x'));
      await expect(work(files, at)).rejects.toMatchObject({
        name: 'StorageError',
        code,
        message: expect.stringContaining(at('').slice(0, -1)),
      });
    })();
  });
}

type Name = (name: string) => string;

async function written(files: Files, path: string, bytes: Uint8Array): Promise<FileHandle> {
  const handle = await files.open(path, 'create');
  await handle.write(bytes, 0);
  return handle;
}
