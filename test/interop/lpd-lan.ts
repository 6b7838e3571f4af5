/**
 * A program for lan.sh: one torrent without a tracker, which its peers find on the local network alone.
 * Prints where the other client was, and what `bip lpd listen` heard, as JSON.
 *
 * `node lpd-lan.ts STORY TORRENT INFOHASH SOURCE OUT STATE`
 *
 * @module
 */

import { Bip } from './bip.ts';
import { parseJson } from './json.ts';
import { startAria2 } from './peers/aria2.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import type { Peer, PeerOptions } from './peers/peer.ts';
import { startTransmission } from './peers/transmission.ts';

const [, , story = '', torrent = '', infoHash = '', source = '', out = '', state = ''] =
  process.argv;
/** Who is there first may be in the minute in which it does not answer. */
const DONE_MS = 80_000;
const HEARD_MS = 20_000;

const LPD = { lpd: true } as const;
const EARS = ['--interface', 'lo', '--interface', 'lan0'];
const BIP_PORT = 7_001;
/** Transmission calls from the first one whatever it is bound to. */
const FOUR = { us: '10.99.0.22', them: '10.99.0.21' } as const;
const SIX = { us: 'fd99::21', them: 'fd99::21' } as const;

const CLIENTS: ReadonlyMap<string, (options: PeerOptions) => Promise<Peer>> = new Map([
  ['libtorrent', (options: PeerOptions) => startLibtorrent(options)],
  ['aria2', startAria2],
  ['transmission', (options: PeerOptions) => startTransmission(options)],
  ['bip', startBip],
]);

const [direction, name = '', family] = story.split(' ');
const hosts = family === '6' ? SIX : FOUR;
const start = CLIENTS.get(name);
if (start === undefined) throw new Error(`there is no ${name}`);

await using ear = await listen();
const how = { torrent, state, host: hosts.them, lpd: true };
if (direction === 'from') {
  await using them = await start({ ...how, mode: 'seed', dir: source });
  await using us = new Bip(['download', torrent, '--output', out, ...onLan(hosts.us)], LPD);
  const { exit } = await us.ended(DONE_MS);
  if (exit.code !== 0) throw new Error(us.child.log);
  await report(them);
} else {
  await using us = new Bip(['seed', torrent, '--content', source, ...onLan(hosts.us)], LPD);
  await us.child.until(() => us.ofType('seeding').length > 0, {
    deadlineMs: DONE_MS,
    what: 'bip to seed',
  });
  await using them = await start({ ...how, mode: 'download', dir: out });
  await them.completed(DONE_MS);
  await report(them);
}

/** What was heard may come a moment later than the last byte. */
async function report(them: Peer): Promise<void> {
  const heardOf = (what: string): boolean => ear.child.lines.some((line) => line.includes(what));
  await ear.child.until(() => heardOf(`"${them.address}"`) && heardOf('"bip-'), {
    deadlineMs: HEARD_MS,
    what: 'bip to hear both',
  });
  const heard = ear.child.lines.map(parseJson);
  process.stdout.write(`${JSON.stringify({ them: them.address, heard })}\n`);
}

/** Hears what is said of the torrent. */
async function listen(): Promise<Bip> {
  const bip = new Bip(['lpd', 'listen', '--info-hash', infoHash, ...EARS, '--verbose']);
  await bip.child.until(() => bip.child.stderr.includes('listening on'), {
    deadlineMs: DONE_MS,
    what: 'bip to listen',
  });
  return bip;
}

/** Another bip. */
async function startBip({ mode, dir, host = '127.0.0.1' }: PeerOptions): Promise<Peer> {
  const place = mode === 'seed' ? ['--content', dir] : ['--output', dir];
  const bip = new Bip([mode, torrent, ...place, ...onLan(host, BIP_PORT)], LPD);
  return {
    name: 'bip',
    address: host.includes(':') ? `[${host}]:${BIP_PORT}` : `${host}:${BIP_PORT}`,
    child: bip.child,
    counters: () => Promise.reject(new Error('nobody asks')),
    completed: async (deadlineMs) => {
      const { exit } = await bip.ended(deadlineMs);
      if (exit.code !== 0) throw new Error(bip.child.log);
    },
    [Symbol.asyncDispose]: () => bip[Symbol.asyncDispose](),
  };
}

function onLan(host: string, port = 0): readonly string[] {
  return ['--host', host, '--bind', host, '--port', String(port), '--no-dht'];
}
