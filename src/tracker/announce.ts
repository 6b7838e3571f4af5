/** One announce to one tracker of any kind. @module */

import { announceHttp } from './http/driver.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  type TrackerRuntime,
} from './model.ts';
import { UdpTrackers } from './udp/driver.ts';
import { parseTrackerUrl } from './url.ts';

/**
 * Announces to `url`. `options.udp` is the session's {@link UdpTrackers}; without it a UDP announce
 * opens and closes sockets of its own.
 *
 * @throws {ProtocolError} with code `BIP_TRACKER_URL` when the URL must not be used.
 * @throws {TrackerRefusal} the tracker says no. {RemoteError} its answer is broken.
 * @throws {TimeoutError} there is no answer. {NetworkError} there is no way to it.
 * @throws `signal.reason` when aborted.
 */
export async function announce(
  runtime: TrackerRuntime,
  url: string,
  request: AnnounceRequest,
  options: AnnounceOptions & { readonly udp?: UdpTrackers },
): Promise<AnnounceResponse> {
  options.signal.throwIfAborted();
  const tracker = parseTrackerUrl(url);
  if (tracker.scheme !== 'udp') return announceHttp(runtime, tracker, request, options);
  if (options.udp !== undefined) return options.udp.announce(tracker, request, options);
  await using udp = new UdpTrackers(runtime);
  return await udp.announce(tracker, request, options);
}
