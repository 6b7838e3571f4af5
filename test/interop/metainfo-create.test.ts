/** `bip metainfo create` against programs that nobody here wrote: the same files, the same torrent. */

import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Metainfo, parseMetainfo, type Version } from '../../src/metainfo/index.ts';
import { Bip } from './bip.ts';
import { Child } from './child.ts';
import { at, parseJson } from './json.ts';
import { SCRIPT } from './peers/libtorrent.ts';
import { describeWith, PYTHON } from './require.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { FILES, FOLDERS, LINKS_BELOW, PIECE_LENGTHS, type Tree, writeTree } from './trees.ts';

const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const CREATE_MS = 100_000;

interface Job {
  readonly tree: Tree;
  readonly version: Version;
  readonly pieceLength: number;
}

/** Writes the torrents of `jobs` to {@link outputOf}. */
type Maker = (name: string, jobs: readonly Job[]) => Promise<void>;

const TREES: readonly Tree[] = [...FOLDERS, ...FILES];

let scratch: Scratch;

beforeAll(async () => {
  scratch = await openScratch();
  for (const tree of [...TREES, LINKS_BELOW]) await writeTree(scratch.path, tree);
}, CREATE_MS);

afterAll(() => scratch[Symbol.asyncDispose]());

describeWith(['libtorrent'], 'libtorrent', () => {
  const trees = TREES.filter(({ only }) => only !== 'old');

  describe.for(VERSIONS)('%s', (version) => {
    test.for(PIECE_LENGTHS)('makes the same torrents with pieces of %i bytes', async (length) => {
      const jobs = jobsOf(trees, version, length);
      expect(jobs.length).toBeGreaterThan(20);
      const [ours, theirs] = await Promise.all([
        summaries('bip', jobs, byBip()),
        summaries('libtorrent', jobs, byLibtorrent),
      ]);
      expect(ours).toEqual(theirs);
    });

    // BEP 47 wants the path from the torrent's folder. libtorrent 2.0.8 writes what a link says, which
    // is the same for links at the top; of others it may not find the way back itself.
    test('links below the top lead where they should, by other words', async () => {
      const jobs = jobsOf([LINKS_BELOW], version, 32_768);
      const [ours] = await torrents('bip', jobs, byBip());
      const [theirs] = await torrents('libtorrent', jobs, byLibtorrent);
      expect(ours?.infoHash?.hex ?? ours?.infoHashV2?.hex).not.toBe(
        theirs?.infoHash?.hex ?? theirs?.infoHashV2?.hex,
      );
      const links = {
        'links below/dots': 'links below/file.bin',
        'links below/folder/beside': 'links below/folder/data',
        'links below/folder/deeper/to link': 'links below/folder/up',
        'links below/folder/up': 'links below/file.bin',
      };
      expect(linksOf(ours)).toEqual(links);
      expect(linksOf(theirs)).toEqual({
        ...links,
        'links below/dots': 'links below/dots',
        'links below/folder/deeper/to link': 'links below/folder/deeper/to link',
      });
      const paths = jobs.flatMap((job) => ['bip', 'libtorrent'].map((name) => outputOf(name, job)));
      await using child = new Child([PYTHON, SCRIPT, 'inspect', ...paths]);
      await child.ended(CREATE_MS);
      expect(child.lines.map((line) => at(parseJson(line), 'links'))).toEqual([
        links,
        linksOf(theirs),
      ]);
    });
  });
});

describeWith(['mktorrent'], 'mktorrent', () => {
  const trees = TREES.filter(({ only }) => only !== 'libtorrent');

  test.for([32_768, 262_144])(
    'makes the same v1 torrents with pieces of %i bytes',
    async (length) => {
      const jobs = jobsOf(trees, 'v1', length);
      const [ours, theirs] = await Promise.all([
        summaries('bip, for mktorrent', jobs, byBip()),
        summaries('mktorrent', jobs, byMktorrent),
      ]);
      expect(ours).toEqual(theirs);
    },
  );

  test('has another order where names go on with what sorts before a slash', async () => {
    const jobs = jobsOf(
      TREES.filter(({ name }) => name === 'order'),
      'v1',
      32_768,
    );
    const [ours] = await torrents('bip, for order', jobs, byBip());
    const [theirs] = await torrents('mktorrent', jobs, byMktorrent);
    const [our, their] = [ours, theirs].map((made) =>
      made?.files.map(({ path }) => path.join('/')),
    );
    expect(our?.length).toBeGreaterThan(5);
    expect(our).not.toEqual(their);
    expect(their).toEqual(our?.toSorted());
  });
});

describeWith(['transmission-cli'], 'transmission-create', () => {
  // It always says whether it is private, leaves out empty files, and sorts by signed characters.
  const trees = TREES.filter(
    ({ only, entries }) =>
      only !== 'libtorrent' &&
      !Object.values(entries).includes(0) &&
      Object.keys(entries).every((path) => /^[\x20-\x7e]*$/.test(path)),
  );

  test('makes the same v1 torrents', async () => {
    const jobs = jobsOf(trees, 'v1', 32_768);
    expect(jobs.length).toBeGreaterThan(10);
    const [ours, theirs] = await Promise.all([
      summaries('bip, for transmission', jobs, byBip({ 'info.private': 0 })),
      summaries('transmission', jobs, byTransmission),
    ]);
    expect(ours).toEqual(theirs);
  });
});

function jobsOf(trees: readonly Tree[], version: Version, pieceLength: number): readonly Job[] {
  return trees
    .filter((tree) => (tree.pieceLength ?? pieceLength) === pieceLength)
    .map((tree) => ({ tree, version, pieceLength }));
}

function outputOf(name: string, { tree, version, pieceLength }: Job): string {
  return scratch.to(`${tree.name}.${version}.${pieceLength}.${name}.torrent`);
}

/** What has to be the same, by the name of the tree. */
async function summaries(
  name: string,
  jobs: readonly Job[],
  make: Maker,
): Promise<Readonly<Record<string, unknown>>> {
  const made = await torrents(name, jobs, make);
  return Object.fromEntries(
    made.map(({ infoHash, infoHashV2, pieceLayers, warnings }, index) => [
      jobs[index]?.tree.name ?? '',
      {
        infoHash: infoHash?.hex,
        infoHashV2: infoHashV2?.hex,
        // They are no part of the infohash. Whether they are right was judged on the way in.
        pieceLayers: [...pieceLayers.keys()].toSorted(),
        warnings,
      },
    ]),
  );
}

async function torrents(
  name: string,
  jobs: readonly Job[],
  make: Maker,
): Promise<readonly Metainfo[]> {
  await make(name, jobs);
  return Promise.all(
    jobs.map(async (job) => parseMetainfo(new Uint8Array(await readFile(outputOf(name, job))))),
  );
}

/** All of them in one go; `set` are further keys. */
function byBip(set: Readonly<Record<string, unknown>> = {}): Maker {
  return async (name, jobs) => {
    const batch = jobs.map((job) => ({
      path: job.tree.name,
      [job.version]: true,
      pieceLength: job.pieceLength,
      output: outputOf(name, job),
      hidden: true,
      junk: true,
      symlinks: job.tree.links === true ? 'keep' : 'follow',
      set,
    }));
    const path = outputOf(`${name}.batch`, onlyOf(jobs));
    await writeFile(path, JSON.stringify(batch));
    await using bip = new Bip(['metainfo', 'create', '--no-config', '--batch', path]);
    await succeeds(bip.child);
    expect(bip.child.lines).toHaveLength(jobs.length);
  };
}

const byLibtorrent: Maker = async (name, jobs) => {
  const lines = jobs.map((job) => ({
    source: scratch.to(job.tree.name),
    out: outputOf(name, job),
    format: job.version,
    piece_length: job.pieceLength,
    symlinks: job.tree.links === true,
  }));
  const path = outputOf(`${name}.jobs`, onlyOf(jobs));
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join('\n'));
  await run([PYTHON, SCRIPT, 'create-all', path]);
};

const byMktorrent = oneByOne((path, output, pieceLength) => {
  const exponent = String(Math.log2(pieceLength));
  return ['mktorrent', '-d', '-l', exponent, '-a', 'http://127.0.0.1/', '-o', output, path];
});

const byTransmission = oneByOne((path, output, pieceLength) => {
  return ['transmission-create', '-s', String(pieceLength / 1024), '-o', output, path];
});

/** Most of the time that these programs take is waiting. */
function oneByOne(
  argvOf: (path: string, output: string, pieceLength: number) => readonly string[],
): Maker {
  return async (name, jobs) => {
    const runs = jobs.map((job) =>
      run(argvOf(scratch.to(job.tree.name), outputOf(name, job), job.pieceLength)),
    );
    await Promise.all(runs);
  };
}

async function run(argv: readonly string[]): Promise<void> {
  await using child = new Child(argv);
  await succeeds(child);
}

async function succeeds(child: Child): Promise<void> {
  const exit = await child.ended(CREATE_MS);
  if (exit.code !== 0) expect.fail(child.log);
}

/** Some job, for the name of a file that belongs to all of them. */
function onlyOf(jobs: readonly Job[]): Job {
  const [first] = jobs;
  if (first === undefined) throw new Error('there is no job');
  return first;
}

function linksOf(metainfo: Metainfo | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (metainfo?.files ?? []).flatMap(({ path, symlink }) =>
      symlink === undefined ? [] : [[path.join('/'), symlink.join('/')]],
    ),
  );
}
