/** The lists of `bip tracker serve`, and reading them again. */

import { describe, expect, test } from 'vitest';
import { type Client, infoHashOf } from '../tracker/server/service-world.ts';
import { eventsOf, playServe, type ServeScene, type Serving } from './serve-world.ts';

const FIRST = infoHashOf(1);
const SECOND = infoHashOf(2);
const ALICE = 'a'.repeat(20);
const BOB = 'b'.repeat(20);

/** What a client is told: nothing when it is served. */
async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Told since SIGHUP, once the lists were read or were not. */
async function reread(scene: ServeScene, serving: Serving): Promise<readonly unknown[]> {
  const before = eventsOf(serving).length;
  serving.hangUp();
  await scene.pass(1);
  return eventsOf(serving).slice(before);
}

/** Counts that a scrape tells, as seeders and leechers. */
async function counted(client: Client, infoHash = FIRST): Promise<unknown> {
  const [file] = await client.scrape('udp4', infoHash);
  return [file?.seeders, file?.leechers];
}

describe('SIGHUP', () => {
  test('--allow: what is listed now is served, what was listed before is forgotten', () =>
    playServe(async (scene) => {
      const files = { '/allow': `${FIRST.hex}\n` };
      const serving = await scene.serve(['--allow', '/allow', '--json'], { files });
      const client = scene.client();
      await client.announce('udp4');
      expect(await refusalOf(client.announce('http4', { infoHash: SECOND }))).toMatch(
        /this torrent is not served/,
      );
      await scene.write('/allow', `# the second one\n${SECOND.hex}\n`);
      expect(await reread(scene, serving)).toEqual([{ type: 'reloaded' }]);
      await client.announce('http4', { infoHash: SECOND });
      expect(await refusalOf(client.announce('udp4'))).toMatch(/this torrent is not served/);
      await scene.write('/allow', `${FIRST.hex}\n${SECOND.hex}\n`);
      await reread(scene, serving);
      expect(await counted(client)).toEqual([0, 0]);
      expect(await counted(client, SECOND)).toEqual([0, 1]);
      expect((await serving.stop()).code).toBe(130);
    }));

  test('--deny: torrents and networks', () =>
    playServe(async (scene) => {
      const files = { '/deny': '' };
      const serving = await scene.serve(['--deny', '/deny', '--json'], { files });
      const [first, second] = [scene.client(), scene.client()];
      for (const client of [first, second]) await client.announce('udp4');
      await scene.write('/deny', `203.0.113.1/32\n${SECOND.hex}`);
      expect(await reread(scene, serving)).toEqual([{ type: 'reloaded' }]);
      expect(await refusalOf(first.announce('http4'))).toMatch(/your address is not served/);
      expect(await refusalOf(second.announce('http4'))).toBeUndefined();
      expect(await refusalOf(second.announce('http4', { infoHash: SECOND }))).toMatch(
        /this torrent is not served/,
      );
      await serving.stop();
    }));

  test('--passkeys: who comes and who goes', () =>
    playServe(async (scene) => {
      const files = { '/passkeys': `${ALICE} alice` };
      const serving = await scene.serve(['--passkeys', '/passkeys', '--json'], { files });
      const client = scene.client();
      const announce = (over: 'udp4' | 'http4', passkey: string): Promise<unknown> =>
        refusalOf(client.announce(over, {}, `/${passkey}/announce`));
      const all = (): Promise<unknown> =>
        Promise.all([announce('udp4', ALICE), announce('http4', BOB), announce('udp4', BOB)]);
      const refused = expect.stringMatching(
        /the passkey in the announce URL is missing or unknown/,
      );
      expect(await all()).toEqual([undefined, refused, refused]);
      await scene.write('/passkeys', `${BOB} bob`);
      expect(await reread(scene, serving)).toEqual([{ type: 'reloaded' }]);
      expect(await all()).toEqual([refused, undefined, undefined]);
      await serving.stop();
    }));

  test.each([
    ['makes no sense', `${SECOND.hex}\nwhat?\n`, 'BIP_PROTOCOL', '/deny: line 2, "what?"'],
    ['is gone', undefined, 'BIP_NOT_FOUND', '/deny: there is no such file'],
  ])('a list that %s: all stay as they were', (_, text, code, message) =>
    playServe(async (scene) => {
      const files = { '/allow': `${FIRST.hex}\n${SECOND.hex}\n`, '/deny': '' };
      const lists = ['--allow', '/allow', '--deny', '/deny'];
      const serving = await scene.serve([...lists, '--json'], { files });
      await scene.write('/allow', '');
      if (text === undefined) await scene.host.runtime.files.remove('/deny');
      else await scene.write('/deny', text);
      expect(await reread(scene, serving)).toEqual([
        { type: 'reload-failed', code, message: expect.stringContaining(message) },
      ]);
      const client = scene.client();
      for (const infoHash of [FIRST, SECOND]) await client.announce('http4', { infoHash });
      await scene.write('/deny', '');
      expect(await reread(scene, serving)).toEqual([{ type: 'reloaded' }]);
      expect(await refusalOf(client.announce('http4'))).toMatch(/this torrent is not served/);
      await serving.stop();
    }),
  );

  test('people are told on stderr', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--deny', '/deny'], { files: { '/deny': '' } });
      serving.hangUp();
      await scene.pass(1);
      await scene.write('/deny', 'what?');
      serving.hangUp();
      await scene.pass(1);
      expect((await serving.stop()).stderr).toBe(
        'the lists were read again\n' +
          'warning: the lists stay as they were: /deny: line 1, "what?", is not an infohash, an address or a network\n',
      );
    }));

  test('who asks while they are being read is served by one more reading', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--allow', '/allow', '--json'], {
        files: { '/allow': '' },
      });
      scene.host.disk.latencyMs = 1000;
      for (let times = 0; times < 6; times++) serving.hangUp();
      scene.host.disk.latencyMs = 0;
      await scene.write('/allow', FIRST.hex);
      await scene.pass(30);
      expect(eventsOf(serving).slice(1)).toEqual([{ type: 'reloaded' }, { type: 'reloaded' }]);
      expect(await refusalOf(scene.client().announce('http4'))).toBeUndefined();
      await serving.stop();
    }));

  test('while it starts: done as soon as it serves', () =>
    playServe(async (scene) => {
      await scene.write('/allow', '');
      scene.host.disk.latencyMs = 1000;
      const serving = scene.start(['--allow', '/allow', '--json']);
      await scene.pass(0.5);
      expect(serving.stdout).toBe('');
      serving.hangUp();
      await scene.pass(30);
      scene.host.disk.latencyMs = 0;
      expect(eventsOf(serving).map(({ type }) => type)).toEqual(['listening', 'reloaded']);
      await serving.stop();
    }));

  test('after the end it is nobody’s business', () =>
    playServe(async (scene) => {
      const serving = await scene.serve([]);
      await serving.stop();
      expect(() => serving.hangUp()).toThrow('would end the process');
    }));
});

describe('at the start', () => {
  test.each([
    ['--allow', '192.0.2.1', 'is not an infohash'],
    ['--deny', '300.1.1.1', 'is not an infohash, an address or a network'],
    ['--passkeys', 'too-short', 'begins with no passkey'],
  ])('%s: a list that makes no sense is refused with its line', (flag, line, fault) =>
    playServe(async (scene) => {
      const { ended } = scene.start([flag, '/list'], { files: { '/list': `\n# one\n${line}\n` } });
      const { code, stdout, stderr } = await ended;
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^error: \/list: line 3\b.*\n$/);
      expect(stderr).toContain(fault);
      if (flag === '--passkeys') expect(stderr).not.toContain(line);
    }),
  );

  test.each(['--allow', '--deny', '--passkeys'])('%s: a list that is not there', (flag) =>
    playServe(async (scene) => {
      const { code, stdout, stderr } = await scene.start([flag, '/list']).ended;
      expect([code, stdout]).toEqual([4, '']);
      expect(stderr).toMatch(/^error: cannot \w+ \/list: there is no such file or directory\n$/);
    }),
  );
});
