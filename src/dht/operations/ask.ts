/** One question to one node: is it there, what does it hold (BEP 5, 51). @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { RemoteError, TimeoutError } from '../../base/errors.ts';
import { parseIp } from '../../base/ip.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { Contact } from '../contact.ts';
import type { KrpcResponse, QueryArguments } from '../krpc/index.ts';
import { decodeNodes } from '../node-info.ts';
import { isPlausible, mayName } from '../plausible.ts';
import type { Realm } from '../realm.ts';
import { isSecureId } from '../secure-id.ts';

/** A node that answered. */
export interface PingResult {
  readonly id: Uint8Array;
  readonly rttMs: Millis;
  /** `v`: client and version. */
  readonly version: Uint8Array | undefined;
  /** Its id follows from its address, or needs not (BEP 42). */
  readonly isSecure: boolean;
  /** Where it sees us (BEP 42). */
  readonly externalAddress: Endpoint | undefined;
}

/**
 * Pings a node.
 *
 * @throws {TimeoutError} when it does not answer in the long time.
 * @throws {RemoteError} when it refuses.
 * @throws `signal.reason` when aborted.
 */
export async function pingNode(
  realm: Realm,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<PingResult> {
  return await ask(realm, endpoint, { method: 'ping', args: {}, signal }, (response, rttMs) => ({
    id: response.id.slice(),
    rttMs,
    version: response.version?.slice(),
    isSecure: isSecureId(response.id, parseIp(endpoint.host) ?? response.id),
    externalAddress: response.externalAddress,
  }));
}

/** What a node says about the torrents that it knows (BEP 51). */
export interface SampleResult {
  readonly id: Uint8Array;
  readonly rttMs: Millis;
  /** 20 bytes each; undefined when it does not know the question and names nodes only. */
  readonly samples: readonly Uint8Array[] | undefined;
  /** How many infohashes it has. */
  readonly total: number | undefined;
  /** Seconds until it will give others. */
  readonly intervalSeconds: number;
  /** Those closest to the target that it knows. */
  readonly nodes: readonly Contact[];
}

/**
 * Asks a node for some of the infohashes that it has peers of, and for nodes close to `target`.
 *
 * @throws {TimeoutError} when it does not answer in the long time.
 * @throws {RemoteError} when it refuses, as nodes do that do not know the question.
 * @throws `signal.reason` when aborted.
 */
export async function sampleNode(
  realm: Realm,
  endpoint: Endpoint,
  { target, signal }: { readonly target: Uint8Array; readonly signal: AbortSignal },
): Promise<SampleResult> {
  const question = { method: 'sample_infohashes', args: { target }, signal };
  return await ask(realm, endpoint, question, (response, rttMs) => {
    const { id, samples, sampleTotal, intervalSeconds = 0 } = response;
    const nodes = (realm.family === 4 ? response.nodes : response.nodes6) ?? new Uint8Array(0);
    return {
      id: id.slice(),
      rttMs,
      samples: samples && split(samples),
      total: sampleTotal,
      intervalSeconds,
      // Copied before they are cut: the packet's memory is used again.
      nodes: decodeNodes(nodes.slice(), realm.family).filter(
        (node) => canBeThere(node.endpoint) && mayName(endpoint, node.endpoint),
      ),
    };
  });
}

function canBeThere({ host, port }: Endpoint): boolean {
  const ip = parseIp(host);
  return ip !== undefined && isPlausible(ip, port);
}

interface Question {
  readonly method: string;
  readonly args: Omit<QueryArguments, 'id'>;
  readonly signal: AbortSignal;
}

function ask<Result>(
  realm: Realm,
  endpoint: Endpoint,
  { method, args, signal }: Question,
  read: (response: KrpcResponse, rttMs: Millis) => Result,
): Promise<Result> {
  const name = formatEndpoint(endpoint);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    realm.ask({ id: undefined, endpoint }, method, args, {
      answered: (response, rttMs) => end(() => resolve(read(response, rttMs))),
      refused: ({ code, message }) =>
        end(() => reject(new RemoteError(`${name} answered with error ${code}: ${message}`))),
      slow: () => undefined,
      timedOut: () =>
        end(() => reject(new TimeoutError(`${name} did not answer`, realm.longTimeoutMs))),
    });
  });
}

function split(samples: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at + 20 <= samples.length; at += 20) hashes.push(samples.slice(at, at + 20));
  return hashes;
}
