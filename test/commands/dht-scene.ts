/** Commands of `bip dht` beside a few nodes in the simulated world. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtWorld } from '../dht/dht-world.ts';
import { type BipResult, runBip, type SimulatedRun } from './harness.ts';

/** The address of the host that bip runs on. */
export const US = '81.0.0.1';

/** One line of JSON. */
export interface Printed {
  readonly [key: string]: unknown;
}

export class DhtScene extends DhtWorld {
  #us: SimHost | undefined;

  get us(): SimHost {
    this.#us ??= this.world.host(US);
    return this.#us;
  }

  /** Lets them settle, too: an id that follows from the address is known to others a moment later. */
  override async populate(count: number): Promise<void> {
    await super.populate(count);
    await this.world.runFor(30_000);
  }

  /** HOST:PORT of a member. */
  nodeAt(at: number): string {
    return formatEndpoint(this.member(at).endpoint);
  }

  /** In hex. */
  idOf(at: number): string {
    return formatHex(this.member(at).node.idOf(4) ?? new Uint8Array(0));
  }

  /** Runs `bip dht …`, and sees that it leaves no socket and no timer behind. */
  async run(argv: readonly string[], rest: Partial<SimulatedRun> = {}): Promise<BipResult> {
    const { host = this.us } = rest;
    const result = await runBip({ world: this.world, ...rest, host, argv: ['dht', ...argv] });
    if (host.open.length > 0) throw new Error(`left open: ${host.open.join(', ')}`);
    return result;
  }

  /** A member announces a peer at this port. */
  async announce(at: number, infoHash: Uint8Array, port: number, seed = false): Promise<void> {
    const { node } = this.member(at);
    const announce = { port, seed };
    await this.world.run(node.findPeers(infoHash, { signal: this.signal, announce }));
  }

  /** The same, beginning with the first member. */
  ask(argv: readonly string[], rest: Partial<SimulatedRun> = {}): Promise<BipResult> {
    return this.run([...argv, '--bootstrap', this.nodeAt(0)], rest);
  }
}

/** The lines of JSON Lines. */
export function printedLines({ stdout }: BipResult): readonly Printed[] {
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map(parsed);
}

function parsed(line: string): Printed {
  const value: Printed = JSON.parse(line);
  return value;
}

/** The only line. */
export function printed(result: BipResult): Printed {
  const [only, ...others] = printedLines(result);
  if (only === undefined || others.length > 0) throw new Error(`not one line: ${result.stdout}`);
  return only;
}

/** What a failure leaves on stderr with `--json`. */
export function printedError({ stderr }: BipResult): { code: string; message: string } {
  const failure: { error: { code: string; message: string } } = JSON.parse(stderr);
  return failure.error;
}
