/** The programs that are measured, each told to download one torrent over TCP and to end. @module */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPT } from '../../interop/peers/libtorrent.ts';
import { PYTHON } from '../../interop/require.ts';

export interface Job {
  readonly torrent: string;
  /** Empty; gets the content. */
  readonly dir: string;
  /** Where the contestant may listen. */
  readonly port: number;
}

export interface Contestant {
  readonly name: string;
  /** Makes it runnable; says what is missing where it cannot. */
  prepare(): string | undefined;
  command(job: Job): readonly string[];
}

const BENCH = join(import.meta.dirname, '..');
const ROOT = join(BENCH, '..', '..');
const PEERS = join(BENCH, 'peers');

export const BIP: string = join(ROOT, 'dist', 'bip.mjs');

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'bip',
    prepare: buildBip,
    command: (job) => bipCommand(job),
  },
  {
    name: 'bip-plain',
    prepare: buildBip,
    command: (job) => bipCommand(job, '--encryption', 'off'),
  },
  {
    name: 'bip-rc4',
    prepare: buildBip,
    command: (job) => bipCommand(job, '--encryption', 'require'),
  },
  {
    name: 'libtorrent',
    prepare: () => install(PYTHON, ['-c', 'import libtorrent'], 'python3-libtorrent'),
    command: ({ torrent, dir, port }) => {
      const libtorrent = [PYTHON, SCRIPT, 'download', torrent, dir];
      return libtorrent.concat('--port', String(port));
    },
  },
  {
    name: 'aria2',
    prepare: () => install('aria2c', ['--version'], 'aria2'),
    command: ({ torrent, dir, port }) => {
      const aria2 = ['aria2c', '--no-conf', '--quiet', '--seed-time=0', `--dir=${dir}`];
      const alone = ['--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false'];
      const on = [`--listen-port=${port}`, '--interface=127.0.0.1', '--disable-ipv6=true'];
      // Preallocation would write everything twice.
      return aria2.concat(alone, on, '--file-allocation=none', torrent);
    },
  },
  {
    name: 'webtorrent',
    prepare: installWebtorrent,
    command: ({ torrent, dir, port }) => {
      const webtorrent = [process.execPath, join(PEERS, 'webtorrent.mjs')];
      return webtorrent.concat(torrent, dir, String(port));
    },
  },
];

function buildBip(): string | undefined {
  return run('npm', ['run', '--silent', 'build'], ROOT);
}

function bipCommand({ torrent, dir, port }: Job, ...flags: readonly string[]): readonly string[] {
  const bip = [process.execPath, BIP, 'download', torrent, '--output', dir];
  return bip.concat('--port', String(port), '--quiet', '--no-dht', '--no-lpd', flags);
}

/** The command that installs the program, if asking it anything fails. */
function install(
  program: string,
  args: readonly string[],
  packageName: string,
): string | undefined {
  const missing = run(program, args, ROOT) !== undefined;
  return missing ? `apt-get install -y ${packageName}` : undefined;
}

/** Its install scripts compile or fetch native parts that TCP does not need. */
function installWebtorrent(): string | undefined {
  if (existsSync(join(PEERS, 'node_modules', 'webtorrent'))) return undefined;
  return run('npm', ['install', '--ignore-scripts', '--no-package-lock', '--silent'], PEERS);
}

/** What went wrong, if anything did. */
function run(program: string, args: readonly string[], cwd: string): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) return undefined;
  return `${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`;
}
