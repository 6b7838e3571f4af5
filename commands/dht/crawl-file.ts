/** The file of `dht crawl --state`: read once, written now and then. @module */

import { ProtocolError } from '../../src/base/errors.ts';
import { type CrawlFile, decodeCrawl, encodeCrawl, MAX_CRAWL_BYTES } from '../../src/dht/index.ts';
import { pause } from '../../src/runtime/aborting.ts';
import type { Millis, Runtime } from '../../src/runtime/ports.ts';
import { printable } from '../cli/printable.ts';

type FileRuntime = Pick<Runtime, 'files' | 'clock'>;

/**
 * What an earlier run left at `path`; nothing when there is no file.
 *
 * @throws {ProtocolError} `BIP_DHT_CRAWL_STATE` for a damaged file, or one of something else.
 * @throws {StorageError} when it cannot be read.
 */
export async function readCrawl(
  { files }: FileRuntime,
  path: string,
): Promise<CrawlFile | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  const bytes = await files.readFile(path, { maxBytes: MAX_CRAWL_BYTES });
  try {
    return decodeCrawl(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const help = 'name another file, or remove it to begin anew';
    throw new ProtocolError(`${printable(path)} ${error.message}; ${help}`, {
      ...{ code: error.code, rule: error.rule, cause: error },
    });
  }
}

/**
 * Runs `work`, and writes what `take` gives to `path` before, every {@link SAVE_MS} and at the end, however
 * that comes about.
 *
 * @throws {StorageError} when the file cannot be written; `work` is ended by then.
 * @throws what `work` throws.
 */
export async function saving(
  { files, clock }: FileRuntime,
  { path, take, signal }: SavingOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const save = (): Promise<void> => files.writeFile(path, encodeCrawl(take()));
  await save();
  const ending = new AbortController();
  const onAbort = (): void => ending.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const done = Symbol('done');
  const saved = (async () => {
    for (;;) {
      await pause(clock, SAVE_MS, ending.signal);
      await save();
    }
  })().catch((error: unknown) => {
    if (ending.signal.aborted) return;
    ending.abort(error);
  });
  try {
    await work(ending.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!ending.signal.aborted) ending.abort(done);
    await saved;
    await save();
  }
}

interface SavingOptions {
  readonly path: string;
  readonly take: () => CrawlFile;
  readonly signal: AbortSignal;
}

/** What a crash may cost. */
const SAVE_MS: Millis = 30_000;
