/** Asks the system about files, many times over. @module */

import * as fs from 'node:fs';
import type { FileStat } from '../ports.ts';
import { statOf } from './file-stat.ts';
import { systemPath } from './system-path.ts';

/** Questions that are answered at once, one after the other; then everybody else has a turn. */
const AT_ONCE = 64;

/** A disk or network that took longer than this once is asked beside everything else, in milliseconds. */
const SLOW_MS = 0.5;

/** Questions to a slow disk before it gets another chance. */
const PATIENCE = 512;

/**
 * The threadpool costs three times what the answer does when the system has it in memory: a scan of
 * many files is quicker when it asks directly, as long as the answers come at once.
 */
export class FileLooks {
  #inRow = 0;
  #patience = 0;

  stat(path: string): Promise<FileStat> {
    return this.#look(path, fs.statSync, fs.stat);
  }

  /** Of a symlink itself. */
  statLink(path: string): Promise<FileStat> {
    return this.#look(path, fs.lstatSync, fs.lstat);
  }

  async #look(
    path: string,
    ask: (path: fs.PathLike) => fs.Stats,
    askAside: Ask,
  ): Promise<FileStat> {
    if (this.#patience > 0) this.#patience--;
    else if (this.#inRow < AT_ONCE) {
      this.#inRow++;
      const started = performance.now();
      try {
        return statOf(ask(systemPath(path)));
      } finally {
        if (performance.now() - started > SLOW_MS) this.#patience = PATIENCE;
      }
    }
    this.#inRow = 0;
    return aside(askAside, path);
  }
}

type Ask = (
  path: fs.PathLike,
  answer: (error: NodeJS.ErrnoException | null, stats: fs.Stats) => void,
) => void;

function aside(ask: Ask, path: string): Promise<FileStat> {
  return new Promise((resolve, reject) => {
    ask(systemPath(path), (error, stats) => {
      if (error === null) resolve(statOf(stats));
      else reject(error);
    });
  });
}
