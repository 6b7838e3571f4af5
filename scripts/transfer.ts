/** One file from a built bip to another on this machine; what the demo and the smoke test share. @module */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

export interface TransferOptions {
  /** The built bip.mjs. */
  readonly entry: string;
  /** The Node to run it with; this one by default. */
  readonly node?: string;
  readonly sizeBytes: number;
  /** Where stdout and stderr of the download go. */
  readonly show: 'inherit' | 'ignore';
  /** Called before each step. */
  readonly step?: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface Transferred {
  readonly sha256: string;
  /** From the start of the downloading process to its end. */
  readonly elapsedMs: number;
}

const SEED_READY_MS = 60_000;
const CHUNK_BYTES = 4 * 2 ** 20;

/**
 * Makes a file, seeds it, downloads it by the magnet link and compares the bytes.
 *
 * @throws {Error} when a process fails or the bytes differ; everything made is removed in any case.
 */
export async function transfer(options: TransferOptions): Promise<Transferred> {
  const { entry, node = process.execPath, sizeBytes, signal, step = () => undefined } = options;
  const directory = await mkdtemp(join(tmpdir(), 'bip-transfer-'));
  const run = (args: readonly string[], output: 'inherit' | 'ignore' | 'pipe'): ChildProcess =>
    spawn(node, [entry, ...args], { cwd: directory, stdio: ['ignore', output, output] });
  const children: ChildProcess[] = [];
  try {
    const source = join(directory, 'source.bin');
    step(`making ${basename(source)}`);
    const expected = await makeFile(source, sizeBytes, signal);
    step('bip seed source.bin --json --host 127.0.0.1 --port 0 --no-dht');
    const here = ['--json', '--host', '127.0.0.1', '--port', '0', '--no-dht'];
    const seed = run(['seed', source, ...here], 'pipe');
    children.push(seed);
    const magnet = await magnetOf(seed, signal);
    const started = performance.now();
    step(`bip download '${magnet}' --output downloads --no-dht --no-lpd`);
    const how = ['--output', 'downloads', '--no-dht', '--no-lpd'];
    const download = run(['download', magnet, ...how], options.show);
    children.push(download);
    const code = await ended(download, signal);
    if (code !== 0) throw new Error(`bip download ended with exit code ${code}`);
    const elapsedMs = performance.now() - started;
    step('comparing the bytes');
    const sha256 = await digestOf(join(directory, 'downloads', basename(source)), signal);
    if (sha256 !== expected) throw new Error(`the bytes differ: ${expected} became ${sha256}`);
    return { sha256, elapsedMs };
  } finally {
    await Promise.all(children.map(stop));
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes random bytes and returns their SHA-256. */
async function makeFile(path: string, sizeBytes: number, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  function* chunks(): Generator<Uint8Array> {
    for (let done = 0; done < sizeBytes; done += CHUNK_BYTES) {
      const chunk = randomFillSync(new Uint8Array(Math.min(CHUNK_BYTES, sizeBytes - done)));
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(chunks(), createWriteStream(path), { signal });
  return hash.digest('hex');
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

/** Waits for the first event of `bip seed --json`, which carries the magnet link. */
async function magnetOf(seed: ChildProcess, signal: AbortSignal): Promise<string> {
  const { stdout, stderr } = seed;
  if (stdout === null || stderr === null) throw new Error('bip seed has no pipes');
  let complaint = '';
  stderr.on('data', (bytes: Buffer) => {
    complaint += bytes.toString();
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SEED_READY_MS)]);
  // The lines are read to the end of the process, or the pipe would fill.
  const lines = createInterface({ input: stdout });
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`bip seed did not start: ${complaint.trim()}`));
    limit.addEventListener('abort', fail, { once: true });
    lines.once('close', fail);
    lines.on('line', (line) => {
      const event: unknown = JSON.parse(line);
      if (isSeeding(event)) resolve(event.magnet);
    });
  });
}

function isSeeding(event: unknown): event is { readonly magnet: string } {
  return (
    typeof event === 'object' &&
    event !== null &&
    'type' in event &&
    event.type === 'seeding' &&
    'magnet' in event &&
    typeof event.magnet === 'string'
  );
}

async function ended(child: ChildProcess, signal: AbortSignal): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit', { signal });
  return child.exitCode ?? child.signalCode ?? 'none';
}

/** Asks it to end, and makes it end when it does not listen. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await once(child, 'exit');
  clearTimeout(patience);
}
