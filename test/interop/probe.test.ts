/** `bip handshake probe` against running clients: whom it names, and what it finds out about them. */

import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Bip, bipJson } from './bip.ts';
import { singleFile } from './content.ts';
import { freePort } from './free-port.ts';
import { at, numberAt, parseJson, textAt, textsAt } from './json.ts';
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

const READY_MS = 20_000;
const DONE_MS = 30_000;
/** libtorrent speaks of others once a minute. */
const PEX_MS = 100_000;

interface Expected {
  readonly client: RegExp;
  readonly version: RegExp;
  readonly extensions: readonly string[];
  readonly messages: readonly string[];
  /** What follows a hidden handshake: of one that lets everybody in, and of one that requires encryption. */
  readonly hidden: { readonly enabled: readonly string[]; readonly forced: readonly string[] };
}

/** A transport over which the peer shook hands. */
const TAKEN = { connected: true, connectMs: expect.any(Number), accepted: true } as const;
const EITHER = ['rc4', 'plaintext'];
const RC4 = ['rc4'];

const EXPECTED: Readonly<Record<KitClient, Expected>> = {
  libtorrent: {
    client: /^libtorrent 2\.\d+\.\d+$/,
    // The script that starts it gives it a name of its own.
    version: /^\S+\/2\.0/,
    extensions: ['extended', 'dht', 'fast'],
    messages: ['ut_metadata', 'ut_pex', 'ut_holepunch', 'lt_donthave'],
    hidden: { enabled: EITHER, forced: EITHER },
  },
  qbittorrent: {
    client: /^qBittorrent \d+\.\d+\.\d+$/,
    version: /^qBittorrent\/\d/,
    extensions: ['extended', 'fast'],
    messages: ['ut_metadata', 'ut_pex'],
    hidden: { enabled: RC4, forced: RC4 },
  },
  transmission: {
    client: /^Transmission [34]\.\d+/,
    version: /^Transmission [34]\./,
    extensions: ['extended', 'fast'],
    messages: ['ut_metadata', 'ut_pex'],
    hidden: { enabled: RC4, forced: RC4 },
  },
  aria2: {
    client: /^aria2 1\.\d+\.\d+$/,
    version: /^aria2\/1\./,
    extensions: ['extended', 'fast'],
    messages: ['ut_metadata', 'ut_pex'],
    hidden: { enabled: EITHER, forced: RC4 },
  },
  rtorrent: {
    client: /^rTorrent \(libTorrent\) 0\.\d+\.\d+$/,
    version: /^libTorrent 0\./,
    extensions: ['extended'],
    messages: ['ut_metadata', 'ut_pex'],
    hidden: { enabled: EITHER, forced: RC4 },
  },
};
const CLIENTS: readonly KitClient[] = [
  'libtorrent',
  'qbittorrent',
  'transmission',
  'aria2',
  'rtorrent',
];

async function start(
  swarm: Swarm,
  client: KitClient,
  encryption: KitPeerOptions['encryption'],
): Promise<KitPeer> {
  const { path: torrent } = swarm.torrent;
  const state = swarm.to('state');
  return KitPeer.start({ client, mode: 'seed', torrent, dir: swarm.source, state, encryption });
}

/** What is found out once these ways are accepted: some listen before they are ready to serve. */
async function probe(
  swarm: Swarm,
  address: string,
  ways: readonly string[],
  over: 'tcp' | 'utp' = 'tcp',
): Promise<unknown> {
  const where = [address, '--transport', over, '--info-hash', swarm.torrent.path];
  const args = ['handshake', 'probe', ...where];
  const ask = (): Promise<unknown> =>
    bipJson(args, DONE_MS).then(
      ([line]) => line,
      () => undefined,
    );
  let found: unknown;
  await until(
    async () => {
      found = await ask();
      return accepted(found, over).join(' ') === ways.join(' ');
    },
    { deadlineMs: DONE_MS, what: `${address} to accept ${ways.join(', ')} and no more` },
  );
  return found;
}

/** The encryption of the ways over a transport that were accepted. */
function accepted(line: unknown, over = 'tcp'): readonly string[] {
  const attempts = at(line, 'attempts');
  if (!Array.isArray(attempts)) return [];
  return attempts
    .filter((attempt) => at(attempt, 'accepted') === true && at(attempt, 'transport') === over)
    .map((attempt) => textAt(attempt, 'encryption'));
}

describe.skipIf(!KIT_IS_THERE)(`with the kit${KIT_NOTE}`, () => {
  for (const client of CLIENTS) {
    describeWith(['libtorrent', client], client, () => {
      test('is named, and what it can do and has is found out', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await start(swarm, client, 'enabled');
        const expected = EXPECTED[client];
        const found = await probe(swarm, peer.address, ['none', ...expected.hidden.enabled]);
        const { pieceCount, infoHash } = swarm.torrent;
        expect(textAt(found, 'client')).toMatch(expected.client);
        expect(textAt(found, 'extended', 'version')).toMatch(expected.version);
        expect(textsAt(found, 'extensions')).toEqual(
          expect.arrayContaining([...expected.extensions]),
        );
        for (const name of expected.messages) {
          expect(numberAt(found, 'extended', 'messages', name)).toBeGreaterThan(0);
        }
        expect(found).toMatchObject({
          address: peer.address,
          family: 4,
          transport: 'tcp',
          encryption: 'none',
          infoHash,
          pieces: { have: pieceCount, total: pieceCount, share: 1 },
          extended: { metadataSize: expect.any(Number) },
        });
        expect(found).not.toHaveProperty('fault');
        expect(found).not.toHaveProperty('otherClient');
      });

      test('that lets nobody in without encryption is found out by RC4', async () => {
        await using swarm = await openSwarm(singleFile());
        await using peer = await start(swarm, client, 'forced');
        const found = await probe(swarm, peer.address, EXPECTED[client].hidden.forced);
        expect(textAt(found, 'client')).toMatch(EXPECTED[client].client);
        expect(found).toMatchObject({ encryption: 'rc4', pieces: { share: 1 } });
      });
    });
  }
});

describeWith(['libtorrent'], 'bip itself', () => {
  test.for(['prefer', 'require', 'off'])('seeding with --encryption %s', async (mode) => {
    await using swarm = await openSwarm(singleFile());
    const port = String(await freePort());
    const where = ['--content', swarm.source, '--port', port, '--encryption', mode];
    await using bip = new Bip(['seed', swarm.torrent.path, ...where]);
    await bip.child.until(() => bip.ofType('seeding').length > 0, {
      deadlineMs: READY_MS,
      what: 'bip seed to serve',
    });
    const ways = { prefer: ['none', 'rc4', 'plaintext'], require: ['rc4'], off: ['none'] }[mode];
    const found = await probe(swarm, `127.0.0.1:${port}`, ways ?? []);
    expect(found).toMatchObject({
      client: 'bip 0.1.0',
      extensions: ['extended', 'fast'],
      extended: { version: 'bip 0.1.0', port: Number(port), yourIp: '127.0.0.1' },
      pieces: { source: 'have-all', share: 1 },
      closedByPeer: false,
    });
  });

  test('several at once, one of them not there', async () => {
    await using swarm = await openSwarm(singleFile());
    await using seeder = await swarm.seed('libtorrent');
    const nobody = `127.0.0.1:${await freePort()}`;
    const args = ['probe', seeder.address, nobody, '--info-hash', swarm.torrent.infoHash];
    await using bip = new Bip(['handshake', ...args]);
    const { code } = await bip.child.ended(DONE_MS);
    expect(code).toBe(1);
    const lines = bip.child.lines.map(parseJson);
    expect(textAt(lines[0], 'client')).toMatch(/^libtorrent /);
    expect(lines[1]).toMatchObject({ address: nobody, error: { code: 'BIP_REFUSED' } });
  });

  test('libtorrent over uTP alone: all that is asked over TCP', async () => {
    await using swarm = await openSwarm(singleFile());
    const seeder = await swarm.seed('libtorrent', { utpOnly: true });
    const found = await probe(swarm, seeder.address, ['none', ...EITHER], 'utp');
    const { pieceCount, infoHash } = swarm.torrent;
    expect(found).toMatchObject({
      ...{ address: seeder.address, transport: 'utp', encryption: 'none', infoHash },
      client: expect.stringMatching(EXPECTED.libtorrent.client),
      pieces: { have: pieceCount, total: pieceCount, share: 1 },
      transports: { utp: TAKEN },
    });
    expect(found).not.toHaveProperty('fault');
  });

  test('libtorrent by both transports, and by one of two', async () => {
    await using swarm = await openSwarm(singleFile());
    const [both, one] = await Promise.all([
      swarm.seed('libtorrent', { utp: true }),
      swarm.seed('libtorrent', { utpOnly: true }),
    ]);
    const words = ['handshake', 'probe', both.address, one.address, '--encryption', 'off'];
    const found = await bipJson([...words, '--info-hash', swarm.torrent.path], DONE_MS);
    expect(found).toMatchObject([
      { transport: 'tcp', transports: { tcp: TAKEN, utp: TAKEN } },
      // It listens all the same, and hangs up.
      { transport: 'utp', transports: { tcp: { connected: true, accepted: false }, utp: TAKEN } },
    ]);
  });

  test('the peers that libtorrent names, when it is waited for', async () => {
    await using swarm = await openSwarm(singleFile());
    const seeder = await swarm.seed('libtorrent', { uploadLimit: 20_000 });
    const out = swarm.to('out');
    await mkdir(out);
    const leecher = await swarm.leech('libtorrent', out, { peers: [seeder.address] });
    await leecher.child.until(async () => (await leecher.counters()).downloaded > 0, {
      deadlineMs: READY_MS,
      what: 'the leecher to know the seeder',
    });
    const args = ['handshake', 'probe', leecher.address, '--wait', '80s', '--encryption', 'off'];
    const [found] = await bipJson([...args, '--info-hash', swarm.torrent.path], PEX_MS);
    expect(at(found, 'pex')).toEqual([
      { address: seeder.address, flags: expect.arrayContaining(['seed']) },
    ]);
  });
});
