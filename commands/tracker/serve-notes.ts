/** What people are told of `tracker serve` beside its result, on stderr. @module */

import type { Reporter } from '../cli/reporter.ts';
import type { ServeEvent } from './serve-events.ts';
import { count } from './serve-view.ts';

/** `closing`: it is about to end. What is saved then is the last thing to know of it. */
export function tellPeople(event: ServeEvent, reporter: Reporter, closing: boolean): void {
  switch (event.type) {
    case 'reloaded':
      return reporter.step('the lists were read again');
    case 'reload-failed':
      return reporter.warn(`the lists stay as they were: ${event.message}`);
    case 'store':
      return tellOfStore(event, reporter);
    case 'saved': {
      const sentence = `saved ${peersOf(event)} to ${event.path}`;
      return closing ? reporter.step(sentence) : reporter.explain(sentence);
    }
    case 'save-failed':
      return reporter.warn(`the state was not saved: ${event.message}`);
    case 'untold':
      return reporter.warn(
        `${count(event.announces, 'announce')} could not be told: the reader of stdout is too slow`,
      );
    case 'crowded':
      return reporter.warn(
        'all connections over HTTP are taken, new ones take the place of quiet ones: see --max-connections and ulimit -n',
      );
    case 'listening':
      return tellOfState(event, reporter);
    default:
      return undefined;
  }
}

function tellOfState(
  { restored }: Extract<ServeEvent, { type: 'listening' }>,
  reporter: Reporter,
): void {
  if (restored !== undefined && restored.swarms > 0) reporter.step(`restored ${peersOf(restored)}`);
}

function tellOfStore(
  { up, reason }: Extract<ServeEvent, { type: 'store' }>,
  reporter: Reporter,
): void {
  if (up) return reporter.step('the store is there again');
  const because = reason === undefined ? '' : `: ${reason}`;
  return reporter.warn(`the store is away, answers come from this tracker alone${because}`);
}

function peersOf({ peers, swarms }: { readonly peers: number; readonly swarms: number }): string {
  return `${count(peers, 'peer')} of ${count(swarms, 'torrent')}`;
}
