import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import { InfoHash } from '../../src/base/ids.ts';
import { encode } from '../../src/bencode/index.ts';
import {
  loadInfo,
  loadResume,
  removeResume,
  saveInfo,
  saveResume,
  TorrentStorage,
} from '../../src/disk/index.ts';
import { failure, MemoryFiles } from './memory-files.ts';
import {
  makeTorrent,
  randomNumbers,
  shuffled,
  type TestTorrent,
  testHashers,
  torrentArbitrary,
} from './torrents.ts';

const { signal } = new AbortController();
const infoHash = new InfoHash(new Uint8Array(20).fill(0xab));
const place = { root: '/out', infoHash };
const statePath = `/out/.bip/${infoHash.hex}.resume`;

async function open(files: MemoryFiles, torrent: TestTorrent): Promise<TorrentStorage> {
  const { layout, hashes } = torrent;
  return TorrentStorage.open({ files, hashers: testHashers }, { root: '/out', layout, hashes });
}

/** A download of three files with pieces 0 and 4 of 0 … 5 done, and its saved state. */
async function halfDone() {
  const torrent = makeTorrent([{ length: 25 }, { length: 20 }, { length: 15 }], 10);
  const files = new MemoryFiles();
  const storage = await open(files, torrent);
  const have = new Bitfield(6);
  for (const piece of [0, 4]) {
    await storage.write(piece, torrent.pieces[piece] ?? new Uint8Array());
    have.add(piece);
  }
  await saveResume({ files }, { ...place, storage, have });
  return { torrent, files, have, storage };
}

async function load(files: MemoryFiles, torrent: TestTorrent) {
  const storage = await open(files, torrent);
  const resume = await loadResume({ files }, { ...place, storage });
  return { storage, good: resume && [...resume.good], doubtful: resume && [...resume.doubtful] };
}

describe('saved state', () => {
  test('is trusted without reading a byte when nothing changed', async () => {
    const { torrent, files } = await halfDone();
    const storage = await open(files.clone(), torrent);
    const copy = files.clone();
    const again = await open(copy, torrent);
    const resume = await loadResume({ files: copy }, { ...place, storage: again });
    expect([...(resume?.good ?? [])]).toEqual([0, 4]);
    expect(resume?.doubtful.isEmpty).toBe(true);
    copy.log.length = 0;
    const good = await again.verify({ signal, ...(resume && { resume }) });
    expect([...good]).toEqual([0, 4]);
    expect(copy.log).toEqual([]);
    expect(storage.isFresh).toBe(false);
  });

  test('says nothing of files that changed since, and those alone are hashed again', async () => {
    const { torrent, files, storage } = await halfDone();
    await storage.write(5, torrent.pieces[5] ?? new Uint8Array());
    const copy = files.clone();
    const { good, doubtful, storage: again } = await load(copy, torrent);
    expect({ good, doubtful }).toEqual({ good: [0], doubtful: [4, 5] });
    const resume = await loadResume({ files: copy }, { ...place, storage: again });
    expect([...(await again.verify({ signal, ...(resume && { resume }) }))]).toEqual([0, 4, 5]);
  });

  test.each<[string, (files: MemoryFiles, path: string) => void, number[]]>([
    ['was removed', (files, path) => void files.nodes.delete(path), []],
    ['was written to', (files, path) => files.put(path, new Uint8Array(25)), []],
    ['is empty now', (files, path) => files.put(path, new Uint8Array()), []],
  ])('does not trust a file that %s', async (_, change, expected) => {
    const { torrent, files } = await halfDone();
    change(files, '/out/torrent/file 0');
    const { good, doubtful } = await load(files, torrent);
    expect({ good, doubtful }).toEqual({ good: [4], doubtful: [0, 1, 2] });
    const storage = await open(files, torrent);
    const resume = await loadResume({ files }, { ...place, storage });
    const found = await storage.verify({ signal, ...(resume && { resume }) });
    expect([...found]).toEqual([...expected, 4]);
  });

  test('is written only when the data is on the medium', async () => {
    const { files } = await halfDone();
    for (const index of [0, 1, 2]) {
      const path = `/out/torrent/file ${index}`;
      const operations = files.log.filter((entry) => entry.path === path);
      const wrote = operations.findLastIndex(({ operation }) => operation === 'write');
      const after = operations.slice(wrote).map(({ operation }) => operation);
      if (wrote !== -1) expect(after).toContain('sync');
    }
    const saved = files.log.findIndex(({ path }) => path === statePath);
    expect(files.log.findLastIndex(({ operation }) => operation === 'sync')).toBeLessThan(saved);
  });

  test('is not written when the medium fails, and the next attempt syncs the files again', async () => {
    const { torrent, files, have, storage } = await halfDone();
    await storage.write(5, torrent.pieces[5] ?? new Uint8Array());
    const before = files.bytesOf(statePath);
    files.fault = (operation, path) => (operation === 'sync' ? failure('BIP_IO', path) : undefined);
    await expect(saveResume({ files }, { ...place, storage, have })).rejects.toThrow('BIP_IO');
    expect(files.bytesOf(statePath)).toBe(before);
    files.fault = () => undefined;
    have.add(5);
    await saveResume({ files }, { ...place, storage, have });
    expect(await load(files, torrent)).toMatchObject({ good: [0, 4, 5], doubtful: [] });
  });

  test('holds the pieces as they were at the call', async () => {
    const { torrent, files, have, storage } = await halfDone();
    const saving = saveResume({ files }, { ...place, storage, have });
    have.add(1);
    await saving;
    expect(await load(files, torrent)).toMatchObject({ good: [0, 4] });
  });

  test('a kill at any moment never makes a wrong piece trusted, nor loses a verified one', async () => {
    await fc.assert(
      fc.asyncProperty(torrentArbitrary(), fc.integer(), async (torrent, seed) => {
        const files = new MemoryFiles();
        const next = randomNumbers(seed);
        const storage = await open(files, torrent);
        const have = new Bitfield(torrent.pieces.length);
        let crashAt = next() % 60;
        let crashed: { readonly files: MemoryFiles; readonly have: number[] } | undefined;
        files.fault = () => {
          if (crashAt-- === 0) crashed = { files: files.clone(), have: [...have] };
          return undefined;
        };
        const order = shuffled(torrent.pieces.length, seed);
        const lane = async (): Promise<void> => {
          for (let piece = order.pop(); piece !== undefined; piece = order.pop()) {
            await storage.write(piece, torrent.pieces[piece] ?? new Uint8Array());
            have.add(piece);
            if (next() % 3 === 0) await saveResume({ files }, { ...place, storage, have });
          }
        };
        await Promise.all([lane(), lane()]);
        crashed ??= { files, have: [...have] };
        const again = await open(crashed.files, torrent);
        const resume = await loadResume({ files: crashed.files }, { ...place, storage: again });
        const trusting = await again.verify({ signal, ...(resume && { resume }) });
        const hashing = await again.verify({ signal });
        for (const piece of trusting) expect(hashing.has(piece)).toBe(true);
        for (const piece of crashed.have) expect(trusting.has(piece)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('of another torrent, another form or damaged is ignored', async () => {
    const { torrent, files } = await halfDone();
    const bytes = files.bytesOf(statePath) ?? new Uint8Array();
    for (let length = 0; length < bytes.length; length++) {
      files.put(statePath, bytes.subarray(0, length));
      expect((await load(files, torrent)).good).toBeUndefined();
    }
    files.put(statePath, bytes);
    expect((await load(files, torrent)).good).toEqual([0, 4]);
    const other = makeTorrent([{ length: 25 }, { length: 20 }, { length: 16 }], 10);
    files.nodes.delete('/out/torrent/file 2');
    expect((await load(files, other)).good).toBeUndefined();
  });

  test.each([
    ['another version', { version: 2 }],
    ['another infohash', { 'info hash': new Uint8Array(20) }],
    ['another piece length', { 'piece length': 11 }],
    ['too long a bitfield', { bitfield: new Uint8Array(2) }],
    ['a spare bit', { bitfield: Uint8Array.of(1) }],
    ['too few sizes', { sizes: [25, 20] }],
    ['sizes that are no numbers', { sizes: ['25', '20', '15'] }],
    ['times that nobody can count', { times: [2n ** 70n, 0, 0] }],
    ['no bitfield', { bitfield: undefined }],
    ['no bits of unsure pieces', { unsure: undefined }],
  ])('with %s is ignored', async (_, change) => {
    const { torrent, files } = await halfDone();
    const fields = {
      bitfield: Uint8Array.of(0x88),
      'info hash': infoHash.bytes,
      'piece length': 10,
      pieces: 6,
      sizes: [25, 20, 15],
      times: [0, 0, 0],
      unsure: Uint8Array.of(0),
      version: 1,
    };
    files.put(statePath, encode(fields));
    expect((await load(files, torrent)).good).toEqual([]);
    files.put(statePath, encode({ ...fields, ...change }));
    expect((await load(files, torrent)).good).toBeUndefined();
  });

  test('of any bytes throws nothing', async () => {
    const { torrent, files } = await halfDone();
    const bytes = files.bytesOf(statePath) ?? new Uint8Array();
    const storage = await open(files, torrent);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        files.put(statePath, damaged);
        const resume = await loadResume({ files }, { ...place, storage });
        for (const piece of resume?.good ?? []) expect(piece).toBeLessThan(6);
      }),
    );
    files.put(statePath, new Uint8Array(100_000));
    expect(await loadResume({ files }, { ...place, storage })).toBeUndefined();
  });
});

describe('saved metadata', () => {
  const info = new TextEncoder().encode('d4:name1:xe');
  const v1 = new InfoHash(new Uint8Array(createHash('sha1').update(info).digest()));
  const v2 = new InfoHash(new Uint8Array(createHash('sha256').update(info).digest()));

  test.each([v1, v2])('comes back when its hash is right', async (hash) => {
    const files = new MemoryFiles();
    const runtime = { files, hashers: testHashers };
    const where = { root: '/out', infoHash: hash };
    expect(await loadInfo(runtime, where)).toBeUndefined();
    await saveInfo(runtime, { ...where, info });
    expect(await loadInfo(runtime, where)).toEqual(info);
    files.put(`/out/.bip/${hash.hex}.info`, info.subarray(1));
    expect(await loadInfo(runtime, where)).toBeUndefined();
  });
});

describe('removal of saved state', () => {
  test('takes the folder along when nothing else is in it', async () => {
    const { files } = await halfDone();
    files.put('/out/.bip/other.resume', new Uint8Array(1));
    await saveInfo({ files }, { ...place, info: new Uint8Array(1) });
    await removeResume({ files }, place);
    expect([...files.nodes.keys()].filter((path) => path.includes('.bip'))).toEqual([
      '/out/.bip',
      '/out/.bip/other.resume',
    ]);
    await files.remove('/out/.bip/other.resume');
    await removeResume({ files }, place);
    await removeResume({ files }, place);
    expect(files.nodes.has('/out/.bip')).toBe(false);
  });
});
