/** The programs that make and verify torrents. @module */

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Version } from '../../../src/metainfo/index.ts';
import { SCRIPT } from '../../interop/peers/libtorrent.ts';
import { PYTHON } from '../../interop/require.ts';
import { BIP } from '../download/contestants.ts';
import type { Tree } from './content.ts';

export interface Job {
  readonly tree: Tree;
  readonly format: Version;
  /** Bytes. */
  readonly pieceLength: number;
  /** What is written or read. */
  readonly torrent: string;
}

export interface Contestant {
  readonly name: string;
  readonly formats: readonly Version[];
  command(job: Job): readonly string[];
}

const ALL: readonly Version[] = ['v1', 'v2', 'hybrid'];

export const MAKERS: readonly Contestant[] = [
  {
    name: 'bip',
    formats: ALL,
    command: ({ tree, format, pieceLength, torrent }) => {
      const bip = [process.execPath, BIP, '--quiet', 'metainfo', 'create', tree.content];
      const how = [`--${format}`, '--piece-length', String(pieceLength), '--force'];
      return bip.concat(how, '--no-config', '--output', torrent);
    },
  },
  {
    name: 'mktorrent',
    formats: ['v1'],
    command: ({ tree, pieceLength, torrent }) => {
      const pieces = ['-l', String(Math.log2(pieceLength)), '-t', String(cpus().length)];
      return ['mktorrent', ...pieces, '-a', 'http://127.0.0.1/', '-o', torrent, tree.content];
    },
  },
  {
    name: 'transmission-create',
    formats: ['v1'],
    command: ({ tree, pieceLength, torrent }) => {
      const pieces = ['-s', String(pieceLength / 1024)];
      return ['transmission-create', ...pieces, '-o', torrent, tree.content];
    },
  },
  {
    name: 'libtorrent',
    formats: ALL,
    command: ({ tree, format, pieceLength, torrent }) => {
      const how = ['--format', format, '--piece-length', String(pieceLength)];
      return [PYTHON, SCRIPT, 'create', tree.content, torrent, ...how];
    },
  },
];

export const VERIFIERS: readonly Contestant[] = [
  {
    name: 'bip',
    formats: ALL,
    command: ({ tree, torrent }) => {
      const bip = [process.execPath, BIP, '--quiet', 'metainfo', 'verify', torrent];
      return bip.concat('--content', tree.folder);
    },
  },
  {
    name: 'libtorrent',
    formats: ALL,
    command: ({ tree, torrent }) => [PYTHON, SCRIPT, 'verify', torrent, tree.folder],
  },
];

/** The bundle, anew. */
export function buildBip(): void {
  const cwd = join(import.meta.dirname, '..', '..', '..');
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`bip was not built\n${stderr}`);
}
