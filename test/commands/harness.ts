/**
 * The whole command line in process: arguments in, exit code and captured streams out.
 *
 * By default the command runs on one host of a simulated world of its own, in virtual time. A test
 * that needs other hosts (a tracker, peers) makes the world, puts them there and hands it over.
 *
 * @module
 */

import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, Output, ProcessHost } from '../../commands/cli/context.ts';
import { main } from '../../commands/cli/main.ts';
import manifest from '../../package.json' with { type: 'json' };
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { settler } from '../../src/runtime/node/settle.ts';
import type { Files, Runtime } from '../../src/runtime/ports.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

// Commands load what they need when they need it, which takes real time; in the simulated world only
// virtual time passes. So everything is loaded before.
const root = join(import.meta.dirname, '../..');
const modules = globSync('{commands/**/*.ts,src/*/index.ts}', { cwd: root });
const packages = Object.keys(manifest.dependencies).filter((name) => !name.startsWith('@'));
await Promise.all([
  ...modules.map((path) => import(join(root, path))),
  ...packages.map((name) => import(name)),
]);

/** The version that `--version` prints in tests. */
export const TEST_VERSION = '0.0.0-test';

/** What a run left behind. */
export interface BipResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** For binary output. */
  readonly stdoutBytes: Uint8Array;
}

/** Which of the streams are terminals, and how wide they are. */
export interface Terminals {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly columns?: number;
}

/** What every kind of run takes. */
export interface RunOptions {
  readonly argv: readonly string[];
  /** Text or bytes for stdin; empty by default. */
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** `true`: all three streams are terminals of 80 columns; by default none is. */
  readonly tty?: boolean | Terminals;
  /** Files to write first, by path; their folders are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Plays Ctrl-C: abort it with an `Interrupted`. */
  readonly signal?: AbortSignal;
  /** What only a process can do; without it bip runs inside of the test and cannot. */
  readonly process?: ProcessHost;
  /** Called for every write, as it happens; lets a test act in the middle of a command. */
  readonly onWrite?: (stream: 'stdout' | 'stderr', text: string) => void;
  /** Bytes that the reader of stdout has not taken yet; by default it takes all at once. */
  readonly queuedBytes?: () => number;
}

/** A run in the simulated world. */
export interface SimulatedRun extends RunOptions {
  /** The world that others live in; a new one by default. */
  readonly world?: World;
  /** The host bip runs on, in `world`; a new one at 10.0.0.1 by default. */
  readonly host?: SimHost;
}

/** Runs `bip ...argv` in a simulated world of its own. */
export function bip(...argv: string[]): Promise<BipResult> {
  return runBip({ argv });
}

/** Runs bip on one host of a simulated world, virtual time until it ends. */
export async function runBip(options: SimulatedRun): Promise<BipResult> {
  const world = options.world ?? makeWorld();
  const host = options.host ?? world.host('10.0.0.1');
  return world.run(startBip(host.runtime, options));
}

/**
 * Runs bip without driving the world: for tests that run several commands at once and hand all of
 * them to one `world.run`.
 */
export async function startBip(runtime: Runtime, options: RunOptions): Promise<BipResult> {
  await plant(runtime.files, options.files ?? {});
  const { context, result } = capture(runtime, options);
  return result(await main(context, options.argv, TEST_VERSION));
}

/** A run on the real runtime, with a temporary folder that is removed at the end. */
export interface DiskRun extends Omit<RunOptions, 'argv' | 'files'> {
  /** Gets the absolute path of the temporary folder. */
  readonly argv: (directory: string) => readonly string[];
  /** Paths relative to the temporary folder. */
  readonly files?: RunOptions['files'];
  /** Looks at the folder before it is removed. */
  readonly inspect?: (directory: string, files: Files) => Promise<void>;
}

/** Runs bip on real files and sockets. */
export async function runBipOnDisk(options: DiskRun): Promise<BipResult> {
  const { argv, files = {}, inspect, ...rest } = options;
  await using runtime = nodeRuntime();
  const directory = await mkdtemp(join(tmpdir(), 'bip-test-'));
  try {
    const planted = Object.entries(files).map(
      ([path, content]) => [join(directory, path), content] as const,
    );
    const result = await startBip(runtime, {
      ...rest,
      argv: argv(directory),
      files: Object.fromEntries(planted),
    });
    await inspect?.(directory, runtime.files);
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function plant(files: Files, wanted: NonNullable<RunOptions['files']>): Promise<void> {
  for (const [path, content] of Object.entries(wanted)) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (folder !== '') await files.makeDirectory(folder);
    await files.writeFile(path, bytesOf(content));
  }
}

class Captured implements Output {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly chunks: Uint8Array[] = [];
  readonly #onWrite: (text: string) => void;
  readonly #queued: () => number;

  constructor(
    { isTTY, columns }: Pick<Output, 'isTTY' | 'columns'>,
    onWrite: (text: string) => void,
    queued: () => number,
  ) {
    this.isTTY = isTTY;
    this.columns = columns;
    this.#onWrite = onWrite;
    this.#queued = queued;
  }
  get queuedBytes(): number {
    return this.#queued();
  }
  write(data: string | Uint8Array): void {
    const bytes = bytesOf(data).slice();
    this.chunks.push(bytes);
    this.#onWrite(new TextDecoder().decode(bytes));
  }
  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.chunks));
  }
}

function capture(
  runtime: Runtime,
  options: RunOptions,
): { context: Context; result: (code: number) => BipResult } {
  const { tty = false, onWrite, queuedBytes = () => 0 } = options;
  const terminals = typeof tty === 'boolean' ? { stdin: tty, stdout: tty, stderr: tty } : tty;
  const columns = ('columns' in terminals ? terminals.columns : undefined) ?? 80;
  const output = (name: 'stdout' | 'stderr'): Captured =>
    new Captured(
      { isTTY: terminals[name] === true, columns },
      (text) => onWrite?.(name, text),
      queuedBytes,
    );
  const stdout = output('stdout');
  const stderr = output('stderr');
  const input = bytesOf(options.stdin ?? '');
  const context: Context = {
    runtime,
    stdin: {
      isTTY: terminals.stdin === true,
      // Two chunks: a command that takes the first for the whole would be found out.
      async *[Symbol.asyncIterator]() {
        const middle = input.length >> 1;
        if (middle > 0) yield input.subarray(0, middle);
        if (input.length > 0) yield input.subarray(middle);
      },
    },
    stdout,
    stderr,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    settle: settler(),
    ...(options.process === undefined ? {} : { host: options.process }),
  };
  return {
    context,
    result: (code) => ({
      code,
      stdout: new TextDecoder().decode(stdout.bytes),
      stderr: new TextDecoder().decode(stderr.bytes),
      stdoutBytes: stdout.bytes,
    }),
  };
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}
