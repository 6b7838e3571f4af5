/** A simulated world with {@link TinyTracker}s in it. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { TinyTracker } from './tiny-tracker.ts';

/** A signal that nobody aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** The port that trackers in the tests listen on. */
export const TRACKER_PORT = 6969;

/** A tracker on one port of a host, over UDP and HTTP. */
export interface TrackerHost {
  readonly tiny: TinyTracker;
  readonly udpUrl: string;
  readonly httpUrl: string;
  /** Packets that came, answered or not. */
  readonly packets: { readonly at: number; readonly from: Endpoint; readonly bytes: Uint8Array }[];
  /** While true nobody is answered over UDP. */
  deaf: boolean;
}

export async function serveTracker(world: World, host: SimHost): Promise<TrackerHost> {
  const tiny = new TinyTracker();
  const name = host.address.includes(':') ? `[${host.address}]` : host.address;
  const tracker: TrackerHost = {
    tiny,
    udpUrl: `udp://${name}:${TRACKER_PORT}/announce`,
    httpUrl: `http://${name}:${TRACKER_PORT}/announce`,
    packets: [],
    deaf: false,
  };
  const socket = await host.runtime.network.bindDatagrams({ port: TRACKER_PORT, signal: NEVER });
  socket.receive((bytes, from) => {
    tracker.packets.push({ at: world.now, from, bytes: bytes.slice() });
    const answer = tracker.deaf ? undefined : tiny.udp(bytes, from);
    if (answer !== undefined) socket.send(answer, from);
  });
  host.serveHttp(TRACKER_PORT, ({ target, from }) => tiny.http(target, from));
  return tracker;
}

/** What `work` failed with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
