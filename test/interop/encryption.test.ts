/** Encrypted connections with clients that nobody here wrote, and those that they refuse. */

import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Bip, bipJson } from './bip.ts';
import { expectContent, singleFile } from './content.ts';
import { expectComplete, expectExit } from './expect-download.ts';
import { freePort } from './free-port.ts';
import {
  KIT_IS_THERE,
  KIT_NOTE,
  type KitClient,
  KitPeer,
  type KitPeerOptions,
} from './peers/kit.ts';
import { describeWith } from './require.ts';
import { openSwarm, type Swarm } from './swarm.ts';
import { until } from './until.ts';

const DONE_MS = 60_000;
const READY_MS = 20_000;

const ALL = ['libtorrent', 'qbittorrent', 'transmission', 'aria2', 'rtorrent'] as const;
/** Those that can be told to speak plain and nothing else. */
const PLAIN_ONLY = ['libtorrent', 'qbittorrent', 'rtorrent'] as const;
/** Those that can be told whom to dial. */
const DIALLING: readonly KitClient[] = ['libtorrent', 'qbittorrent', 'rtorrent'];

type Encryption = KitPeerOptions['encryption'];

async function seeder(swarm: Swarm, client: KitClient, encryption: Encryption): Promise<KitPeer> {
  const { path: torrent } = swarm.torrent;
  const state = swarm.to('state');
  const options = { client, torrent, dir: swarm.source, state, encryption };
  const peer = await KitPeer.start({ ...options, mode: 'seed' });
  // It takes calls before it serves, and hangs up on who calls too soon.
  if (client === 'qbittorrent') await serves(peer.address, torrent);
  return peer;
}

/** Waits until somebody shakes hands, in whichever way. */
async function serves(address: string, torrent: string): Promise<void> {
  const where = [address, '--transport', 'tcp', '--info-hash', torrent];
  const answers = (): Promise<boolean> =>
    bipJson(['handshake', 'probe', ...where], READY_MS).then(
      () => true,
      () => false,
    );
  await until(answers, { deadlineMs: READY_MS, what: `${address} to shake hands` });
}

function download(swarm: Swarm, mode: string, ...more: readonly string[]): Bip {
  const where = [
    '--no-dht',
    '--output',
    swarm.to('out'),
    '--bind',
    '127.0.0.1',
    '--host',
    '127.0.0.1',
  ];
  return new Bip(['-v', 'download', swarm.torrent.path, ...where, '--encryption', mode, ...more]);
}

/** `bip seed`, ready to serve, and where. */
async function seed(
  swarm: Swarm,
  mode: string,
  ...more: readonly string[]
): Promise<[Bip, string]> {
  const port = String(await freePort());
  const where = ['--no-dht', '--content', swarm.source, '--port', port, '--host', '127.0.0.1'];
  const bip = new Bip([
    ...['-v', 'seed', swarm.torrent.path, ...where, '--bind', '127.0.0.1'],
    ...['--encryption', mode, ...more],
  ]);
  await bip.child.until(() => bip.ofType('seeding').length > 0, {
    deadlineMs: READY_MS,
    what: 'bip seed to serve',
  });
  return [bip, `127.0.0.1:${port}`];
}

/** Nothing was received, and the notes say why. */
async function expectRefused(bip: Bip, swarm: Swarm, why: RegExp): Promise<void> {
  const result = await bip.ended(DONE_MS);
  expectExit(result, [6]);
  expect(result.end).toMatchObject({ complete: false, downloaded: 0 });
  expect(result.stderr).toMatch(why);
  expect(result.stderr).not.toContain('connected to');
  expect(swarm.torrent.length).toBeGreaterThan(0);
}

describe.skipIf(!KIT_IS_THERE)(`with the kit${KIT_NOTE}`, () => {
  for (const client of ALL) {
    describeWith([client], client, () => {
      test('gives to bip, RC4 required by both', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await seeder(swarm, client, 'forced');
        await using bip = download(swarm, 'require', '--peer', peer.address);
        await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
        expect(bip.child.stderr).toMatch(/connected to \S+ \S+, encrypted with RC4/);
      });

      test('takes from bip, RC4 required by both', async () => {
        await using swarm = await openSwarm(singleFile());
        const dir = swarm.to('out');
        await mkdir(dir);
        const calls = DIALLING.includes(client);
        const leecher = (peers: readonly string[]): Promise<KitPeer> =>
          KitPeer.start({
            ...{ client, mode: 'download', torrent: swarm.torrent.path, dir, peers },
            ...{ state: swarm.to('state'), encryption: 'forced' },
          });
        await using first = calls ? undefined : await leecher([]);
        const more = first === undefined ? [] : ['--peer', first.address];
        const [bip, address] = await seed(swarm, 'require', ...more);
        await using _ = bip;
        await using second = calls ? await leecher([address]) : undefined;
        await (first ?? second)?.completed(DONE_MS);
        await expectContent(dir, swarm.content);
        const said = calls ? /called by \S+ \S+, encrypted/ : /connected to \S+ \S+, encrypted/;
        expect(bip.child.stderr).toMatch(said);
      });

      test('gives to bip when both may do as they like', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await seeder(swarm, client, 'enabled');
        await using bip = download(swarm, 'prefer', '--peer', peer.address);
        await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
        expect(bip.child.stderr).toMatch(/connected to \S+ \S+, (?:encrypted|with an encrypted)/);
        expect(bip.child.stderr).not.toContain('called again');
      });

      test('refuses bip without encryption when it requires that', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await seeder(swarm, client, 'forced');
        await using bip = download(swarm, 'off', '--peer', peer.address, '--timeout', '4s');
        await expectRefused(bip, swarm, /no connection with 127\.0\.0\.21/);
      });
    });
  }

  for (const client of PLAIN_ONLY) {
    describeWith([client], `${client}, plain only`, () => {
      test('gives to bip, which calls again without encryption', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await seeder(swarm, client, 'disabled');
        await using bip = download(swarm, 'prefer', '--peer', peer.address);
        await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
        expect(bip.child.stderr).toMatch(/called again without encryption/);
        expect(bip.child.stderr).toMatch(/connected to \S+ \S+\n/);
      });

      test('is refused by bip where RC4 is required', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await seeder(swarm, client, 'disabled');
        await using bip = download(swarm, 'require', '--peer', peer.address, '--timeout', '4s');
        await expectRefused(bip, swarm, /no connection with 127\.0\.0\.21\S+ .*its key/);
      });
    });
  }

  describeWith(['libtorrent'], 'a plain leecher', () => {
    test('is refused by a seed that requires RC4, and the notes say so', async () => {
      await using swarm = await openSwarm(singleFile());
      const [bip, address] = await seed(swarm, 'require');
      await using _ = bip;
      const dir = swarm.to('out');
      await mkdir(dir);
      await using leecher = await KitPeer.start({
        ...{ client: 'libtorrent', mode: 'download', torrent: swarm.torrent.path, dir },
        ...{ state: swarm.to('state'), encryption: 'disabled', peers: [address] },
      });
      await bip.child.until(
        () => /a call from \S+ failed: the peer does not encrypt/.test(bip.child.stderr),
        { deadlineMs: READY_MS, what: 'bip to turn the plain peer away' },
      );
      expect(leecher.child.exit).toBeUndefined();
      expect(bip.child.stderr).not.toContain('called by');
    });
  });
});
