/** `bip tracker serve` among those who mean it ill: whoever announces honestly is answered all the while. @module */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ABUSER, AbusedTracker } from './abused-tracker.ts';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { announceRequest } from './honest-clients.ts';
import { cpuTimeOf, descriptorsOf } from './process-facts.ts';

const FLOOD = fileURLToPath(new URL('udp-flood.ts', import.meta.url));
const HALF_A_REQUEST = announceRequest(1).slice(0, 60);
const SCRAPE = 'GET /scrape HTTP/1.1\r\n\r\n';
const WAIT_MS = 20_000;
/** Honest announces in the middle of an abuse. */
const MANY = 40;
/** Answers that nobody reads may take 64 MiB, and what the system has not taken yet is copied once. */
const MORE_MEMORY = 160 * 1024 * 1024;
/** Ended by SIGTERM, as shells say it. */
const ENDED = 143;
/** Of what there are thousands. */
const COUNTS: unknown = expect.toSatisfy((count: number) => count > 1_000);

/** Every honest announce was answered, memory stayed within bounds, and the end is clean and silent. */
async function expectWell(abused: AbusedTracker): Promise<void> {
  const { moreMemory, ...rest } = await abused.end();
  expect(rest).toEqual({ exit: ENDED, stderr: '', ends: 1 });
  expect(moreMemory).toBeLessThan(MORE_MEMORY);
}

describe('connections are cut off', () => {
  test.each([
    ['that say nothing', ''],
    ['that stop in the middle of a request', HALF_A_REQUEST],
    ['that send too little of a body', 'POST / HTTP/1.1\r\ncontent-length: 1000\r\n\r\nx'],
  ])('%s', async (_, words) => {
    await using abused = await AbusedTracker.start();
    const clients = await abused.dialMany(200);
    for (const client of clients) client.send(words);
    await abused.cutsOff(clients);
    await expectWell(abused);
  });

  test('that end in the middle of a request', async () => {
    await using abused = await AbusedTracker.start();
    const clients = await abused.dialMany(200);
    for (const client of clients) {
      client.send(HALF_A_REQUEST);
      client.finish();
    }
    await abused.cutsOff(clients);
    await expectWell(abused);
  });

  test('that send their head byte by byte', async () => {
    await using abused = await AbusedTracker.start();
    const clients = await abused.dialMany(100);
    for (const client of clients) client.trickle(HALF_A_REQUEST);
    await abused.cutsOff(clients);
    await expectWell(abused);
  });

  test('that never read what they ask for', async () => {
    await using abused = await AbusedTracker.start(['--full-scrape']);
    await abused.fill(5_000);
    const clients = await abused.dialMany(40, { deaf: true });
    for (const client of clients) client.send(SCRAPE.repeat(50));
    await abused.cutsOff();
    await expectWell(abused);
  });

  test('that ask by the thousand before they read', async () => {
    await using abused = await AbusedTracker.start();
    const clients = await abused.dialMany(20);
    for (const client of clients) client.send(announceRequest(1).repeat(3_000));
    await abused.cutsOff(clients);
    await expectWell(abused);
  });

  test('that are reset in the middle of a request or an answer', async () => {
    await using abused = await AbusedTracker.start(['--workers', '2']);
    for (let count = 0; count < 500; count++) {
      const client = await abused.dial();
      client.send(count % 2 === 0 ? announceRequest(count) : HALF_A_REQUEST);
      client.reset();
    }
    await abused.cutsOff();
    await expectWell(abused);
  });
});

describe('more than anybody needs', () => {
  /** Arrives in one piece. */
  const long = 'x'.repeat(20_000);

  test.each([
    ['a long URL', 431, `GET /announce?info_hash=${long} HTTP/1.1\r\n\r\n`],
    ['a long header', 431, announceRequest(1, { cookie: long })],
    ['many headers', 431, `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(4_000)}\r\n`],
    ['a long body', 405, `POST /announce HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n${long}`],
    ['an announce with a body', 200, announceRequest(1, { 'content-length': '9000000' }) + long],
    ['words that are not HTTP', 400, long],
  ])('%s: the answer is %d, and the last one', async (_, status, words) => {
    await using abused = await AbusedTracker.start();
    const clients = await abused.dialMany(100);
    for (const client of clients) client.send(words);
    await abused.cutsOff(clients);
    const statuses = new Set(clients.map(({ received }) => received.slice(0, 12)));
    expect([...statuses]).toEqual([`HTTP/1.1 ${status}`]);
    await expectWell(abused);
  });

  test('heads and bodies without an end', async () => {
    await using abused = await AbusedTracker.start();
    const begins = [
      'GET / HTTP/1.1\r\ncookie: ',
      announceRequest(1, { 'content-length': '9007199254740991' }),
    ];
    const clients = await abused.dialMany(40);
    for (const [index, client] of clients.entries()) {
      client.send(begins[index % 2] ?? '');
      client.pour(long);
    }
    await abused.cutsOff(clients);
    await expectWell(abused);
  });
});

describe('floods', () => {
  test('of packets from one address', async () => {
    const stats = `127.0.0.1:${await freePort()}`;
    await using abused = await AbusedTracker.start(['--workers', '2', '--stats', stats]);
    const { port } = abused.tracker;
    await using flood = new Child([process.execPath, FLOOD, ABUSER, String(port)], {
      stopBy: 'eof',
    });
    const sends = (lines: number): Promise<boolean> =>
      flood.until(() => flood.lines.length >= lines, { deadlineMs: WAIT_MS, what: 'a flood' });
    await sends(1);
    await abused.honest.serve(MANY, WAIT_MS);
    await sends(20);
    const counted = { connects: COUNTS, badConnectionIds: COUNTS, badRequests: COUNTS };
    const answer = await fetch(`http://${stats}/stats`);
    expect(await answer.json()).toMatchObject({ counters: counted });
    await expectWell(abused);
  });

  test('of requests from one address behind a proxy, which is refused more than its share', async () => {
    const flags = ['--rate-limit', '5', '--trusted-proxy', `${ABUSER}/32`];
    await using abused = await AbusedTracker.start(flags);
    const { child } = abused.tracker;
    const flood = await abused.dial();
    flood.send(announceRequest(1, { 'x-forwarded-for': '203.0.113.7' }).repeat(90));
    const answers = (): number => flood.received.split('HTTP/1.1 200').length - 1;
    await child.until(() => answers() === 90, { deadlineMs: WAIT_MS, what: '90 answers' });
    const refused = flood.received.split('too many requests').length - 1;
    // Ten seconds' worth of them at once, and hardly more.
    expect(refused).toBeGreaterThan(30);
    expect(refused).toBeLessThanOrEqual(40);
    const neighbour = await abused.dial();
    const request = announceRequest(1, { 'x-forwarded-for': '203.0.113.8' });
    expect(await neighbour.ask(request, WAIT_MS)).toMatchObject({
      status: 200,
      body: expect.stringContaining('8:interval'),
    });
    await expectWell(abused);
  });
});

describe('no descriptors are left', () => {
  test('for more connections, from the start', async () => {
    const under = ['prlimit', '--nofile=64:64'];
    await using abused = await AbusedTracker.start([], { under });
    await abused.dialMany(300);
    await abused.honest.serve(MANY, WAIT_MS);
    expect(descriptorsOf(abused.pid)).toBeLessThan(64);
    await abused.tracker.child.until(() => abused.tracker.told('crowded').length > 0, {
      deadlineMs: WAIT_MS,
      what: 'the tracker to say so',
    });
    await abused.dialMany(100);
    await expectWell(abused);
    expect(abused.tracker.told('crowded')).toHaveLength(1);
  });

  test('at all, from one moment to the next', async () => {
    await using abused = await AbusedTracker.start([], { isForbearing: true });
    const { pid } = abused;
    const most = descriptorsOf(pid) + 20;
    const { status } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${most}:${most}`]);
    expect(status).toBe(0);
    const began = { cpuMs: cpuTimeOf(pid), at: performance.now() };
    const clients = await abused.dialMany(300);
    await abused.cutsOff(clients);
    const elapsed = performance.now() - began.at;
    // Those whom it could not take; all others heard that they were too slow.
    expect(clients.filter(({ received }) => received === '').length).toBeGreaterThan(200);
    // It waited for the slow ones without spinning.
    expect(cpuTimeOf(pid) - began.cpuMs).toBeLessThan(elapsed / 2);
    await expectWell(abused);
  });
});
