/** Making torrents of files in tests, with nothing but what matters to the test. @module */

import {
  type CreatedTorrent,
  type CreateOptions,
  createTorrent,
  type Scan,
} from '../../src/content/index.ts';
import type { Version } from '../../src/metainfo/index.ts';
import type { Files, Runtime } from '../../src/runtime/ports.ts';
import { scan } from './tree.ts';

export const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];

/** What differs from the defaults: v1 and v2 in one, pieces of 16 KiB. */
export interface Wish extends Partial<Omit<CreateOptions, 'scan' | 'info'>> {
  readonly version?: Version;
  readonly pieceLength?: number;
  readonly align?: boolean;
}

/** Everything below `input`, hidden files and links as they are. */
export function scanAll(files: Files, input: string): Promise<Scan> {
  return scan(files, input, { hidden: true, junk: true, symlinks: 'keep' });
}

/** The torrent of what was found. */
export function made(
  runtime: Pick<Runtime, 'hashers'>,
  found: Scan,
  wish: Wish = {},
): Promise<CreatedTorrent> {
  const { version = 'hybrid', pieceLength = 16_384, align, ...rest } = wish;
  return createTorrent(runtime, {
    surroundings: {},
    order: 'auto',
    signal: new AbortController().signal,
    ...rest,
    scan: found,
    info: { version, pieceLength, ...(align === undefined ? {} : { align }) },
  });
}

/** Everything below `path`, scanned and made a torrent of. */
export async function madeOf(
  runtime: Pick<Runtime, 'files' | 'hashers'>,
  path: string,
  wish: Wish = {},
): Promise<CreatedTorrent> {
  return made(runtime, await scanAll(runtime.files, path), wish);
}
