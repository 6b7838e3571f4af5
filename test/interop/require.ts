/** Which programs a suite needs, and what happens where they are missing. @module */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect } from 'vitest';
import { npmPeers } from '../../scripts/npm-peers.ts';

/** The interpreter that Debian's python3-libtorrent belongs to. */
export const PYTHON = '/usr/bin/python3';

interface Program {
  readonly packageName: string;
  isInstalled(): boolean;
}

export type ProgramName =
  | 'libtorrent'
  | 'transmission'
  | 'transmission-cli'
  | 'aria2'
  | 'opentracker'
  | 'mktorrent'
  | 'qbittorrent'
  | 'rtorrent'
  | 'redis'
  | 'dante'
  | 'microsocks'
  | 'tinyproxy'
  | 'iproute2'
  | 'bittorrent-tracker';

const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  libtorrent: { packageName: 'python3-libtorrent', isInstalled: pythonHasLibtorrent },
  transmission: { packageName: 'transmission-daemon', isInstalled: onPath('transmission-daemon') },
  'transmission-cli': { packageName: 'transmission-cli', isInstalled: onPath('transmission-show') },
  aria2: { packageName: 'aria2', isInstalled: onPath('aria2c') },
  opentracker: { packageName: 'opentracker', isInstalled: onPath('opentracker') },
  mktorrent: { packageName: 'mktorrent', isInstalled: onPath('mktorrent') },
  qbittorrent: { packageName: 'qbittorrent-nox', isInstalled: onPath('qbittorrent-nox') },
  rtorrent: { packageName: 'rtorrent', isInstalled: onPath('rtorrent') },
  iproute2: { packageName: 'iproute2', isInstalled: onPath('ip') },
  redis: { packageName: 'redis-server', isInstalled: onPath('redis-server') },
  // Debian keeps it where only root looks.
  dante: { packageName: 'dante-server', isInstalled: () => existsSync('/usr/sbin/danted') },
  microsocks: { packageName: 'microsocks', isInstalled: onPath('microsocks') },
  tinyproxy: { packageName: 'tinyproxy-bin', isInstalled: onPath('tinyproxy') },
  // Comes from a registry, by npm.
  'bittorrent-tracker': { packageName: 'npm', isInstalled: () => npmPeers() !== undefined },
};

/**
 * `describe` for tests that need real programs. Where one is missing the suite is skipped, with
 * the command that installs it in its name; under CI it fails instead, so that a green run never
 * means "looked at nothing".
 */
export function describeWith(
  programs: readonly ProgramName[],
  name: string,
  body: () => void,
): void {
  const missing = programs.filter((program) => !PROGRAMS[program].isInstalled());
  const packages = missing.map((program) => PROGRAMS[program].packageName).join(' ');
  const advice = missing.length === 0 ? '' : ` (needs: apt-get install -y ${packages})`;
  describe.skipIf(missing.length > 0 && process.env['CI'] !== 'true')(`${name}${advice}`, () => {
    // Every test fails by itself, so that the count of failures is true.
    beforeEach(() => {
      if (missing.length > 0) expect.fail(`missing under CI: apt-get install -y ${packages}`);
    });
    body();
  });
}

function onPath(program: string): () => boolean {
  return () =>
    (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${program}`));
}

function pythonHasLibtorrent(): boolean {
  return spawnSync(PYTHON, ['-c', 'import libtorrent']).status === 0;
}
