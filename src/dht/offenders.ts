/** Addresses that send what makes no sense are ignored for a while. @module */

import type { Millis } from '../runtime/ports.ts';

interface Record {
  /** How often since {@link since}. */
  count: number;
  since: Millis;
  ignoredUntil: Millis;
}

export class Offenders {
  /** The one that was not seen for longest comes first. */
  readonly #records = new Map<string, Record>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#records.size;
  }

  /** Datagrams of `host` are not to be looked at. */
  isIgnored(host: string, now: Millis): boolean {
    if (this.#records.size === 0) return false;
    const record = this.#records.get(host);
    return record !== undefined && now < record.ignoredUntil;
  }

  /** `host` sent what is no KRPC, or answered what nobody asked. */
  offended(host: string, now: Millis): void {
    const before = this.#records.get(host);
    this.#records.delete(host);
    const isNew = before === undefined || now - before.since >= WINDOW_MS || now < before.since;
    const record = isNew ? { count: 0, since: now, ignoredUntil: 0 } : before;
    record.count++;
    if (record.count > MAX_OFFENCES) record.ignoredUntil = now + IGNORED_MS;
    this.#records.set(host, record);
    if (this.#records.size <= MAX_RECORDS) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      return;
    }
  }
}

/** Late answers come now and then, of anybody. */
const MAX_OFFENCES = 50;
const WINDOW_MS = 10_000;
/** As libtorrent's. */
const IGNORED_MS = 5 * 60_000;
const MAX_RECORDS = 256;
