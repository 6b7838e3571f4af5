/** Running a tracker until it is stopped. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { Repeating } from '../../src/runtime/repeating.ts';
import {
  type ServiceEvent,
  type ServiceHost,
  shareByRedis,
  TrackerService,
} from '../../src/tracker/server/index.ts';
import type { Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { reachableUrls, withPasskey } from '../cli/places.ts';
import { portTaken } from '../cli/serving-flags.ts';
import { formatDuration } from '../cli/units.ts';
import { waitFor } from '../cli/wait-for.ts';
import { connectionsOf } from './serve-connections.ts';
import type { ServeEvent, TrackerNumbers } from './serve-events.ts';
import { TrackerJournal } from './serve-journal.ts';
import { readLists } from './serve-lists.ts';
import type { ServeFlags } from './serve-options.ts';
import { Reloader } from './serve-reload.ts';
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
  const { runtime, host } = context;
  const journal = new TrackerJournal(invocation);
  const reloader = new Reloader(runtime.files, options, (event) => journal.push(event));
  // From the first moment on: a hangup that nobody waits for ends the process.
  const unfollow = host?.onHangup(() => reloader.ask());
  try {
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => undefined);
    const service = await open(invocation, version, (event) => {
      if (event.type === 'broken') broken.reject(event.error);
      else journal.push(told(event));
    });
    journal.begin(listening(service, options, runtime.lookup.localAddresses()));
    reloader.serve(service);
    const ended = run(service, { invocation, journal, broken: broken.promise });
    // Looked at when the events have been read.
    ended.catch(() => undefined);
    yield* journal;
    const how = await ended;
    context.signal.throwIfAborted();
    if (how === 'timeout') {
      const limit = formatDuration(options.timeout ?? 0);
      throw new LimitReached(`stopped after the --timeout of ${limit}`);
    }
  } finally {
    unfollow?.();
  }
}

async function run(
  service: TrackerService,
  {
    invocation: { context, options, reporter },
    journal,
    broken,
  }: {
    readonly invocation: Invocation<ServeFlags>;
    readonly journal: TrackerJournal;
    readonly broken: Promise<never>;
  },
): Promise<'done' | 'timeout' | 'interrupted'> {
  const { clock } = context.runtime;
  const began = clock.now();
  const numbers = (): TrackerNumbers => numbersOf(service, clock.now() - began);
  const repeating = new Repeating(clock);
  repeating.every(options.logEvery, () => {
    journal.admit();
    journal.push({ type: 'numbers', ...numbers() });
  });
  const draw = (): void => reporter.status([statusLine(numbers(), reporter.columns)]);
  if (reporter.live && !streams(context, options)) repeating.every(DRAW_EVERY, draw);
  try {
    return await waitFor(context, broken, options.timeout);
  } finally {
    repeating.stop();
    reporter.status([]);
    journal.close();
    await service[Symbol.asyncDispose]();
    journal.end({ type: 'end', ...numbers() });
  }
}

/** Whether lines come again and again to a pipe: its reader (`| jq`) may print to the same terminal. */
function streams(
  { stdout }: Context,
  { json, logAnnounces }: Invocation<ServeFlags>['options'],
): boolean {
  return !stdout.isTTY && (json === true || logAnnounces === true);
}

async function open(
  { context, options, reporter }: Invocation<ServeFlags>,
  version: string,
  onEvent: (event: ServiceEvent) => void,
): Promise<TrackerService> {
  const { host, runtime, signal } = context;
  if (options.store !== undefined && host === undefined) {
    throw new UsageError('--store: there is no way to a store from here');
  }
  const settings = serviceOptionsOf(options, version);
  const access = await readLists(runtime.files, options);
  const serviceHost: ServiceHost =
    host === undefined
      ? {}
      : {
          startThread: (setup) => host.startTrackerThread(setup),
          openShared: shareByRedis(runtime, {
            open: (url) => host.openRedis(url, { signal }).catch(nameStore),
            onChange: (up, reason) =>
              onEvent({ type: 'store', up, ...(reason === undefined ? {} : { reason }) }),
          }),
        };
  const maxConnections = connectionsOf(options, host?.descriptorsLeft());
  reporter.explain(`${maxConnections} connections over HTTP at most`);
  const http = { maxConnections, requestTimeoutMs: options.requestTimeout };
  const serviceOptions = { ...settings, http, access, signal, onEvent };
  return TrackerService.open(runtime, serviceOptions, serviceHost).catch((error: unknown) => {
    throw portTaken(error, options.stats) ?? error;
  });
}

function nameStore(error: unknown): never {
  if (!(error instanceof UsageError)) throw error;
  throw new UsageError(`--store: ${error.message}`, { cause: error });
}

function told(event: Exclude<ServiceEvent, { type: 'broken' }>): ServeEvent {
  if (event.type !== 'save-failed') return event;
  const { code, message } = event.error;
  return { type: 'save-failed', code, message };
}

function listening(
  { statsAt, restored, announceUrls }: TrackerService,
  { workers, passkeys }: ServeFlags,
  own: readonly string[],
): ServeEvent {
  const status = statsAt && reachableUrls([`http://${formatEndpoint(statsAt)}/`], own).at(0);
  const urls = reachableUrls(announceUrls, own);
  return {
    type: 'listening',
    announce: passkeys === undefined ? urls : urls.map(withPasskey),
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
