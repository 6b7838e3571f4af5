/** Running a tracker until it is stopped. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError, UsageError } from '../../src/base/errors.ts';
import { Repeating } from '../../src/runtime/repeating.ts';
import { type ServiceEvent, shareByRedis, TrackerService } from '../../src/tracker/server/index.ts';
import type { Invocation } from '../cli/action.ts';
import { EventQueue } from '../cli/event-queue.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { formatDuration } from '../cli/units.ts';
import { waitFor } from '../cli/wait-for.ts';
import type { ServeEvent, TrackerNumbers } from './serve-events.ts';
import { readLists } from './serve-lists.ts';
import type { ServeFlags } from './serve-options.ts';
import { reachableUrls } from './serve-places.ts';
import { serviceOptionsOf } from './serve-settings.ts';
import { statusLine } from './serve-view.ts';

/**
 * Serves until it is stopped. What happens is yielded as it happens; the sockets are closed and the
 * state is saved before the last event.
 */
export async function* serve(
  invocation: Invocation<ServeFlags>,
  version: string,
): AsyncGenerator<ServeEvent> {
  const { context, options } = invocation;
  const { clock } = context.runtime;
  const events = new EventQueue<ServeEvent>();
  const broken = Promise.withResolvers<never>();
  const service = await open(invocation, version, (event) => {
    if (event.type === 'broken') broken.reject(event.error);
    else events.push(told(event));
  });
  const began = clock.now();
  const numbers = (): TrackerNumbers => numbersOf(service, clock.now() - began);
  const repeating = new Repeating(clock);
  repeating.every(options.logEvery, () => events.push({ type: 'numbers', ...numbers() }));
  repeating.every(DRAW_EVERY, () => invocation.reporter.status([statusLine(numbers())]));
  const unfollow = context.host?.onHangup(() => void reload(invocation, service, events));
  const running = async (): Promise<'done' | 'timeout' | 'interrupted'> => {
    try {
      return await waitFor(context, broken.promise, options.timeout);
    } finally {
      repeating.stop();
      unfollow?.();
      await service[Symbol.asyncDispose]();
      events.push({ type: 'end', ...numbers() });
      events.end();
    }
  };
  const ended = running();
  ended.catch(() => undefined);
  yield listening(service, options, context.runtime.lookup.localAddresses());
  yield* events;
  const how = await ended;
  context.signal.throwIfAborted();
  if (how === 'timeout') {
    const limit = formatDuration(options.timeout ?? 0);
    throw new LimitReached(`stopped after the --timeout of ${limit}`);
  }
}

async function open(
  { context, options }: Invocation<ServeFlags>,
  version: string,
  onEvent: (event: ServiceEvent) => void,
): Promise<TrackerService> {
  const { host, runtime } = context;
  const access = await readLists(runtime.files, options);
  const serviceOptions = serviceOptionsOf(options, { access, version });
  const { signal } = context;
  if (options.store !== undefined && host === undefined) {
    throw new UsageError('--store: there is no way to a store from here');
  }
  return TrackerService.open(
    runtime,
    { ...serviceOptions, signal, onEvent },
    host === undefined
      ? {}
      : {
          startThread: (setup) => host.startTrackerThread(setup),
          openShared: shareByRedis(runtime, {
            open: (url) => host.openRedis(url, { signal }),
            onChange: (up, reason) =>
              onEvent({ type: 'store', up, ...(reason === undefined ? {} : { reason }) }),
          }),
        },
  );
}

/** Reads the lists again; when one of them makes no sense, all stay as they were. */
async function reload(
  { context, options }: Invocation<ServeFlags>,
  service: TrackerService,
  events: EventQueue<ServeEvent>,
): Promise<void> {
  try {
    service.replaceAccess(await readLists(context.runtime.files, options));
    events.push({ type: 'reloaded' });
  } catch (error) {
    if (!(error instanceof BipError)) throw error;
    events.push({ type: 'reload-failed', code: error.code, message: error.message });
  }
}

function told(event: Exclude<ServiceEvent, { type: 'broken' }>): ServeEvent {
  if (event.type !== 'save-failed') return event;
  const { code, message } = event.error;
  return { type: 'save-failed', code, message };
}

function listening(
  { statsAt, restored, announceUrls }: TrackerService,
  { workers }: ServeFlags,
  own: readonly string[],
): ServeEvent {
  const status = statsAt && reachableUrls([`http://${formatEndpoint(statsAt)}/`], own).at(0);
  return {
    type: 'listening',
    announce: reachableUrls(announceUrls, own),
    workers,
    ...(status === undefined ? {} : { stats: status }),
    ...(restored === undefined ? {} : { restored }),
  };
}

function numbersOf(service: TrackerService, elapsedMs: number): TrackerNumbers {
  const { totals, counters, announcesPerSecond } = service.numbers;
  const { announcesHttp4, announcesHttp6, announcesUdp4, announcesUdp6 } = counters;
  const { refusedNotListed, refusedAddress, refusedPasskey } = counters;
  const { refusedFull, refusedRate, refusedBusy } = counters;
  return {
    swarms: totals.swarms,
    seeders: totals.seeders,
    leechers: totals.leechers,
    announces: announcesHttp4 + announcesHttp6 + announcesUdp4 + announcesUdp6,
    announcesPerSecond,
    scrapes: counters.scrapes,
    refused:
      refusedNotListed + refusedAddress + refusedPasskey + refusedFull + refusedRate + refusedBusy,
    elapsedMs: Math.round(elapsedMs),
  };
}

/** Milliseconds between two states of the line that redraws itself. */
const DRAW_EVERY = 1000;
