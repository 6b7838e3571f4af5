/** `bip dht serve`, telling what happens as JSON. @module */

import { type Endpoint, parseEndpoint } from '../../../src/base/endpoint.ts';
import { Bip } from '../bip.ts';
import type { Child, Exit } from '../child.ts';
import { isRecord, parseJson, textAt } from '../json.ts';
import { READY_MS } from './peer.ts';

export class BipDhtNode implements AsyncDisposable {
  readonly endpoint: Endpoint;
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly #bip: Bip;

  private constructor(bip: Bip, listening: Readonly<Record<string, unknown>>) {
    this.#bip = bip;
    const endpoint = parseEndpoint(textAt(listening, 'addresses', 0));
    if (endpoint === undefined) throw new Error('it listens nowhere');
    this.endpoint = endpoint;
    this.id = textAt(listening, 'nodeIds', 'ipv4');
  }

  /** Ready when it listens; on any free port unless the flags say otherwise. */
  static async start(host: string, flags: readonly string[]): Promise<BipDhtNode> {
    const port = flags.includes('--port') ? [] : ['--port', '0'];
    const bip = new Bip(['dht', 'serve', '--host', host, ...port, ...flags]);
    try {
      const listening = await bip.child.until(() => told(bip.child, 'listening')[0], {
        deadlineMs: READY_MS,
        what: 'the node to listen',
      });
      return new BipDhtNode(bip, listening);
    } catch (error) {
      await bip[Symbol.asyncDispose]();
      throw error;
    }
  }

  get child(): Child {
    return this.#bip.child;
  }

  /** Its events so far, by their `type`. */
  told(type: string): readonly Readonly<Record<string, unknown>>[] {
    return told(this.child, type);
  }

  /** The first event of a type that `is` what is waited for. @throws {Error} when none comes. */
  async heard(
    type: string,
    is: (event: Readonly<Record<string, unknown>>) => boolean = () => true,
  ): Promise<Readonly<Record<string, unknown>>> {
    return await this.child.until(() => this.told(type).find(is), {
      deadlineMs: HEARD_MS,
      what: `an event ${type}`,
    });
  }

  /** Ctrl-C. */
  async stop(): Promise<Exit> {
    this.child.kill('SIGINT');
    return await this.child.ended(READY_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bip[Symbol.asyncDispose]();
  }
}

function told(child: Child, type: string): readonly Readonly<Record<string, unknown>>[] {
  return child.lines
    .map(parseJson)
    .filter(isRecord)
    .filter((line) => line['type'] === type);
}

/** Who is alone looks for others every half a minute. */
const HEARD_MS = 45_000;
