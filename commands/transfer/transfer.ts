/** Runs torrents of a session and turns what happens into events. @module */

import type { Session, Torrent, TorrentEvent, TorrentOptions } from '../../src/session/index.ts';
import type { Context } from '../cli/context.ts';
import { EventQueue } from '../cli/event-queue.ts';
import type { Reporter } from '../cli/reporter.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { type EndEvent, eventOf, progressEvent, type TransferEvent } from './events.ts';
import { ProgressPicture } from './progress.ts';

/** How often the terminal is drawn and how often scripts hear of progress. */
const DRAW_INTERVAL = 150;
const PROGRESS_INTERVAL = 1_000;

export interface TransferOptions {
  readonly context: Context;
  readonly session: Session;
  readonly reporter: Reporter;
  readonly torrent: Omit<TorrentOptions, 'onEvent'>;
  /** Events of pieces are wanted. */
  readonly pieces: boolean;
  /** `progress` events are wanted. */
  readonly progress: boolean;
  /** Warnings are lines of JSON, not sentences on stderr. */
  readonly json: boolean;
  /** Passkeys in the URLs of warnings may be shown. */
  readonly reveal: boolean;
}

/** One torrent under way. */
export class Transfer {
  readonly torrent: Torrent;
  readonly events: EventQueue<TransferEvent> = new EventQueue();
  readonly #options: TransferOptions;
  readonly #started: number;
  readonly #picture: ProgressPicture | undefined;
  #checking: { readonly done: number; readonly total: number } | undefined;
  #timers: (() => void)[] = [];
  #lastProgress = '';

  constructor(options: TransferOptions) {
    const { context, session, reporter } = options;
    this.#options = options;
    this.#started = context.runtime.clock.now();
    this.#picture = reporter.live ? new ProgressPicture() : undefined;
    this.torrent = session.add({ ...options.torrent, onEvent: (event) => this.#take(event) });
    if (this.#picture !== undefined) this.#repeat(DRAW_INTERVAL, () => this.draw());
    if (options.progress) this.#repeat(PROGRESS_INTERVAL, () => this.#progress());
  }

  /** Draws the state as it is now; no-op without a terminal. */
  draw(): void {
    const { reporter } = this.#options;
    if (this.#picture === undefined) return;
    const state = { name: this.torrent.metainfo?.name, checking: this.#checking };
    reporter.status(this.#picture.lines(this.torrent, state, reporter));
  }

  /** No event and no drawing any more. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
    this.events.end();
  }

  /** The last event; the picture makes room for the result. */
  end(): EndEvent {
    this.stop();
    this.#options.reporter.status([]);
    const { root } = this.#options.torrent;
    const { state, done, total, downloaded, uploaded, wasted } = this.torrent.stats();
    const name = this.torrent.metainfo?.name;
    return {
      type: 'end',
      complete: state === 'seeding',
      path: name === undefined ? root : `${root}/${name}`,
      done,
      total,
      downloaded,
      uploaded,
      wasted,
      elapsedMs: Math.round(this.#options.context.runtime.clock.now() - this.#started),
    };
  }

  #take(event: TorrentEvent): void {
    const { json, reporter, pieces, reveal } = this.#options;
    this.#show(reveal ? event : masked(event), { json, reporter, pieces });
  }

  #show(
    event: TorrentEvent,
    { json, reporter, pieces }: Pick<TransferOptions, 'json' | 'reporter' | 'pieces'>,
  ): void {
    if (event.type === 'checking') this.#checking = event;
    else if (event.type === 'note') reporter.explain(event.message);
    else if (event.type === 'warning' && !json) reporter.warn(event.message);
    const shown = eventOf(event, pieces);
    if (shown !== undefined) this.events.push(shown);
  }

  #progress(): void {
    const { state } = this.torrent.stats();
    if (state !== 'downloading' && state !== 'seeding') return;
    const event = progressEvent(this.torrent.stats());
    const text = JSON.stringify(event);
    if (text === this.#lastProgress) return;
    this.#lastProgress = text;
    this.events.push(event);
  }

  #repeat(interval: number, work: () => void): void {
    const { clock } = this.#options.context.runtime;
    const slot = this.#timers.length;
    const next = (): void => {
      this.#timers[slot] = clock.schedule(clock.now() + interval, () => {
        next();
        work();
      });
    };
    next();
  }
}

/** Sentences about trackers name their URLs. */
function masked(event: TorrentEvent): TorrentEvent {
  if (event.type !== 'warning' && event.type !== 'note') return event;
  const message = event.message.replace(/\w+:\/\/[^\s`'"]+/g, (url) => maskSecrets(url));
  return { ...event, message };
}
