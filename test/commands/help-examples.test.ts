/** Every example in the help of commands that end by themselves is run as written, in a real shell. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBip } from '../../scripts/build.ts';
import { pattern } from './create-world.ts';
import { bip } from './harness.ts';
import { joinOnLoopback, type LoopbackDht } from './loopback-dht.ts';
import { type LoopbackSeed, seedOnLoopback } from './loopback-seed.ts';
import { type LoopbackTracker, serveOnLoopback } from './loopback-tracker.ts';

const ROOT = join(import.meta.dirname, '../..');

const HAS_JQ = (process.env['PATH'] ?? '')
  .split(':')
  .some((folder) => existsSync(join(folder, 'jq')));

/** Groups of commands that work on this machine alone: each command of theirs has examples. */
const GROUPS: readonly string[] = [
  'bencode',
  'dht',
  'lpd',
  'magnet',
  'metainfo',
  'simulate',
  'tracker',
];

/** Commands that run until they are stopped. */
const ENDLESS: ReadonlySet<string> = new Set(['dht serve', 'lpd listen', 'tracker serve']);

/** Examples that need a network, and what for. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'bip dht ping router.bittorrent.com:6881 dht.libtorrent.org:25401': 'nodes of the internet',
  'bip dht lookup debian.torrent --limit 20 --timeout 30s': 'the DHT of the internet',
  'bip dht announce debian.torrent --port 6881 --seed': 'the DHT of the internet',
  "bip dht scrape debian.torrent a.torrent --json | jq -c '{infoHash, seeders, leechers}'":
    'the DHT of the internet',
  'bip dht sample --timeout 5m | cut -f1 > infohashes.txt': 'the DHT of the internet',
  'bip dht crawl --limit 5000 --state crawl.state > nodes.tsv': 'the DHT of the internet',
  'bip lpd announce debian.torrent --port 6881': 'the network that the machine is in',
  'bip lpd announce debian.torrent film.torrent --port 6881 --watch':
    'the network that the machine is in',
  "bip magnet fetch 'magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e'":
    'peers of the internet',
};

/** Examples that say nothing when all is well, and why. */
const SILENT: Readonly<Record<string, string>> = {
  [`echo '{"pieces":{"$hex":"00ff"}}' | bip bencode encode --output pieces.benc --force`]:
    'a file is the result',
  [`echo -n 'd1:ai1e1:bi2ee' | bip bencode check`]: 'there is no fault to tell',
  [`bip dht get "$target" --bootstrap "$node" --output notes.txt`]: 'a file is the result',
};

/** A thing that examples name, made where the example names it. */
interface Prop {
  readonly named: RegExp;
  make(place: Place): Promise<void>;
}

/** Where an example runs; its home is the same folder. */
interface Place {
  readonly folder: string;
  /** Runs a line in the shell there. @throws {Error} when it fails */
  run(line: string): Promise<void>;
}

const PROPS: readonly Prop[] = [
  { named: /(^|\s)album(\s|$)|album\.torrent|jobs\.yaml/, make: ({ folder }) => album(folder) },
  { named: /--content ~\/Music/, make: music },
  {
    named: /album\.torrent/,
    make: ({ run }) => run('bip metainfo create album --no-config --quiet'),
  },
  {
    // Somewhere else, under other names.
    named: /--search ~\/Music/,
    make: async ({ folder }) => {
      await mkdir(join(folder, 'Music/new'), { recursive: true });
      await rename(join(folder, 'album/one.flac'), join(folder, 'Music/new/eins.flac'));
      await rename(join(folder, 'album/extras/cover.jpg'), join(folder, 'Music/front.jpg'));
    },
  },
  { named: /(^|\s)a\.torrent|\*\.torrent/, make: torrentA },
  { named: /debian\.torrent|\*\.torrent/, make: torrentOfDebian },
  { named: /bip tracker .*(?:debian|a|\*)\.torrent/, make: ({ run }) => run(nameTrackers) },
  { named: /trackers\.txt/, make: ({ run }) => run(listTrackers) },
  {
    named: /jobs\.yaml/,
    make: async ({ folder }) => {
      await cp(join(ROOT, 'commands/schemas/batch.example.yaml'), join(folder, 'jobs.yaml'));
      await writeFile(join(folder, 'one.iso'), pattern(50_000));
      await writeFile(join(folder, 'two.iso'), pattern(60_000, 2));
    },
  },
];

const nameTrackers = 'bip metainfo edit *.torrent -t "$tracker" -t "$webTracker" --quiet';
const listTrackers = `printf '# ours\\n%s\\n\\n%s\\n' "$tracker" "$webTracker" > trackers.txt`;

async function album(folder: string): Promise<void> {
  await mkdir(join(folder, 'album/extras'), { recursive: true });
  await writeFile(join(folder, 'album/one.flac'), pattern(100_000));
  await writeFile(join(folder, 'album/extras/cover.jpg'), pattern(20_000, 2));
}

async function debian(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'debian.iso'), pattern(200_000, 3));
}

async function contentOfA(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'a'), pattern(90_000, 4));
}

async function music({ folder }: Place): Promise<void> {
  const place = join(folder, 'Music');
  await album(place);
  await debian(place);
  await contentOfA(place);
}

async function torrentA({ folder, run }: Place): Promise<void> {
  await contentOfA(folder);
  const trackers = '-t udp://tracker.example:6969 -t http://old.example:80/announce';
  const more = `--comment old --set 'publisher="somebody"'`;
  await run(`bip metainfo create a ${trackers} ${more} --no-config --quiet`);
}

async function torrentOfDebian({ folder, run }: Place): Promise<void> {
  await debian(folder);
  const flags = '-t http://tracker.example/announce --no-config --quiet -o debian.torrent';
  await run(`bip metainfo create debian.iso ${flags}`);
}

const leaves = await leavesOf(GROUPS);
const examples = (
  await Promise.all(
    leaves.map(async (words) => {
      const { stdout } = await bip(...words, '--help');
      const [, text = ''] = stdout.split('\nExamples:\n');
      const lines = [...text.matchAll(/^ {2}\$ (.+)$/gm)].flatMap(([, line]) => line ?? []);
      return lines.map((line) => ({ command: words.join(' '), line }));
    }),
  )
).flat();

let dist = '';
let tracker: LoopbackTracker | undefined;
let dht: LoopbackDht | undefined;
let seed: LoopbackSeed | undefined;

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'bip-examples-'));
  tracker = await serveOnLoopback();
  dht = await joinOnLoopback();
  seed = await seedOnLoopback(dht.named.node);
  await buildBip(join(dist, 'program'));
  const entry = join(dist, 'program/bip.mjs');
  await mkdir(join(dist, 'bin'));
  // The network that the machine is in is not to hear of tests.
  const quiet = `case "$1 $2" in 'magnet fetch') set -- "$@" --no-lpd;; esac`;
  const script = `#!/bin/sh\n${quiet}\nexec '${process.execPath}' '${entry}' "$@"\n`;
  await writeFile(join(dist, 'bin/bip'), script);
  await chmod(join(dist, 'bin/bip'), 0o755);
}, 60_000);

afterAll(async () => {
  await tracker?.[Symbol.asyncDispose]();
  await seed?.[Symbol.asyncDispose]();
  await dht?.[Symbol.asyncDispose]();
  await rm(dist, { recursive: true, force: true });
});

test('every command has examples, and they are about it', () => {
  expect(leaves.length).toBeGreaterThanOrEqual(9);
  for (const words of leaves) {
    const command = words.join(' ');
    const own = examples.filter((example) => example.command === command);
    expect([command, own.length > 0]).toEqual([command, true]);
    for (const { line } of own) expect(line).toContain(`bip ${command}`);
  }
});

test('exceptions are about examples that are there', () => {
  const lines = examples.map(({ line }) => line);
  const exceptions = [...Object.keys(NOT_RUN), ...Object.keys(SILENT)];
  expect(exceptions.filter((line) => !lines.includes(line))).toEqual([]);
});

describe.concurrent('as written', () => {
  test.for(examples.filter(({ line }) => NOT_RUN[line] === undefined))(
    '$line',
    { timeout: 40_000 },
    async ({ line }, { skip }) => {
      // Under CI it is installed.
      skip(/\bjq\b/.test(line) && !HAS_JQ && process.env['CI'] !== 'true', 'there is no jq here');
      const folder = await mkdtemp(join(tmpdir(), 'bip-example-'));
      try {
        const run = async (prepared: string): Promise<void> => {
          const { code, stderr } = await shell(folder, prepared);
          if (code !== 0) throw new Error(`${prepared}: ${code}\n${stderr}`);
        };
        for (const { named, make } of PROPS) if (named.test(line)) await make({ folder, run });
        const { code, stdout, stderr } = await shell(folder, line);
        expect(stderr).not.toMatch(/error|bug/);
        expect(code).toBe(0);
        expect(stdout === '').toBe(SILENT[line] !== undefined);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});

/** All commands of these groups, as words, by what the help of each group lists. */
async function leavesOf(groups: readonly string[]): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (const group of groups) {
    const { stdout } = await bip(group, '--help');
    const list = stdout.slice(stdout.indexOf('Commands:'));
    const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
    found.push(...names.filter((name) => name !== 'help').map((name) => [group, name]));
  }
  return found.filter((words) => !ENDLESS.has(words.join(' ')));
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A failure anywhere in a pipe counts. */
async function shell(folder: string, line: string): Promise<Ended> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
    cwd: folder,
    env: {
      PATH: `${join(dist, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      // Examples leave to the reader which tracker, node, torrent, link and item are meant.
      tracker: tracker?.udpUrl,
      webTracker: tracker?.httpUrl,
      ...dht?.named,
      ...seed?.named,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (bytes: Buffer) => {
      output[name] += bytes.toString();
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, ...output };
}
