/** `bip tracker serve` as a process: threads, signals, streams and files of the real system. */

import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { watch, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { type AnnounceResponse, announce, scrape } from '../../src/tracker/index.ts';
import { createAnswer } from '../../src/tracker/server/model.ts';
import { encodeSnapshot } from '../../src/tracker/server/store/index.ts';
import {
  decodeResponse,
  encodeAnnounce,
  encodeConnect,
  type UdpResponse,
} from '../../src/tracker/udp/codec.ts';
import { announceOf, createStore, hashOf } from '../tracker/server/store/naive.ts';
import { Bip } from './bip.ts';
import { isRecord, numberAt, parseJson, textAt } from './json.ts';
import { BipTracker, type Transport } from './peers/bip-tracker.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { until } from './until.ts';

const DEADLINE_MS = 20_000;
const SEND_AGAIN_MS = 200;
const { signal: NEVER } = new AbortController();
const HASH = new InfoHash(new Uint8Array(20).fill(0x42));
const REQUEST = {
  infoHash: HASH,
  peerId: new PeerId(new Uint8Array(20).fill(0x70)),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1,
};

/** Announces from a connection or a socket of its own. */
async function join(
  tracker: BipTracker,
  by: Transport,
  port: number = REQUEST.port,
): Promise<AnnounceResponse> {
  await using runtime = nodeRuntime();
  const options = { signal: NEVER, trusted: true, timeoutMs: DEADLINE_MS };
  return await announce(runtime, tracker.url(by), { ...REQUEST, port }, options);
}

async function leechersBy(tracker: BipTracker, by: Transport): Promise<number> {
  await using runtime = nodeRuntime();
  const options = { signal: NEVER, trusted: true, timeoutMs: DEADLINE_MS };
  const { files } = await scrape(runtime, tracker.url(by), [HASH], options);
  return files[0]?.leechers ?? 0;
}

/** Sends `packet` from a port of its own until there is an answer. */
async function askUdp(port: number, packet: Uint8Array): Promise<UdpResponse> {
  const socket = createSocket('udp4');
  let answer: UdpResponse | undefined;
  socket.on('message', (bytes) => {
    answer = decodeResponse(bytes, 4);
  });
  const send = (): void => socket.send(packet, port, '127.0.0.1');
  const timer = setInterval(send, SEND_AGAIN_MS);
  try {
    send();
    return await until(() => answer, { deadlineMs: DEADLINE_MS, what: 'an answer over UDP' });
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

/** UDP sockets of this machine that are bound to `port`; `undefined` where the system does not tell. */
function socketsAt(port: number): number | undefined {
  if (!existsSync('/proc/net/udp')) return undefined;
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const locals = readFileSync('/proc/net/udp', 'latin1').split('\n').slice(1);
  return locals.filter((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix)).length;
}

/** Ends the tracker by a signal, and sees that all it wrote is whole. */
async function endBy(
  tracker: BipTracker,
  signal: NodeJS.Signals,
): Promise<{ readonly code: number | undefined; readonly last: unknown; readonly stderr: string }> {
  tracker.child.kill(signal);
  const { code } = await tracker.child.ended(DEADLINE_MS);
  expect(tracker.child.stdout.endsWith('\n')).toBe(true);
  const last = parseJson(tracker.child.lines.at(-1) ?? '');
  return { code, last, stderr: tracker.child.stderr };
}

function restoredBy(tracker: BipTracker): number {
  return numberAt(tracker.told('listening')[0], 'restored', 'peers');
}

describe('three threads', () => {
  test('are one tracker over UDP and HTTP', async () => {
    await using tracker = await BipTracker.start(['--workers', '3', '--stats', '0'], {
      isQuiet: true,
    });
    expect(socketsAt(tracker.port) ?? 3).toBe(3);
    const ways: readonly Transport[] = Array.from({ length: 24 }, (_, at) =>
      at % 2 === 0 ? 'udp' : 'http',
    );
    await Promise.all(ways.map((by, at) => join(tracker, by, 1000 + at)));
    const counted = await Promise.all(ways.map((by) => leechersBy(tracker, by)));
    expect(new Set(counted)).toEqual(new Set([ways.length]));
    const { peers } = await join(tracker, 'http', 999);
    expect(new Set(peers.map(({ port }) => port))).toEqual(new Set(ways.map((_, at) => 1000 + at)));
    const stats = await fetch(new URL('stats', textAt(tracker.told('listening')[0], 'stats')));
    const document = parseJson(await stats.text());
    expect(document).toMatchObject({ workers: 3, leechers: 25, swarms: 1 });
    expect(numberAt(document, 'announces')).toBeGreaterThanOrEqual(25);
  });

  test('know the connection ids that the others gave', async () => {
    await using tracker = await BipTracker.start(['--workers', '3'], { isQuiet: true });
    const given = await askUdp(tracker.port, encodeConnect(7));
    const connection = given.action === 'connect' ? given.connection : 0n;
    const packet = encodeAnnounce({ connection, transaction: 8 }, REQUEST, '');
    // All of them from ports that one thread of three serves: once in a hundred million millions.
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => askUdp(tracker.port, packet)),
    );
    expect(answers.filter(({ action }) => action !== 'announce')).toEqual([]);
  });

  test('read the lists again together on SIGHUP', async () => {
    await using scratch = await openScratch();
    const deny = scratch.to('deny');
    await writeFile(deny, '');
    await using tracker = await BipTracker.start(['--workers', '3', '--deny', deny]);
    const refused = async (): Promise<number> => {
      const ways: readonly Transport[] = ['udp', 'http'];
      const all = Array.from({ length: 20 }, (_, at) => ways[at % 2] ?? 'udp');
      const asked = await Promise.allSettled(all.map((by) => join(tracker, by)));
      return asked.filter(({ status }) => status === 'rejected').length;
    };
    expect(await refused()).toBe(0);
    await writeFile(deny, `${HASH.hex}\n`);
    tracker.child.kill('SIGHUP');
    await told(tracker, 'reloaded', 1);
    await until(async () => (await refused()) === 20, {
      deadlineMs: DEADLINE_MS,
      what: 'all threads to know the list',
    });
    await writeFile(deny, 'what?\n');
    tracker.child.kill('SIGHUP');
    await told(tracker, 'reload-failed', 1);
    expect(tracker.told('reload-failed')[0]).toMatchObject({ code: 'BIP_PROTOCOL' });
    expect(await refused()).toBe(20);
    await writeFile(deny, '');
    tracker.child.kill('SIGHUP');
    await told(tracker, 'reloaded', 2);
    await until(async () => (await refused()) === 0, {
      deadlineMs: DEADLINE_MS,
      what: 'all threads to know that the list is empty',
    });
    expect(tracker.child.stderr).toBe('');
  });
});

async function told(tracker: BipTracker, type: string, times: number): Promise<void> {
  await tracker.child.until(() => tracker.told(type).length >= times, {
    deadlineMs: DEADLINE_MS,
    what: `${type}, ${times} times`,
  });
}

describe('the end', () => {
  test.each([
    ['SIGINT', 130, '1'],
    ['SIGTERM', 143, '1'],
    ['SIGINT', 130, '3'],
    ['SIGTERM', 143, '3'],
  ] as const)('%s: exit %i, the sum, and the state is saved (%s threads)', async (...how) => {
    const [signal, code, workers] = how;
    await using scratch = await openScratch();
    const flags = ['--workers', workers, '--state', scratch.to('swarms')];
    await using tracker = await BipTracker.start(flags);
    await join(tracker, 'udp', 1);
    await join(tracker, 'http', 2);
    const left = await endBy(tracker, signal);
    expect(left).toMatchObject({
      code,
      stderr: '',
      last: { type: 'end', swarms: 1, leechers: 2, refused: 0 },
    });
    expect(tracker.told('saved')).toEqual([
      { type: 'saved', path: scratch.to('swarms'), swarms: 1, peers: 2 },
    ]);
    await using next = await BipTracker.start(flags, { port: tracker.port });
    expect(restoredBy(next)).toBe(2);
    expect(await leechersBy(next, 'udp')).toBe(2);
  });

  test('a reader that goes away: quietly, with the state saved', async () => {
    await using scratch = await openScratch();
    const state = scratch.to('swarms');
    const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    await using tracker = await BipTracker.start(['--state', state], {
      under: ['bash', '-c', script, 'bash'],
    });
    // What it tells of the first one has no reader any more.
    await tracker.child.until(
      async () => {
        if (tracker.child.exit === undefined) await join(tracker, 'http').catch(() => undefined);
        return tracker.child.lines.length > 1;
      },
      { deadlineMs: DEADLINE_MS, what: 'the end' },
    );
    expect(tracker.child.lines.slice(1)).toEqual(['0']);
    expect(tracker.child.stderr).toBe('');
    await using next = await BipTracker.start(['--state', state]);
    expect(restoredBy(next)).toBe(1);
  });
});

describe('the start', () => {
  /** Waits for the end of a tracker that does not come to listen. */
  async function refusalOf(...flags: string[]): Promise<unknown> {
    await using bip = new Bip(['tracker', 'serve', '--host', '127.0.0.1', ...flags]);
    const { code } = await bip.child.ended(DEADLINE_MS);
    expect(bip.child.stdout).toBe('');
    const line = parseJson(bip.child.stderr);
    return { code, error: isRecord(line) ? line['error'] : line };
  }

  test('a place for the state where nothing can be written', async () => {
    await using scratch = await openScratch();
    await writeFile(scratch.to('file'), '');
    const state = scratch.to('file', 'swarms');
    expect(await refusalOf('--port', '0', '--state', state)).toEqual({
      code: 4,
      error: { code: 'BIP_NOT_DIRECTORY', message: expect.stringContaining(state) },
    });
  });

  test.each(['1', '2'])(
    'a port that a tracker of two threads has already (%s)',
    async (workers) => {
      await using tracker = await BipTracker.start(['--workers', '2']);
      const { port } = tracker;
      expect(await refusalOf('--port', String(port), '--workers', workers)).toEqual({
        code: 1,
        error: {
          code: 'BIP_PORT_IN_USE',
          message: expect.stringMatching(/; choose another port with --port$/),
        },
      });
      await join(tracker, 'udp');
      await join(tracker, 'http');
    },
  );
});

describe('kill -9', () => {
  const PEERS = 200_000;

  test('in the middle of saving leaves a whole file', async () => {
    await using scratch = await openScratch();
    const state = scratch.to('swarms');
    await writeFile(state, manyPeers());
    const flags = ['--state', state, '--save-every', '1s'];
    let unfinished = 0;
    for (let round = 0; round < 3; round++) {
      await using tracker = await BipTracker.start(flags, { isQuiet: true });
      expect(restoredBy(tracker)).toBe(PEERS);
      if (await killWhileSaving(tracker, scratch)) unfinished++;
    }
    expect(unfinished).toBeGreaterThan(0);
    await using last = await BipTracker.start(flags, { isQuiet: true });
    expect(restoredBy(last)).toBe(PEERS);
    expect((await endBy(last, 'SIGINT')).code).toBe(130);
    expect(existsSync(scratch.to('swarms.new'))).toBe(false);
  });

  /** Returns whether it was killed before the new file had taken the place of the old one. */
  async function killWhileSaving(tracker: BipTracker, scratch: Scratch): Promise<boolean> {
    for await (const { filename } of watch(scratch.path, {
      signal: AbortSignal.timeout(DEADLINE_MS),
    })) {
      // Empty files are made at the start, to see whether that can be done.
      if (filename === 'swarms.new' && sizeOf(scratch.to(filename)) > 0) break;
    }
    tracker.child.kill('SIGKILL');
    await tracker.child.ended(DEADLINE_MS);
    return existsSync(scratch.to('swarms.new'));
  }

  /** A state with so many leechers, as the tracker writes it. */
  function manyPeers(): Uint8Array {
    const limits = { maxPeers: PEERS, maxSwarms: 2000, maxBytes: 256 * 1024 * 1024 };
    const store = createStore({ ...limits, peerLifetimeSeconds: 3600 });
    const answer = createAnswer();
    const call = announceOf({ numWant: 0 });
    for (let peer = 0; peer < PEERS; peer++) {
      call.infoHash = hashOf(peer % 1000);
      call.address = Uint8Array.of(10, peer >>> 16, peer >>> 8, peer);
      store.announce(call, 'same-family', answer);
    }
    return Buffer.concat([...encodeSnapshot(store, Date.now())]);
  }
});

/** Bytes; 0 of a file that is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
