/** Joins a zone to a realm: asks whom it names, at the pace, and tells it what became of that. @module */

import { parseIp } from '../../base/ip.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { KrpcResponse } from '../krpc/index.ts';
import { decodeNodes } from '../node-info.ts';
import { mayName } from '../plausible.ts';
import type { Realm } from '../realm.ts';
import { isSecureId } from '../secure-id.ts';
import type { Census } from './census.ts';
import type { FoundNode } from './events.ts';
import type { Pacer } from './pacer.ts';
import type { Zone, ZoneNode } from './zone.ts';

export interface SweepOptions {
  readonly realm: Realm;
  readonly pacer: Pacer;
  readonly census: Census;
  readonly onFound: (node: FoundNode) => void;
  /** Somebody answered, or did not. */
  readonly onPulse: (isAlive: boolean) => void;
  readonly signal: AbortSignal;
}

/**
 * Asks all of a zone. Who is asked first for samples and does not answer, or refuses, is then asked for
 * nodes, which old clients know; so each is asked at most once for samples, and within the interval
 * that it gives (BEP 51).
 *
 * @throws `signal.reason` when aborted.
 */
export function sweepZone(zone: Zone, options: SweepOptions): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const sweep = new Sweep(zone, options, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      sweep.stop();
      reject(signal.reason);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    sweep.step();
  });
}

class Sweep {
  readonly #zone: Zone;
  readonly #options: SweepOptions;
  readonly #onDone: () => void;
  /** Those that wait for their turn or an answer. */
  #open = 0;
  #ended = false;

  constructor(zone: Zone, options: SweepOptions, onDone: () => void) {
    this.#zone = zone;
    this.#options = options;
    this.#onDone = onDone;
  }

  stop(): void {
    this.#ended = true;
  }

  /** Asks as many as may be asked, or ends. */
  step(): void {
    if (this.#ended) return;
    while (this.#open < WINDOW) {
      const node = this.#zone.take();
      if (node === undefined) break;
      this.#ask(node);
    }
    if (!this.#zone.isDone) return;
    this.#ended = true;
    this.#onDone();
  }

  #ask(node: ZoneNode): void {
    const { realm, pacer, census, onPulse } = this.#options;
    const { contact } = node;
    this.#open++;
    pacer.ask(contact.endpoint, (done) => {
      const settle = (isAlive: boolean, what: () => void): void => {
        done();
        if (this.#ended) return;
        this.#open--;
        onPulse(isAlive);
        what();
        this.step();
      };
      const fail = (): void => {
        if (this.#zone.failed(node)) census.missed('silent');
      };
      census.asked();
      const method = node.tries === 1 ? 'sample_infohashes' : 'find_node';
      // Chosen as late as can be: by now more may be known.
      const target = this.#zone.targetFor(node);
      realm.ask(
        contact,
        method,
        { target },
        {
          answered: (response, rttMs) => settle(true, () => this.#answered(node, response, rttMs)),
          refused: () => settle(true, fail),
          slow: () => undefined,
          timedOut: () => settle(false, fail),
        },
      );
    });
  }

  #answered(node: ZoneNode, response: KrpcResponse, rttMs: Millis): void {
    const { realm, census, onFound } = this.#options;
    const { endpoint } = node.contact;
    const bytes = realm.family === 4 ? response.nodes : response.nodes6;
    for (const named of decodeNodes(bytes ?? new Uint8Array(0), realm.family).slice(0, MAX_TAKEN)) {
      if (mayName(endpoint, named.endpoint)) this.#zone.add(named);
    }
    if (!this.#zone.heard(node, response.id)) return census.missed('elsewhere');
    const samples = response.samples && split(response.samples);
    const found: FoundNode = {
      family: realm.family,
      id: response.id.slice(),
      endpoint,
      rttMs,
      version: response.version?.slice(),
      isSecure: isSecureId(response.id, parseIp(endpoint.host) ?? response.id),
      samples,
      total: response.sampleTotal,
      intervalSeconds: response.intervalSeconds,
    };
    census.found({ ...found, samples: samples?.length });
    onFound(found);
  }
}

function split(samples: Uint8Array): readonly Uint8Array[] {
  const hashes: Uint8Array[] = [];
  const end = Math.min(samples.length, MAX_SAMPLES * 20);
  for (let at = 0; at + 20 <= end; at += 20) hashes.push(samples.slice(at, at + 20));
  return hashes;
}

/** Queries of one zone that wait for their turn or an answer. */
const WINDOW = 64;
/** Nodes taken of one answer; k is 8, and some send 16. */
export const MAX_TAKEN = 16;
/** Infohashes taken of one answer: what fits into the 1024 bytes of BEP 32. libtorrent gives 20. */
const MAX_SAMPLES = 50;
