/** What people are told of `dht serve` beside its result, on stderr. @module */

import type { Reporter } from '../cli/reporter.ts';
import type { FamilyName, ServeEvent } from './serve-events.ts';
import { countOf } from './words.ts';

/** What a sentence depends on beside its event. */
export interface NoteContext {
  /** It is about to end: what is saved then is the last thing to know of it. */
  readonly closing: boolean;
  /** It began with nobody, as the first node of a network does. */
  readonly isFirst: boolean;
}

export function tellPeople(
  event: ServeEvent,
  reporter: Reporter,
  { closing, isFirst }: NoteContext,
): void {
  switch (event.type) {
    case 'listening':
      return tellOfTable(event, reporter);
    case 'joined':
      return reporter.step(`joined ${dhtOf(event.family)} by ${countOf(event.nodes, 'node')}`);
    case 'alone':
      return tellOfNobody(event.family, reporter, isFirst);
    case 'address':
      return reporter.explain(addressWords(event));
    case 'saved': {
      const sentence = `saved ${countOf(event.nodes, 'node')} to ${event.path}`;
      return closing ? reporter.step(sentence) : reporter.explain(sentence);
    }
    case 'save-failed':
      return reporter.warn(`the table was not saved: ${event.message}`);
    default:
      return undefined;
  }
}

function tellOfNobody(family: FamilyName, reporter: Reporter, isFirst: boolean): void {
  if (isFirst) return reporter.step(`${dhtOf(family)}: nobody else is here yet`);
  return reporter.warn(
    `no node of ${dhtOf(family)} answers; they are asked again and again; --bootstrap HOST:PORT names others`,
  );
}

function addressWords({
  family,
  externalIp,
  secure,
}: Extract<ServeEvent, { type: 'address' }>): string {
  const verdict = secure ? 'fits it' : 'does not fit it (BEP 42)';
  return `${dhtOf(family)} sees this node at ${externalIp}; its id ${verdict}`;
}

function tellOfTable(
  { restored }: Extract<ServeEvent, { type: 'listening' }>,
  reporter: Reporter,
): void {
  if (restored !== undefined && restored.nodes > 0) {
    reporter.step(`restored ${countOf(restored.nodes, 'node')}`);
  }
}

function dhtOf(family: FamilyName): string {
  return `the DHT of IPv${family === 'ipv4' ? 4 : 6}`;
}
