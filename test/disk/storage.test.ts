import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TorrentStorage } from '../../src/disk/index.ts';
import { failure, MemoryFiles } from './memory-files.ts';
import {
  makeTorrent,
  randomNumbers,
  shuffled,
  type TestTorrent,
  testHashers,
  torrentArbitrary,
} from './torrents.ts';

type Options = Partial<Parameters<typeof TorrentStorage.open>[1]>;

async function open(
  files: MemoryFiles,
  { layout, hashes }: TestTorrent,
  options: Options = {},
): Promise<TorrentStorage> {
  const runtime = { files, hashers: testHashers };
  return TorrentStorage.open(runtime, { root: '/out', layout, hashes, ...options });
}

/** What stands below `/out`: contents of files by path. */
function contents(files: MemoryFiles): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [path, { kind, bytes }] of files.nodes) {
    if (kind === 'file') found.set(path.replace('/out/', ''), bytes);
  }
  return found;
}

async function writeAll(storage: TorrentStorage, { pieces }: TestTorrent): Promise<void> {
  for (const [piece, data] of pieces.entries()) await storage.write(piece, data);
}

describe('writing', () => {
  test('pieces in any order, several at once, give the original files', async () => {
    await fc.assert(
      fc.asyncProperty(
        torrentArbitrary(),
        fc.integer(),
        fc.nat(5),
        async (torrent, seed, extra) => {
          const files = new MemoryFiles();
          const next = randomNumbers(seed);
          files.delay = () => next() % 4;
          const storage = await open(files, torrent, { openFiles: 1 + extra });
          const order = shuffled(torrent.pieces.length, seed);
          const lane = async (): Promise<void> => {
            for (let piece = order.pop(); piece !== undefined; piece = order.pop()) {
              const data = torrent.pieces[piece] ?? new Uint8Array();
              expect(await storage.check(piece, data)).toBe(true);
              await storage.write(piece, data);
            }
          };
          await Promise.all([lane(), lane(), lane()]);
          await storage.finish();
          expect(contents(files)).toEqual(new Map(torrent.contents));
          for (const [piece, data] of torrent.pieces.entries()) {
            const from = seed & 1 && data.length > 1 ? 1 : 0;
            const into = new Uint8Array(data.length - from).fill(0xee);
            await storage.read(piece, from, into);
            expect(into).toEqual(data.subarray(from));
          }
          await storage[Symbol.asyncDispose]();
          expect(files.openHandles).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('makes nothing before it is needed, and then the whole file, sparse', async () => {
    const torrent = makeTorrent([{ length: 10 }, { length: 1000 }, { length: 10 }], 10);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    expect(storage.isFresh).toBe(true);
    expect([...files.nodes.keys()]).toEqual(['']);
    await storage.write(5, torrent.pieces[5] ?? new Uint8Array());
    expect([...contents(files).keys()]).toEqual(['torrent/file 1']);
    expect(files.nodes.get('/out/torrent/file 1')).toMatchObject({ written: 10 });
    expect(files.bytesOf('/out/torrent/file 1')?.length).toBe(1000);
  });

  test('writes each file of a piece once, and padding never', async () => {
    const specs = [{ length: 5 }, { length: 11, padding: true }, { length: 8 }, { length: 8 }];
    const torrent = makeTorrent(specs, 16);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    await writeAll(storage, torrent);
    const writes = files.log.filter(({ operation }) => operation === 'write');
    expect(writes.map(({ path }) => path).toSorted()).toEqual(
      [0, 2, 3].map((index) => `/out/torrent/file ${index}`),
    );
    await storage.finish();
    expect([...contents(files).keys()].toSorted()).toEqual(
      [0, 2, 3].map((index) => `torrent/file ${index}`),
    );
  });

  test('refuses a piece of the wrong length as a bug of the caller, and judges it bad', async () => {
    const torrent = makeTorrent([{ length: 25 }], 10);
    const storage = await open(new MemoryFiles(), torrent);
    await expect(storage.write(2, new Uint8Array(10))).rejects.toThrow('piece 2 of 10 bytes');
    expect(await storage.check(2, new Uint8Array(10))).toBe(false);
  });

  test('a full disk loses nothing: the same piece can be written when there is space', async () => {
    const torrent = makeTorrent([{ length: 30 }, { length: 30 }], 20);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    const [first = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array()] =
      torrent.pieces;
    await storage.write(0, first);
    files.space = 5;
    for (let attempt = 0; attempt < 20; attempt++) {
      await expect(storage.write(1, second)).rejects.toMatchObject({ code: 'BIP_DISK_FULL' });
    }
    files.space = 1000;
    await storage.write(2, third);
    await storage.write(1, second);
    await storage.finish();
    expect(contents(files)).toEqual(new Map(torrent.contents));
  });

  test('a file that could not be made is tried again', async () => {
    const torrent = makeTorrent([{ length: 30 }], 20);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    const [first = new Uint8Array()] = torrent.pieces;
    files.fault = (operation) => (operation === 'resize' ? failure('BIP_IO', 'x') : undefined);
    await expect(storage.write(0, first)).rejects.toThrow('BIP_IO');
    expect(files.openHandles).toBe(0);
    files.fault = () => undefined;
    await writeAll(storage, torrent);
    expect(contents(files)).toEqual(new Map(torrent.contents));
  });

  test('a file that appeared since it was looked for is not overwritten', async () => {
    const torrent = makeTorrent([{ length: 30 }], 10);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    const theirs = new Uint8Array(31).fill(9);
    files.put('/out/torrent/file 0', theirs);
    const writing = storage.write(0, torrent.pieces[0] ?? theirs);
    await expect(writing).rejects.toMatchObject({ code: 'BIP_WRONG_SIZE' });
    expect(files.bytesOf('/out/torrent/file 0')).toEqual(theirs);
    expect(files.openHandles).toBe(0);
  });

  test('a file that vanishes is an error and no new empty file', async () => {
    const torrent = makeTorrent([{ length: 30 }, { length: 30 }], 10);
    const files = new MemoryFiles();
    const storage = await open(files, torrent, { openFiles: 1 });
    await storage.write(0, torrent.pieces[0] ?? new Uint8Array());
    await storage.write(4, torrent.pieces[4] ?? new Uint8Array());
    await files.remove('/out/torrent/file 0');
    await expect(storage.write(1, torrent.pieces[1] ?? new Uint8Array())).rejects.toMatchObject({
      code: 'BIP_NOT_FOUND',
    });
  });
});

describe('finishing', () => {
  test('makes empty files, executable bits and links inside of the torrent', async () => {
    const torrent = makeTorrent(
      [
        { path: 't/a/run', length: 4, executable: true },
        { path: 't/b/empty', length: 0 },
        { path: 't/b/c/up', length: 0, symlink: ['t', 'a', 'run'] },
        { path: 't/folder', length: 0, symlink: ['t', 'b'] },
        { path: 't/a/same', length: 0, symlink: ['t', 'a', 'run'] },
        { path: 't/through', length: 0, symlink: ['t', 'folder', 'c', 'up'] },
        { path: 't/nowhere', length: 0, symlink: ['t', 'folder', 'd'] },
        { path: 't/round', length: 0, symlink: ['t', 'round', 'x'] },
      ],
      4,
    );
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    await writeAll(storage, torrent);
    await storage.finish();
    await storage.finish();
    expect(files.nodes.get('/out/t/a/run')).toMatchObject({ executable: true });
    expect(files.nodes.get('/out/t/b/empty')).toMatchObject({ kind: 'file' });
    expect(files.nodes.get('/out/t/b/empty')?.executable).toBeUndefined();
    const targets = [...files.nodes].flatMap(([path, { target }]) =>
      target === undefined ? [] : [[path, target]],
    );
    expect(targets).toEqual([
      ['/out/t/b/c/up', '../../a/run'],
      ['/out/t/folder', 'b'],
      ['/out/t/a/same', 'run'],
      ['/out/t/through', 'folder/c/up'],
    ]);
    await open(files, torrent);
  });

  test('leaves out links to what is not in the torrent or to themselves', async () => {
    const torrent = makeTorrent(
      [
        { path: 't/a', length: 4 },
        { path: 't/out', length: 0, symlink: ['etc', 'passwd'] },
        { path: 't/self', length: 0, symlink: ['t', 'self'] },
      ],
      4,
    );
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    await writeAll(storage, torrent);
    await storage.finish();
    expect([...files.nodes.values()].some(({ kind }) => kind === 'symlink')).toBe(false);
  });

  test('refuses a link whose target climbs', async () => {
    const symlink = ['t', '..', '..', 'etc'];
    const torrent = makeTorrent([{ path: 't/l', length: 0, symlink }, { length: 4 }], 4);
    const storage = await open(new MemoryFiles(), torrent);
    await writeAll(storage, torrent);
    await expect(storage.finish()).rejects.toMatchObject({ code: 'BIP_UNSAFE_PATH' });
  });

  test('tells when a close lost data, and closes the rest', async () => {
    const torrent = makeTorrent([{ length: 10 }, { length: 10 }], 10);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    await writeAll(storage, torrent);
    files.fault = (operation, path) =>
      operation === 'close' && path.endsWith('0') ? failure('BIP_IO', path) : undefined;
    await expect(storage.finish()).rejects.toThrow('file 0: BIP_IO');
    expect(files.openHandles).toBe(0);
  });
});

describe('what exists already', () => {
  const torrent = makeTorrent([{ length: 30 }, { length: 30 }], 20);
  const path = '/out/torrent/file 1';

  test.each([29, 31])(
    'a file of %i bytes instead of 30 is refused and left alone',
    async (size) => {
      const files = new MemoryFiles();
      files.put(path, new Uint8Array(size));
      const refusal = { name: 'StorageError', code: 'BIP_WRONG_SIZE' };
      await expect(open(files, torrent)).rejects.toMatchObject(refusal);
      await expect(open(files, torrent)).rejects.toThrow(
        `${path} is ${size} bytes long, but the torrent's file has 30; move it away, choose another folder with --output, or pass --force to overwrite it`,
      );
      expect(files.bytesOf(path)?.length).toBe(size);
    },
  );

  test.each([29, 31])('with force a file of %i bytes becomes 30 in the end', async (size) => {
    const files = new MemoryFiles();
    const old = new Uint8Array(size);
    old.set(torrent.contents.get('torrent/file 1')?.subarray(0, Math.min(size, 30)) ?? []);
    files.put(path, old);
    files.put('/out/torrent/file 0', torrent.contents.get('torrent/file 0') ?? old);
    const storage = await open(files, torrent, { force: true });
    const { signal } = new AbortController();
    const good = await storage.verify({ signal });
    expect([...good]).toEqual(size === 29 ? [0, 1] : [0, 1, 2]);
    expect(files.bytesOf(path)?.length).toBe(size);
    if (!good.has(2)) await storage.write(2, torrent.pieces[2] ?? old);
    await storage.finish();
    expect(contents(files)).toEqual(new Map(torrent.contents));
  });

  test('a file that is too short spoils its own pieces only', async () => {
    const aligned = makeTorrent([{ length: 20 }, { length: 20 }, { length: 20 }], 10);
    const files = new MemoryFiles();
    for (const [name, bytes] of aligned.contents) {
      files.put(`/out/${name}`, name.endsWith('1') ? bytes.subarray(0, 10) : bytes);
    }
    const storage = await open(files, aligned, { force: true });
    const good = await storage.verify({ signal: new AbortController().signal });
    expect([...good]).toEqual([0, 1, 2, 4, 5]);
  });

  test('an empty file is taken for one not begun', async () => {
    const files = new MemoryFiles();
    files.put(path, new Uint8Array());
    const storage = await open(files, torrent);
    expect(storage.isFresh).toBe(true);
    await writeAll(storage, torrent);
    expect(contents(files)).toEqual(new Map(torrent.contents));
  });

  test.each<['directory' | 'symlink' | 'other', string]>([
    ['directory', 'a folder'],
    ['symlink', 'a symbolic link'],
    ['other', 'neither a file nor a folder'],
  ])('a %s in the place of a file is refused, even with force', async (kind, words) => {
    const files = new MemoryFiles();
    files.put(path, new Uint8Array(30));
    Object.assign(files.nodes.get(path) ?? {}, { kind, target: 'file 0' });
    for (const force of [true, false]) {
      await expect(open(files, torrent, { force })).rejects.toThrow(`${path} is ${words}`);
    }
  });

  test.each<['file' | 'symlink']>([['file'], ['symlink']])(
    'a %s in the place of a folder is refused: nothing is written through links',
    async (kind) => {
      const files = new MemoryFiles();
      files.put('/out/torrent', new Uint8Array(3));
      Object.assign(files.nodes.get('/out/torrent') ?? {}, { kind, target: '/etc' });
      const opened = open(files, torrent);
      await expect(opened).rejects.toMatchObject({ code: 'BIP_EXISTS' });
    },
  );

  test('an output folder that is a file is refused', async () => {
    const files = new MemoryFiles();
    files.put('/out', new Uint8Array(3));
    await expect(open(files, torrent)).rejects.toThrow('/out is a file in the place of the output');
  });

  test('something else in the place of a link is refused', async () => {
    const linked = makeTorrent(
      [
        { path: 't/a', length: 4 },
        { path: 't/l', length: 0, symlink: ['t', 'a'] },
      ],
      4,
    );
    const files = new MemoryFiles();
    files.put('/out/t/l', new Uint8Array(4));
    await expect(open(files, linked)).rejects.toThrow('/out/t/l is a file in the place of a link');
  });

  test('asks nothing below folders that do not exist', async () => {
    const many = makeTorrent(
      Array.from({ length: 1000 }, (_, at) => ({ path: `t/d${at % 7}/f${at}`, length: 1 })),
      16,
    );
    const files = new MemoryFiles();
    files.put('/out/other', new Uint8Array());
    await open(files, many);
    expect(files.log).toHaveLength(2);
  });
});

describe('paths', () => {
  test.each([
    ['..', 'x'],
    ['t', '..', 'x'],
    ['t', '.', 'x'],
    ['t', '', 'x'],
    ['t', 'a/../../x'],
    ['t', 'a\\..\\x'],
    ['/etc', 'passwd'],
    ['t', 'a\0b'],
    [],
  ])('%j %j %j is refused before anything is looked at', async (...path) => {
    const files = new MemoryFiles();
    const layout = {
      files: [{ path, length: 4, offset: 0, padding: false }],
      pieceLength: 4,
      pieceCount: 1,
    };
    const { hashes } = makeTorrent([{ length: 4 }], 4);
    const opened = TorrentStorage.open(
      { files, hashers: testHashers },
      { root: '/out', layout, hashes },
    );
    await expect(opened).rejects.toMatchObject({ code: 'BIP_UNSAFE_PATH' });
    expect(files.log).toEqual([]);
  });

  test.each([
    ['two files of one name', ['t/a', 't/a']],
    ['a file that is also a folder', ['t/a', 't/a/b']],
    ['a folder that is also a file', ['t/a/b', 't/a']],
  ])('%s are refused', async (_, paths) => {
    const torrent = makeTorrent(
      paths.map((path) => ({ path, length: 4 })),
      4,
    );
    await expect(open(new MemoryFiles(), torrent)).rejects.toThrow('twice');
  });

  test.each(['.bip', '.BIP'])('the name %s is kept for the state of bip', async (name) => {
    const torrent = makeTorrent([{ path: `${name}/x.resume`, length: 4 }], 4);
    await expect(open(new MemoryFiles(), torrent)).rejects.toThrow(`named ${name}`);
  });

  test('padding may be called anything', async () => {
    const specs = [
      { path: 't/a', length: 3 },
      { path: 't/a', length: 5, padding: true },
      { path: '../x', length: 5, padding: true },
    ];
    const torrent = makeTorrent(specs, 8);
    const files = new MemoryFiles();
    const storage = await open(files, torrent);
    await writeAll(storage, torrent);
    await storage.finish();
    expect([...contents(files).keys()]).toEqual(['t/a']);
  });

  test.each(['/out/', '/out', '/'])('the root %s takes the files below itself', async (root) => {
    const torrent = makeTorrent([{ path: 'single', length: 3 }], 8);
    const files = new MemoryFiles();
    const storage = await open(files, torrent, { root });
    await writeAll(storage, torrent);
    expect(files.log.at(-1)?.path).toBe(root === '/' ? '/single' : '/out/single');
  });
});

describe('reading', () => {
  const torrent = makeTorrent([{ length: 30 }, { length: 30 }], 20);

  async function complete(options: Options = {}) {
    const files = new MemoryFiles();
    for (const [name, bytes] of torrent.contents) files.put(`/out/${name}`, bytes);
    return { files, storage: await open(files, torrent, options) };
  }

  test('an error is told and passes', async () => {
    const { files, storage } = await complete();
    const into = new Uint8Array(20);
    files.fault = (operation) => (operation === 'read' ? failure('BIP_IO', 'x') : undefined);
    for (let attempt = 0; attempt < 20; attempt++) {
      await expect(storage.read(1, 0, into)).rejects.toMatchObject({ code: 'BIP_IO' });
    }
    files.fault = () => undefined;
    await storage.read(1, 0, into);
    expect(into).toEqual(torrent.pieces[1]);
  });

  test('a file that shrank is named, and no made-up bytes are served', async () => {
    const { files, storage } = await complete();
    files.put('/out/torrent/file 1', new Uint8Array(15));
    await expect(storage.read(2, 0, new Uint8Array(20))).rejects.toThrow(
      '/out/torrent/file 1 ends at byte 15, in the middle of verified data',
    );
  });

  test('bytes outside of a piece are a bug of the caller', async () => {
    const { storage } = await complete();
    await expect(storage.read(2, 15, new Uint8Array(6))).rejects.toThrow('bytes 15 to 21');
    await expect(storage.read(2, -1, new Uint8Array(6))).rejects.toThrow('bytes -1 to 5');
  });

  test('a read-only storage follows links, reads and never changes anything', async () => {
    const { files } = await complete();
    await files.rename('/out/torrent/file 0', '/elsewhere');
    await files.makeSymlink('/out/torrent/file 0', '../../elsewhere');
    const before = new Map(files.nodes);
    const storage = await open(files, torrent, { readOnly: true });
    const good = await storage.verify({ signal: new AbortController().signal });
    expect([...good]).toEqual([0, 1, 2]);
    await expect(storage.write(0, torrent.pieces[0] ?? new Uint8Array())).rejects.toThrow(
      'opened to be read',
    );
    await expect(storage.finish()).rejects.toThrow('opened to be read');
    expect(files.nodes).toEqual(before);
  });
});
