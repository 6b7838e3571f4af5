/** Calls one peer by one or more ways, and closes every connection again. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { BipError, invariant, TimeoutError } from '../base/errors.ts';
import {
  CipherBuffers,
  type Method,
  type MseContext,
  MseStream,
  makePeerId,
} from '../handshake/index.ts';
import { bounded, pause } from '../runtime/aborting.ts';
import type { ByteStream, Clock, Millis, Network, Runtime } from '../runtime/ports.ts';
import type { UtpTransport } from '../utp/index.ts';
import { Conversation, type ConversationOptions } from './conversation.ts';
import type { Attempt, Findings, ProbeReport, Way } from './report.ts';

/**
 * A peer that let us in once may think for a moment that we are still there. Over uTP libtorrent needs
 * one to two seconds until the end of a connection has come through, and calls the next a duplicate.
 */
const PAUSE_BEHIND: Readonly<Record<Way['transport'], Millis>> = { tcp: 200, utp: 3000 };

/** What a probe takes of the world. */
export type ProbeRuntime = Pick<Runtime, 'clock' | 'network' | 'random'>;

export interface ProbeOptions
  extends Omit<ConversationOptions, 'peerId' | 'now' | 'write' | 'handshakeOnly'> {
  /** The address of this machine to call from. */
  readonly bind?: string | undefined;
  /**
   * What to try, in this order, those of one transport together; the first that works is the one on
   * which more is asked. Of a transport that does not connect no more ways are tried, and once the peer
   * shook hands over one transport, the other is tried by the same encryption alone.
   */
  readonly ways: readonly Way[];
  /** By which ways over uTP are called. */
  readonly utp?: Pick<UtpTransport, 'connect'> | undefined;
  readonly signal: AbortSignal;
}

/** Nobody shook hands. */
export interface ProbeFailure {
  readonly endpoint: Endpoint;
  /** Why the first way failed that led to a connection; when none did, the first of all. */
  readonly error: BipError;
  readonly attempts: readonly Attempt[];
}

/**
 * Takes at most `timeoutMs` for a connection and as much for a handshake, by each way, and three
 * seconds or `pexWaitMs` for what comes behind it.
 *
 * @throws what `signal` was aborted with.
 */
export async function probePeer(
  runtime: ProbeRuntime,
  options: ProbeOptions,
): Promise<ProbeReport | ProbeFailure> {
  const { endpoint } = options;
  const visits = await visitAll(runtime, options);
  const attempts = visits.map(attemptOf);
  for (const { way, connectMs = 0, findings } of visits) {
    if (findings !== undefined) return { ...findings, endpoint, way, connectMs, attempts };
  }
  const { error } = visits.find(({ connectMs }) => connectMs !== undefined) ?? visits[0] ?? {};
  invariant(error !== undefined, 'a probe by no way at all');
  return { endpoint, error, attempts };
}

function attemptOf({ way, connectMs, error }: Visit): Attempt {
  return {
    way,
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(error === undefined ? {} : { error }),
  };
}

/** One after the other, since some clients have no more than one connection to an address. */
async function visitAll(runtime: ProbeRuntime, options: ProbeOptions): Promise<readonly Visit[]> {
  const visits: Visit[] = [];
  const buffers = new CipherBuffers();
  for (const way of options.ways) {
    if (tellsNothing(way, visits)) continue;
    const before = visits.at(-1);
    if (before?.connectMs !== undefined) {
      await pause(runtime.clock, PAUSE_BEHIND[before.way.transport], options.signal);
    }
    const handshakeOnly = visits.some(({ findings }) => findings !== undefined);
    // Some would take a second connection of one id for the first one come back.
    const peerId = makePeerId(runtime.random);
    visits.push(await visitBy(way, { ...runtime, buffers }, { ...options, handshakeOnly, peerId }));
  }
  return visits;
}

/** Is known already what this way would tell? Each costs the peer a connection. */
function tellsNothing({ transport, encryption }: Way, visits: readonly Visit[]): boolean {
  const same = visits.filter(({ way }) => way.transport === transport);
  // Who does not answer at all does so in no disguise.
  if (same.some(({ connectMs }) => connectMs === undefined)) return true;
  // What encryption is let in does not depend on the transport.
  const known = visits.find(
    ({ way, findings }) => way.transport !== transport && findings !== undefined,
  );
  return known !== undefined && known.way.encryption !== encryption;
}

/** One connection: when there are no findings, there is an error. */
interface Visit extends Attempt {
  readonly findings?: Findings;
}

type VisitOptions = ProbeOptions & Pick<ConversationOptions, 'handshakeOnly' | 'peerId'>;

async function visitBy(
  way: Way,
  runtime: ProbeRuntime & { readonly buffers: CipherBuffers },
  options: VisitOptions,
): Promise<Visit> {
  const { clock, network, random, buffers } = runtime;
  const calledAt = clock.now();
  let stream: ByteStream;
  try {
    stream = await connect(callBy(way, network, options), clock, options);
  } catch (error) {
    if (options.signal.aborted || !(error instanceof BipError)) throw error;
    return { way, error };
  }
  const connectMs = clock.now() - calledAt;
  const { promise: bug, reject: onBug } = Promise.withResolvers<never>();
  bug.catch(() => undefined);
  const disguised = disguise(stream, way, { context: { clock, random, buffers, onBug }, options });
  try {
    const { findings, failure } = await Promise.race([converse(disguised, clock, options), bug]);
    return {
      way,
      connectMs,
      ...(findings === undefined ? {} : { findings }),
      ...(failure === undefined ? {} : { error: failure }),
    };
  } finally {
    await disguised[Symbol.asyncDispose]();
  }
}

function disguise(
  stream: ByteStream,
  { encryption }: Way,
  {
    context,
    options: { infoHash },
  }: { readonly context: MseContext; readonly options: Pick<ProbeOptions, 'infoHash'> },
): ByteStream {
  if (encryption === 'none') return stream;
  const method: Method = encryption === 'rc4' ? 'rc4' : 'plain';
  return MseStream.call(stream, context, { infoHash, methods: [method] });
}

type Call = (signal: AbortSignal) => Promise<ByteStream>;

function callBy({ transport }: Way, network: Network, options: VisitOptions): Call {
  const { endpoint, bind, utp } = options;
  if (transport === 'utp') {
    invariant(utp !== undefined, 'a probe over uTP without uTP');
    return (signal) => utp.connect(endpoint, { signal });
  }
  return (signal) =>
    network.connect(endpoint, { signal, ...(bind === undefined ? {} : { host: bind }) });
}

/** @throws {TimeoutError} with code `BIP_CONNECT_TIMEOUT`. */
async function connect(
  call: Call,
  clock: Clock,
  { endpoint, timeoutMs, signal }: VisitOptions,
): Promise<ByteStream> {
  const late = (): TimeoutError =>
    new TimeoutError(
      `${formatEndpoint(endpoint)} did not accept a connection within ${timeoutMs / 1000}s`,
      timeoutMs,
      {
        code: 'BIP_CONNECT_TIMEOUT',
      },
    );
  return await bounded({ signal, clock, limit: { ms: timeoutMs, error: late } }, call);
}

/** Lets a conversation run its course on a stream. */
async function converse(
  stream: ByteStream,
  clock: Clock,
  options: VisitOptions,
): Promise<Conversation> {
  const { signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const conversation = new Conversation({
    ...options,
    now: clock.now(),
    write: (bytes) => stream.write(bytes),
  });
  let cancelTimer: (() => void) | undefined;
  /** Does what the stream or the clock makes necessary. A bug of ours must not be lost in a callback. */
  const advance = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      return reject(error);
    }
    cancelTimer?.();
    const at = conversation.deadline();
    if (at === undefined) return resolve();
    cancelTimer = clock.schedule(at, () => advance(() => conversation.tick(clock.now())));
  };
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    advance(() =>
      stream.open({
        data: (bytes) => advance(() => conversation.receive(bytes, clock.now())),
        drain: () => undefined,
        closed: (error) => advance(() => conversation.ended(error)),
      }),
    );
    await promise;
    return conversation;
  } finally {
    cancelTimer?.();
    signal.removeEventListener('abort', onAbort);
  }
}
