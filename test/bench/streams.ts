/**
 * What receiving over loopback costs by the size of the receive buffer, and what the runtime's
 * streams make of it. The sender is a process of its own. Prints a table; nothing fails by the
 * clock. `npx node test/bench/streams.ts`
 *
 * @module
 */

import { type ChildProcess, fork } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { nodeRuntime } from '../../src/runtime/node/index.ts';

const TOTAL = 2 ** 30;
const ROUNDS = 5;
const SIZES = [16, 32, 64, 128, 256, 1024] as const;

interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

if (process.argv[2] === 'send') send();
else await measureAll();

/** Sends TOTAL bytes to everybody who connects. */
function send(): void {
  const piece = new Uint8Array(262_144);
  const server = createServer({ noDelay: true }, (socket) => {
    let left = TOTAL;
    const more = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!socket.write(piece)) return;
      }
      socket.end();
    };
    socket.on('drain', more).on('error', () => undefined);
    more();
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

async function measureAll(): Promise<void> {
  const sender = fork(import.meta.filename, ['send']);
  const port = await portOf(sender);
  await using runtime = nodeRuntime();
  const { signal } = new AbortController();
  const ways = new Map<string, () => Promise<void>>();
  for (const size of SIZES) ways.set(`onread, ${size} KiB`, () => receive(port, size * 1024));
  ways.set("'data' events", () => receive(port, undefined));
  ways.set('the runtime', async () => {
    await using stream = await runtime.network.connect({ host: '127.0.0.1', port }, { signal });
    await new Promise<void>((resolve) => {
      stream.open({ data: () => undefined, drain: () => undefined, closed: () => resolve() });
    });
  });
  const results = new Map<string, Sample[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, work] of ways) {
      results.set(name, [...(results.get(name) ?? []), await measured(work)]);
    }
  }
  sender.kill();
  process.stdout.write('| way | MB/s | CPU s/GiB of the receiver |\n|---|---:|---:|\n');
  for (const [name, samples] of results) {
    const wall = median(samples.map((sample) => sample.wall));
    const cpu = median(samples.map((sample) => sample.cpu));
    process.stdout.write(`| ${name} | ${(TOTAL / 1e6 / wall).toFixed(0)} | ${cpu.toFixed(2)} |\n`);
  }
}

function receive(port: number, bufferSize: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      host: '127.0.0.1',
      port,
      ...(bufferSize === undefined
        ? {}
        : { onread: { buffer: new Uint8Array(bufferSize), callback: () => true } }),
    });
    if (bufferSize === undefined) socket.on('data', () => undefined);
    socket.on('close', () => resolve()).on('error', reject);
  });
}

async function measured(work: () => Promise<void>): Promise<Sample> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

function portOf(sender: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    sender.once('message', (address) => {
      const known = typeof address === 'object' && address !== null && 'port' in address;
      resolve(known ? Number(address.port) : 0);
    });
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
