/** Where the .torrent of a link goes, and what it is made of. @module */

import { invariant, UsageError } from '../../src/base/errors.ts';
import { type Magnet, magnetTiers } from '../../src/magnet/index.ts';
import {
  encodeTorrent,
  type Metainfo,
  parseInfo,
  parseMetainfo,
} from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { Slots } from '../cli/slots.ts';
import { parseOptions } from '../cli/torrent-argument.ts';
import { planOutput, probeOutput, writeTorrent } from '../metainfo/create-output.ts';

export interface OutputFlags {
  readonly output?: string;
  readonly force?: true;
}

export interface FetchedTorrent {
  readonly metainfo: Metainfo;
  /** Of the .torrent. */
  readonly bytes: Uint8Array;
}

/** A torrent of metadata that peers gave, and of what the link says beside it. */
export function torrentOf(context: Context, info: Uint8Array, magnet: Magnet): FetchedTorrent {
  const options = parseOptions(context);
  const fetched = parseInfo(info, {}, options);
  const bytes = encodeTorrent(info, {
    announce: magnetTiers(magnet),
    webSeeds: magnet.webSeeds,
    // Private torrents have nothing to do with nodes (BEP 27).
    nodes: fetched.private ? [] : magnet.nodes,
  });
  const metainfo = parseMetainfo(bytes, options);
  const isSame =
    metainfo.infoHash?.hex === fetched.infoHash?.hex &&
    metainfo.infoHashV2?.hex === fetched.infoHashV2?.hex;
  invariant(isSame, 'the info dictionary is written as it came');
  return { metainfo, bytes };
}

/** `--output` of one run. */
export class FetchOutput {
  readonly #context: Context;
  readonly #flags: OutputFlags;
  readonly #taken = new Set<string>();
  /** One torrent is written after the other: two may have one name. */
  readonly #writing = new Slots(1);

  constructor(context: Context, flags: OutputFlags) {
    this.#context = context;
    this.#flags = flags;
  }

  /** @throws {UsageError} when the output cannot hold so many torrents. */
  async check(count: number, json: boolean): Promise<void> {
    const { output } = this.#flags;
    if (output === '-' && json) {
      throw new UsageError('the result is a torrent, not JSON: use --json with --output FILE only');
    }
    if (count < 2 || output === undefined || /\{\w+\}|\/$/.test(output)) return;
    const there = await this.#context.runtime.files.stat(output);
    if (there?.kind === 'directory') return;
    throw new UsageError(
      `--output ${printable(output)} is one file for ${count} torrents; name a folder, or use {name} or {infoHash}`,
    );
  }

  /**
   * What is known of the path before the torrent is.
   *
   * @throws {UsageError} {StorageError} when it is certain that it cannot be written.
   */
  async plan({ infoHash }: Magnet): Promise<string | undefined> {
    const { output, force = false } = this.#flags;
    const known = infoHash === undefined ? output : output?.replaceAll('{infoHash}', infoHash.hex);
    const wish = { output: known, force, taken: this.#taken };
    // The name is known later, as one of the placeholders is; it may hold neither of them.
    const planned = await planOutput(this.#context, { ...wish, name: '{infoHash}' });
    await probeOutput(this.#context, planned);
    return known;
  }

  /**
   * Writes to what {@link plan} gave.
   *
   * @returns the path; `-` for stdout, where nothing is written yet.
   * @throws {StorageError} when something is there, and when the disk refuses.
   */
  write(output: string | undefined, torrent: FetchedTorrent): Promise<string> {
    const { force = false } = this.#flags;
    const { name } = torrent.metainfo;
    return this.#writing.run(async () => {
      const wish = { output, force, name, taken: this.#taken };
      const planned = await planOutput(this.#context, wish);
      if (planned === '-') return planned;
      const path = await writeTorrent(this.#context, planned, { ...torrent, force });
      this.#taken.add(path);
      return path;
    });
  }

  /** Says what is odd about a torrent. */
  warn(
    reporter: Reporter,
    { name, warnings, private: isPrivate, announce }: Metainfo,
    path: string,
  ): void {
    const which = printable(path === '-' ? name : path);
    for (const { code, message } of warnings) {
      const isMissing = code === 'piece-layers-missing';
      const how = isMissing ? ', as peers give no piece layers with the metadata (BEP 9, 52)' : '';
      reporter.warn(`${which}: ${message}${how}`);
    }
    if (isPrivate && announce.length === 0) {
      reporter.warn(`${which} is private and the link names no tracker: nobody will find a peer`);
    }
  }
}
