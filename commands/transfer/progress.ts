/** The progress of a transfer on a terminal. @module */

import ora from 'ora';
import type { Torrent, TorrentStats } from '../../src/session/index.ts';
import { type BarOptions, bar } from '../cli/bar.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration, formatSize } from '../cli/units.ts';

/** What is drawn beside the numbers of {@link TorrentStats}. */
export interface ProgressState {
  readonly name: string | undefined;
  /** Bytes judged and all, while existing data is hashed. */
  readonly checking: { readonly done: number; readonly total: number } | undefined;
}

const MIN_WIDTH = 30;

/** Draws a torrent; keeps the spinner between two drawings. */
export class ProgressPicture {
  // ora animates a stream of the process by itself; here it only supplies the frames.
  readonly #spinner = ora({ isEnabled: false, isSilent: true, discardStdin: false });

  lines(
    torrent: Torrent,
    state: ProgressState,
    { style, columns }: { readonly style: Style; readonly columns: number },
  ): string[] {
    const width = Math.max(MIN_WIDTH, columns - 1);
    const stats = torrent.stats();
    const name = clip(state.name ?? torrent.infoHash.hex, width);
    if (stats.state === 'metadata') {
      const peers = count(stats.peers, 'peer');
      return [this.#spin(style.bold(name)), `  asking ${peers} for the metadata`];
    }
    if (stats.state === 'checking') {
      const { done, total } = state.checking ?? { done: 0, total: stats.total };
      return [
        this.#spin(style.bold(name)),
        bar(done, total, { style, width }),
        `  checking what is there: ${formatSize(done)} of ${formatSize(total)}`,
      ];
    }
    if (stats.state === 'seeding') return [style.bold(name), seedNumbers(stats, style)];
    return [
      style.bold(name),
      bar(stats.done, stats.total, { style, width }),
      numbers(stats, style),
      pieceMap(torrent, stats.pieceCount, { style, width }),
    ];
  }

  #spin(text: string): string {
    return `${this.#spinner.frame().trimEnd()} ${text}`;
  }
}

function numbers(stats: TorrentStats, style: Style): string {
  const parts = [
    style.green(`↓ ${formatSize(Math.round(stats.downloadBytesPerSecond))}/s`),
    style.blue(`↑ ${formatSize(Math.round(stats.uploadBytesPerSecond))}/s`),
    `${count(stats.peers, 'peer')} (${count(stats.seeds, 'seed')})`,
  ];
  const left = stats.total - stats.done;
  if (left > 0 && stats.downloadBytesPerSecond > 1) {
    parts.push(`${formatDuration((left / stats.downloadBytesPerSecond) * 1000)} left`);
  }
  return `  ${parts.join('  ')}`;
}

function seedNumbers(stats: TorrentStats, style: Style): string {
  const rate = style.blue(`↑ ${formatSize(Math.round(stats.uploadBytesPerSecond))}/s`);
  return `  seeding ${formatSize(stats.total)}  ${rate}  ${count(stats.peers, 'peer')}  ${formatSize(stats.uploaded)} sent`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** One cell for a run of pieces: full when all are there, shaded by share, a mark while some are open. */
function pieceMap(torrent: Torrent, pieces: number, { style, width }: BarOptions): string {
  const cells = Math.min(pieces, width - 4);
  if (cells <= 1) return '';
  let map = '';
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * pieces) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * pieces) / cells));
    map += pieceCell(torrent, from, to, style);
  }
  return `  ${map}`;
}

/** Pieces looked at for one cell; of more, these many are sampled. */
const SAMPLES = 32;

function pieceCell(torrent: Torrent, from: number, to: number, style: Style): string {
  let done = 0;
  let open = 0;
  let seen = 0;
  const step = Math.max(1, Math.floor((to - from) / SAMPLES));
  for (let piece = from; piece < to; piece += step) {
    const state = torrent.pieceState(piece);
    seen++;
    if (state === 'done') done++;
    else if (state === 'open') open++;
  }
  if (done === seen) return style.green('█');
  if (open > 0) return style.yellow(done * 2 >= seen ? '▓' : '▒');
  if (done === 0) return style.dim('░');
  return style.green(done * 2 >= seen ? '▓' : '▒');
}

/** Cut between characters, not inside of one. */
function clip(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
