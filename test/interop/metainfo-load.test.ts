/** Torrents of `bip metainfo create` in clients that nobody here wrote: what each makes of which version. */

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMetainfo, type Version } from '../../src/metainfo/index.ts';
import { Bip } from './bip.ts';
import { Child, type Exit } from './child.ts';
import { type Content, KiB, manyFiles, nameOf, singleFile, writeContent } from './content.ts';
import { isRecord, parseJson, textAt } from './json.ts';
import { KIT_IS_THERE, KIT_NOTE, type KitOptions, seedsByKit } from './peers/kit.ts';
import { SCRIPT } from './peers/libtorrent.ts';
import { startTransmission } from './peers/transmission.ts';
import { describeWith, PYTHON } from './require.ts';
import { openScratch, type Scratch } from './scratch.ts';

const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const CONTENTS = { 'a file': singleFile(), 'many files': manyFiles() } as const;
const RUN_MS = 60_000;

/** A torrent of bip, beside its content. */
interface Made {
  readonly path: string;
  readonly infoHash: string;
  readonly infoHashV2: string;
  readonly pieceCount: number;
}

type What = keyof typeof CONTENTS;

const CASES: readonly { readonly what: What; readonly version: Version }[] = VERSIONS.flatMap(
  (version) => [{ what: 'a file', version } as const, { what: 'many files', version } as const],
);

const V1_CASES = CASES.filter(({ version }) => version === 'v1');

let scratch: Scratch;
const made = new Map<string, Made>();

beforeAll(async () => {
  scratch = await openScratch();
  for (const content of Object.values(CONTENTS)) await writeContent(scratch.path, content);
  for (const { what, version } of CASES) {
    made.set(`${what} ${version}`, await create(CONTENTS[what], version));
  }
}, RUN_MS);

afterAll(() => scratch[Symbol.asyncDispose]());

describeWith(['libtorrent'], 'libtorrent', () => {
  test.for(CASES)(
    'loads $version of $what, and the data is complete',
    async ({ what, version }) => {
      const { path, infoHash, infoHashV2, pieceCount } = madeOf(what, version);
      const inspected = await run([PYTHON, SCRIPT, 'inspect', path]);
      expect(parseJson(inspected.stdout)).toMatchObject({
        infoHash: infoHash === '' ? null : infoHash,
        infoHashV2: infoHashV2 === '' ? null : infoHashV2,
      });
      const verified = await run([PYTHON, SCRIPT, 'verify', path, scratch.path]);
      expect(parseJson(verified.stdout)).toMatchObject({
        complete: true,
        good: pieceCount,
        pieces: pieceCount,
      });
    },
  );
});

describe.skipIf(!KIT_IS_THERE)(`seeding${KIT_NOTE}`, () => {
  describeWith(['qbittorrent', 'libtorrent'], 'qBittorrent', () => {
    test.for(CASES)('seeds $version of $what', async ({ what, version }) => {
      const { infoHash, infoHashV2 } = madeOf(what, version);
      const added = await seeds('qbittorrent', what, version);
      expect(added).toMatchObject({ v1: infoHash, v2: infoHashV2 });
    });
  });

  describeWith(['rtorrent'], 'rtorrent', () => {
    test.for(V1_CASES)('seeds $version of $what', async ({ what, version }) => {
      const added = await seeds('rtorrent', what, version);
      expect(added).toMatchObject({ info_hash: madeOf(what, version).infoHash });
    });

    test('takes a hybrid for what it is in v1', async () => {
      const added = await seeds('rtorrent', 'a file', 'hybrid');
      expect(added).toMatchObject({ info_hash: madeOf('a file', 'hybrid').infoHash });
    });

    // It knows nothing of padding: without such files the data is incomplete to it.
    test('wants the padding of a hybrid of many files as files', async () => {
      const { path, infoHash } = madeOf('many files', 'hybrid');
      const { files } = parseMetainfo(new Uint8Array(await readFile(path)));
      const padding = files.filter((file) => file.padding);
      expect(padding.length).toBeGreaterThan(3);
      const pads = padding.map(
        (file) => [file.path.join('/'), new Uint8Array(file.length)] as const,
      );
      const dir = scratch.to('padded');
      await writeContent(dir, new Map([...CONTENTS['many files'], ...pads]));
      const state = scratch.to('rtorrent');
      const added = await seedsByKit({ program: 'rtorrent', torrent: path, dir, state });
      expect(added).toMatchObject({ info_hash: infoHash });
    });
  });
});

describeWith(['transmission-cli', 'transmission'], 'Transmission', () => {
  test.for(V1_CASES)('shows and seeds $version of $what', async ({ what, version }) => {
    const { path, infoHash } = madeOf(what, version);
    const shown = await run(['transmission-show', path]);
    expect(shown.exit.code).toBe(0);
    expect(shown.stdout).toContain(`Hash: ${infoHash}`);
    const dir = scratch.path;
    const state = scratch.to(`transmission ${what}`);
    await using peer = await startTransmission({ mode: 'seed', torrent: path, dir, state });
    expect(await peer.counters()).toMatchObject({ complete: true });
  });

  // As the help of `bip metainfo create` says.
  test.for(['v2', 'hybrid'] as const)('refuses %s', async (version) => {
    for (const what of ['a file', 'many files'] as const) {
      const shown = await run(['transmission-show', madeOf(what, version).path]);
      expect(shown.exit.code).toBe(1);
      expect(shown.stderr).toContain('Error parsing .torrent file');
    }
  });
});

describeWith(['aria2'], 'aria2', () => {
  test.for(V1_CASES)('shows $version of $what, and the data is good', async ({ what, version }) => {
    const { path, infoHash } = madeOf(what, version);
    expect(await shownByAria2(path)).toBe(infoHash);
    const checked = await run([
      ...['aria2c', '--no-conf', '--check-integrity', '--hash-check-only=true'],
      ...['--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false'],
      ...['--dir', scratch.path, path],
    ]);
    expect(checked.stdout).toContain('Verification finished successfully');
    expect(checked.exit.code).toBe(0);
  });

  // As the help of `bip metainfo create` says.
  test('computes a wrong infohash of hybrids', async () => {
    for (const what of ['a file', 'many files'] as const) {
      const { path, infoHash } = madeOf(what, 'hybrid');
      const shown = await shownByAria2(path);
      expect(shown).toMatch(/^[0-9a-f]{40}$/);
      expect(shown).not.toBe(infoHash);
    }
  });

  test('refuses v2', async () => {
    const shown = await run(['aria2c', '--no-conf', '-S', madeOf('a file', 'v2').path]);
    expect(shown.stdout + shown.stderr).toContain('Missing pieces in torrent metainfo');
  });
});

async function create(content: Content, version: Version): Promise<Made> {
  const path = scratch.to(`${nameOf(content)}.${version}.torrent`);
  await using bip = new Bip([
    ...['metainfo', 'create', '--no-config', `--${version}`, '--hidden', '--output', path],
    ...['--piece-length', String(64 * KiB), scratch.to(nameOf(content))],
  ]);
  const exit = await bip.child.ended(RUN_MS);
  if (exit.code !== 0) throw new Error(bip.child.log);
  const created = parseJson(bip.child.stdout);
  return {
    path,
    infoHash: textAt(created, 'infoHash'),
    infoHashV2: textAt(created, 'infoHashV2'),
    pieceCount: isRecord(created) ? Number(created['pieceCount']) : 0,
  };
}

function madeOf(what: What, version: Version): Made {
  const found = made.get(`${what} ${version}`);
  if (found === undefined) throw new Error(`no torrent of ${what} in ${version}`);
  return found;
}

function seeds(
  program: KitOptions['program'],
  what: What,
  version: Version,
): Promise<Readonly<Record<string, unknown>>> {
  const { path } = madeOf(what, version);
  return seedsByKit({ program, torrent: path, dir: scratch.path, state: scratch.to(program) });
}

interface Ran {
  readonly exit: Exit;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[]): Promise<Ran> {
  await using child = new Child(argv);
  const exit = await child.ended(RUN_MS);
  return { exit, stdout: child.stdout, stderr: child.stderr };
}

/** The infohash that aria2 shows for a torrent. */
async function shownByAria2(path: string): Promise<string> {
  const { stdout } = await run(['aria2c', '--no-conf', '-S', path]);
  return /^Info Hash: (\w+)$/m.exec(stdout)?.[1] ?? '';
}
