/** What a search for metadata looks like on a terminal while it goes on. @module */

import ora from 'ora';
import type { Clock, Millis } from '../../src/runtime/ports.ts';
import type { MetadataSearch } from '../../src/session/index.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { formatSize } from '../cli/units.ts';

interface Shown {
  readonly search: MetadataSearch;
  readonly name: string | undefined;
}

/** Draws all searches that are under way, as far as there is room. */
export class FetchPicture {
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #total: number;
  readonly #shown = new Set<Shown>();
  // ora animates a stream of the process by itself; here it only supplies the frames.
  readonly #spinner = ora({ isEnabled: false, isSilent: true, discardStdin: false });
  #ended = 0;
  #cancel: (() => void) | undefined;

  /** `total`: how many searches there will be. */
  constructor(clock: Clock, reporter: Reporter, total: number) {
    this.#clock = clock;
    this.#reporter = reporter;
    this.#total = total;
    this.#next();
  }

  /** Draws a search until the returned function is called. */
  show(search: MetadataSearch, name: string | undefined): () => void {
    const shown = { search, name };
    this.#shown.add(shown);
    return () => {
      this.#shown.delete(shown);
      this.#ended++;
    };
  }

  /** Takes the picture away. */
  end(): void {
    this.#cancel?.();
    this.#reporter.status([]);
  }

  #next(): void {
    this.#cancel = this.#clock.schedule(this.#clock.now() + DRAW_INTERVAL, () => {
      this.#next();
      this.#draw();
    });
  }

  #draw(): void {
    const { style, columns } = this.#reporter;
    const frame = this.#spinner.frame().trimEnd();
    const all = [...this.#shown];
    const lines = all.slice(0, MAX_ROWS).flatMap(({ search, name }) => {
      const title = printable(name ?? search.infoHash.hex).slice(0, columns - 3);
      return [`${frame} ${style.bold(title)}`, `  ${wordsOf(search)}`.slice(0, columns - 1)];
    });
    const more = all.length - MAX_ROWS;
    if (more > 0) lines.push(style.dim(`  and ${more} more`));
    if (this.#total > 1) lines.push(`${this.#ended} of ${this.#total} are over`);
    this.#reporter.status(lines);
  }
}

/** How far a search is: each state says what is waited for. */
function wordsOf({ progress }: MetadataSearch): string {
  const { known, connected, bytes } = progress;
  const peers = countOf(connected, 'peer');
  if (bytes !== undefined) {
    return `${formatSize(bytes.done)} of ${formatSize(bytes.total)} of the metadata, from ${peers}`;
  }
  if (connected > 0) return `asking ${peers} for the metadata, of ${addressesOf(known)}`;
  return known > 0 ? `calling ${addressesOf(known)}` : 'looking for peers';
}

function addressesOf(count: number): string {
  return `${count} ${count === 1 ? 'address' : 'addresses'} known`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const DRAW_INTERVAL: Millis = 150;
/** Searches that are drawn. */
const MAX_ROWS = 6;
