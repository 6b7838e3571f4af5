/** `bip tracker serve --state`: swarms over restarts, and what is told of their file. */

import { describe, expect, test } from 'vitest';
import { infoHashOf } from '../tracker/server/service-world.ts';
import { eventsOf, playServe, type ServeScene } from './serve-world.ts';

const STATE = ['--state', '/swarms'];
const SAVED = { type: 'saved', path: '/swarms', swarms: 1, peers: 2 };

/** A leecher and a seed that has just become one. */
async function visit(scene: ServeScene): Promise<void> {
  await scene.client().announce('udp4', { event: 'started' });
  await scene.client().announce('http4', { event: 'completed', left: 0 });
}

function read(scene: ServeScene): Promise<Uint8Array> {
  return scene.host.runtime.files.readFile('/swarms', { maxBytes: 1_000_000 });
}

describe('restarts', () => {
  test('what was saved at the end is there at the next start', () =>
    playServe(async (scene) => {
      const first = await scene.serve(STATE);
      await visit(scene);
      const before = await first.stop('SIGTERM');
      expect(before).toMatchObject({
        code: 143,
        stderr: 'saved 2 peers of 1 torrent to /swarms\n',
      });
      await scene.pass(60);
      const second = await scene.serve(STATE);
      const [file] = await scene.client().scrape('udp4', infoHashOf(1));
      expect(file).toMatchObject({ seeders: 1, leechers: 1, completed: 1 });
      expect((await second.stop()).stderr).toBe(
        'restored 2 peers of 1 torrent\nsaved 2 peers of 1 torrent to /swarms\n',
      );
    }));

  test('with --json: what was restored stands in the first line, what was saved before the last', () =>
    playServe(async (scene) => {
      const argv = [...STATE, '--json', '--save-every', '30s'];
      const first = await scene.serve(argv);
      expect(eventsOf(first)[0]).toMatchObject({ restored: { swarms: 0, peers: 0 } });
      await visit(scene);
      await scene.pass(70);
      const told = eventsOf(await first.stop());
      expect(told.slice(1).map(({ type }) => type)).toEqual([
        'saved',
        'numbers',
        'saved',
        'saved',
        'end',
      ]);
      expect(told.filter(({ type }) => type === 'saved')).toEqual([SAVED, SAVED, SAVED]);
      const second = await scene.serve(argv);
      expect(eventsOf(second)[0]).toMatchObject({ restored: { swarms: 1, peers: 2 } });
      await second.stop();
    }));

  test('by default it is written every five minutes, which is told with --verbose', () =>
    playServe(async (scene) => {
      const serving = await scene.serve([...STATE, '--verbose']);
      await visit(scene);
      await scene.pass(295);
      expect(await read(scene).catch(() => 'nothing')).toBe('nothing');
      await scene.pass(10);
      const { stderr } = await serving.stop();
      expect(stderr.split('\n').slice(1)).toEqual([
        'saved 2 peers of 1 torrent to /swarms',
        'saved 2 peers of 1 torrent to /swarms',
        '',
      ]);
    }));

  test('without --state there is none', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--json']);
      await visit(scene);
      await scene.pass(600);
      const told = eventsOf(await serving.stop());
      expect(told[0]).not.toHaveProperty('restored');
      expect(told.filter(({ type }) => type === 'saved')).toEqual([]);
      expect(await scene.host.runtime.files.list('/')).toEqual([]);
    }));
});

describe('disks', () => {
  test('a file that is damaged: refused, left as it is, and what helps', () =>
    playServe(async (scene) => {
      const first = await scene.serve(STATE);
      await visit(scene);
      await first.stop();
      const bytes = await read(scene);
      bytes[bytes.length - 20] = 0x55 ^ (bytes[bytes.length - 20] ?? 0);
      await scene.host.runtime.files.writeFile('/swarms', bytes);
      const { code, stdout, stderr } = await scene.start(STATE).ended;
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^error: \/swarms: state of a tracker .*\n$/);
      expect(stderr).toContain(
        'move it away to begin without it, or name another file with --state',
      );
      expect(await read(scene)).toEqual(bytes);
    }));

  test('a place where nothing can be written: refused before anything listens', () =>
    playServe(async (scene) => {
      scene.host.disk.readOnly = true;
      const { code, stdout, stderr } = await scene.start(STATE).ended;
      expect([code, stdout]).toEqual([4, '']);
      expect(stderr).toMatch(/^error: .*\/swarms.*: the file system is read-only\n$/);
    }));

  test('a folder that is not there', () =>
    playServe(async (scene) => {
      const { code, stdout, stderr } = await scene.start(['--state', '/no/swarms']).ended;
      expect([code, stdout]).toEqual([4, '']);
      expect(stderr).toContain('/no/swarms');
    }));

  test.each(['people', 'json'])('a disk that is full for a while (%s)', (reader) =>
    playServe(async (scene) => {
      const argv = [...STATE, '--save-every', '1m', ...(reader === 'json' ? ['--json'] : [])];
      const serving = await scene.serve(argv);
      await visit(scene);
      scene.host.disk.capacity = 0;
      await scene.pass(70);
      scene.host.disk.capacity = Number.POSITIVE_INFINITY;
      const left = await serving.stop();
      expect(left.code).toBe(130);
      const fault = expect.stringContaining('the disk is full');
      if (reader === 'json') {
        const told = eventsOf(left).filter(({ type }) => String(type).startsWith('save'));
        expect(told).toEqual([
          { type: 'save-failed', code: 'BIP_DISK_FULL', message: fault },
          SAVED,
        ]);
      } else {
        const [warning, saved] = left.stderr.split('\n');
        expect(warning).toMatch(/^warning: the state was not saved: .*\/swarms.*the disk is full/);
        expect(saved).toBe('saved 2 peers of 1 torrent to /swarms');
      }
    }),
  );
});
