/** The ports of one simulated host. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import type { Clock, Millis, Runtime } from '../ports.ts';
import { abortable } from './aborting.ts';
import type { HostCore } from './core.ts';
import type { Digest } from './digest.ts';
import type { SimDisk } from './disk.ts';
import type { SimEvent } from './event-queue.ts';
import { filesOf } from './files.ts';
import { hashersOf } from './hashers.ts';
import { type HttpHost, httpOf } from './http-client.ts';
import { lookupIn, type Names } from './lookup.ts';
import { networkOf } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';
import { webSocketsOf } from './web-socket.ts';

/** What all hosts of a world have in common. */
export interface Shared {
  readonly names: Names;
  readonly digest: Digest | undefined;
  /** Milliseconds since 1970 when the world began. */
  readonly epochMs: number;
  /** See {@link RuntimeHost.tlsFault}; of the host at that address. */
  tlsFault(from: HostCore, to: Endpoint, wantsSecure: boolean): string | undefined;
}

/** What a runtime needs of its host beyond the network. */
export interface RuntimeHost extends HostCore {
  readonly random: SeededRandom;
  readonly disk: SimDisk;
  timer(at: Millis, wake: () => void): SimEvent;
  cancelTimer(event: SimEvent): void;
  sleep(delay: Millis): Promise<void>;
}

export function hostRuntime(host: RuntimeHost, shared: Shared): Runtime {
  const { timeline } = host.world;
  const { epoch } = host;
  const network = networkOf(host);
  const lookup = lookupIn(shared.names, timeline, host);
  const wallNow = (): number => shared.epochMs + timeline.now;
  const files = filesOf({
    disk: host.disk,
    wallNow,
    opened: (handle) => host.opened(handle),
    closed: (handle) => host.closed(handle),
    async wait(length) {
      const done = host.disk.doneAt(timeline.now, length);
      if (host.epoch !== epoch) await new Promise<never>(() => undefined);
      if (done > timeline.now) await host.sleep(done - timeline.now);
    },
  });
  const clock: Clock = {
    now: () => timeline.now,
    schedule(at, wake) {
      // What died in a crash may still hold this clock.
      if (host.epoch !== epoch) return () => undefined;
      const event = host.timer(at, wake);
      return () => host.cancelTimer(event);
    },
  };
  const web: HttpHost = {
    network,
    clock,
    lookup,
    tls: { ...TLS, validUntil: shared.epochMs + CERTIFICATE_LIFETIME },
    async handshake(to, secure, signal) {
      const target = host.world.hostAt(to.host, host);
      const { latencyMs } = host.world.paths.between(host, target ?? host);
      // TLS 1.3: one round trip before the request.
      if (secure) await abortable(signal, host.sleep(2 * latencyMs));
      return shared.tlsFault(host, to, secure);
    },
  };
  return {
    clock,
    wallClock: { now: wallNow },
    random: host.random,
    network,
    lookup,
    http: httpOf(web),
    webSockets: webSocketsOf(web),
    files,
    hashers: hashersOf(files, shared.digest),
  };
}

/** Of every connection to a server with a good certificate. */
const TLS = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  issuer: 'Simulated Authority',
} as const;
/** Milliseconds from the beginning of the world: 90 days. */
const CERTIFICATE_LIFETIME: Millis = 7_776_000_000;
