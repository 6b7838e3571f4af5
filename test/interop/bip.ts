/** bip as users run it: the built program, its arguments, its JSON events and its exit code. @module */

import { Child, type Exit } from './child.ts';
import { type BipEvent, readEvent } from './events.ts';
import { parseJson } from './json.ts';

/** Names the built bip.mjs; set by setup.ts. */
export const BIP_ENTRY = 'BIP_INTEROP_ENTRY';

export interface BipOptions {
  readonly cwd?: string;
  /** Words in front of the command: a program that becomes bip, like `prlimit --nofile=64`. */
  readonly under?: readonly string[];
  /** It may speak to the local network, which is to be one of the test alone. */
  readonly lpd?: boolean;
}

/** What is left of a run. */
export interface BipResult {
  readonly exit: Exit;
  readonly events: readonly BipEvent[];
  readonly end: BipEnd | undefined;
  readonly stderr: string;
}

export type BipEnd = Extract<BipEvent, { readonly type: 'end' }>;

/** One run of `bip --json …`. */
export class Bip implements AsyncDisposable {
  readonly child: Child;
  /** Lines of stdout that were read into events already. */
  readonly #events: BipEvent[] = [];

  constructor(args: readonly string[], { under = [], lpd = false, ...options }: BipOptions = {}) {
    const entry = process.env[BIP_ENTRY];
    if (entry === undefined) throw new Error(`${BIP_ENTRY} is not set: setup.ts has not run`);
    // The configuration and the variables of whoever runs the tests are not to matter.
    const env = { XDG_CONFIG_HOME: '/nonexistent', BIP_DHT_TABLE: '', NO_COLOR: '1' };
    const quiet = quietFlags(args, lpd);
    this.child = new Child([...under, process.execPath, entry, '--json', ...args, ...quiet], {
      ...options,
      env,
    });
  }

  /** All so far. @throws {Error} when a line breaks the contract of cli.md. */
  get events(): readonly BipEvent[] {
    const { lines } = this.child;
    for (const line of lines.slice(this.#events.length)) this.#events.push(readEvent(line));
    return this.#events;
  }

  ofType<T extends BipEvent['type']>(type: T): Extract<BipEvent, { readonly type: T }>[] {
    return this.events.filter(
      (event): event is Extract<BipEvent, { readonly type: T }> => event.type === type,
    );
  }

  /** Pieces told to be good and kept; needs `--events piece`. */
  get pieces(): readonly number[] {
    return this.ofType('piece').flatMap(({ piece, ok }) => (ok ? [piece] : []));
  }

  /** Waits until so many pieces are good; needs `--events piece`. */
  async hasPieces(count: number, deadlineMs: number): Promise<void> {
    await this.child.until(() => this.pieces.length >= count, {
      deadlineMs,
      what: `bip to have ${count} pieces`,
    });
  }

  /** Waits for its end. @throws {Error} when it runs longer, or prints what it must not. */
  async ended(deadlineMs: number): Promise<BipResult> {
    const exit = await this.child.ended(deadlineMs);
    if (!this.child.stdout.endsWith('\n') && this.child.stdout !== '') {
      throw new Error(`bip ended in the middle of a line\n${this.child.log}`);
    }
    const { events } = this;
    return { exit, events, end: this.ofType('end').at(-1), stderr: this.child.stderr };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}

/** No test is to ask the well-known nodes of the DHT, or the network that the machine is in. */
function quietFlags(args: readonly string[], lpd: boolean): readonly string[] {
  const [command = '', word = ''] = args;
  const looks = ['download', 'seed'].includes(command) || `${command} ${word}` === 'magnet fetch';
  if (!looks) return [];
  const isInDht = args.some((argument) => ['--bootstrap', '--no-dht'].includes(argument));
  return [...(isInDht ? [] : ['--no-dht']), ...(lpd ? [] : ['--no-lpd'])];
}

/**
 * Runs `bip --json …` of a command that ends by itself, and gives what it printed.
 *
 * @throws {Error} when it fails, or runs longer, with its log.
 */
export async function bipJson(
  args: readonly string[],
  deadlineMs: number,
): Promise<readonly unknown[]> {
  await using bip = new Bip(args);
  const { code } = await bip.child.ended(deadlineMs);
  if (code !== 0) throw new Error(`bip ended with ${code}\n${bip.child.log}`);
  return bip.child.lines.map(parseJson);
}
