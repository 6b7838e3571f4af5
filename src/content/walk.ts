/** The walk through the folders of a scan. @module */

import { compareNames } from '../base/bytes.ts';
import { StorageError, UsageError } from '../base/errors.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import { brokenLink, enterLink, type FolderOnTheWay, statTarget } from './follow.ts';
import { type IgnoreChain, isIgnored, readIgnoreFiles } from './ignore.ts';
import { childPath } from './inputs.ts';
import { isJunk } from './junk.ts';
import {
  MAX_FILES,
  type ScannedFile,
  type ScanOptions,
  type Skipped,
  type SkipReason,
} from './scanned.ts';

/** Questions to the file system that are under way at once. */
const PARALLEL_LOOKS = 32;

/** Components below the torrent's name; what reads torrents refuses more. */
const MAX_DEPTH = 100;

/** A folder to begin with. */
export interface WalkRoot {
  /** What it is in the torrent. */
  readonly path: readonly string[];
  readonly source: string;
  /** Its absolute path, with no symlink in it. */
  readonly real: string;
}

/** Where a folder or file was found. */
interface Place {
  readonly path: readonly string[];
  readonly source: string;
  readonly folder: Folder | undefined;
}

/** A folder of the walk: its names in order, and what became of each. */
interface Folder extends WalkRoot, FolderOnTheWay {
  readonly parent: Folder | undefined;
  readonly ignore: IgnoreChain | undefined;
  readonly names: readonly string[];
  readonly slots: (ScannedFile | Skipped | Folder | undefined)[];
  /** How many of the names were begun with. */
  begun: number;
}

/** What a walk found, by path below each root. */
export interface Found {
  readonly files: readonly ScannedFile[];
  readonly skipped: readonly Skipped[];
  /** What the links say that were kept. */
  readonly linkTexts: ReadonlyMap<ScannedFile, string>;
}

/** One walk. The order in which the system answers changes nothing. */
export class Walk {
  readonly #files: Files;
  readonly #options: ScanOptions;
  readonly #linkTexts = new Map<ScannedFile, string>();
  /** Folders with names that were not begun with, the deepest last: few are open at once. */
  readonly #open: Folder[] = [];
  readonly #end = Promise.withResolvers<void>();
  #active = 0;
  /** Files and folders that were taken. */
  #taken = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(files: Files, options: ScanOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Everything in these folders, one after the other. */
  async find(roots: readonly WalkRoot[]): Promise<Found> {
    const folders: Folder[] = [];
    for (const { path, source, real } of roots) {
      folders.push(await this.#enter({ path, source, folder: undefined }, real));
    }
    this.#pump();
    await this.#end.promise;
    const files: ScannedFile[] = [];
    const skipped: Skipped[] = [];
    for (const folder of folders) flatten(folder, files, skipped);
    return { files, skipped, linkTexts: this.#linkTexts };
  }

  #pump(): void {
    for (let folder = this.#open.at(-1); folder; folder = this.#open.at(-1)) {
      if (this.#active >= PARALLEL_LOOKS) return;
      const index = folder.begun++;
      if (folder.begun >= folder.names.length) this.#open.pop();
      if (index >= folder.names.length) continue;
      this.#active++;
      this.#look(folder, index).then(
        () => this.#looked(),
        (error: unknown) => this.#looked({ error }),
      );
    }
    if (this.#active > 0) return;
    if (this.#failure === undefined) this.#end.resolve();
    else this.#end.reject(this.#failure.error);
  }

  #looked(failure?: { readonly error: unknown }): void {
    this.#active--;
    this.#failure ??= failure;
    if (this.#failure !== undefined) this.#open.length = 0;
    this.#pump();
  }

  async #look(folder: Folder, index: number): Promise<void> {
    this.#options.signal.throwIfAborted();
    const name = folder.names[index] ?? '';
    const source = childPath(folder.source, name);
    const why = this.#unwanted(name);
    if (why !== undefined) {
      folder.slots[index] = { path: source, why };
      return;
    }
    const stat = await this.#files.statLink(source);
    if (stat === undefined) throw vanished(source);
    const place = { path: [...folder.path, name], source, folder };
    folder.slots[index] =
      stat.kind === 'symlink'
        ? await this.#takeLink(place, folder, stat)
        : await this.#take(place, stat, async () => childPath(folder.real, name));
  }

  #unwanted(name: string): SkipReason | undefined {
    const { hidden, junk } = this.#options;
    if (!junk && isJunk(name)) return 'junk';
    return !hidden && name.startsWith('.') ? 'hidden' : undefined;
  }

  async #takeLink(place: Place, folder: Folder, stat: FileStat): Promise<Folder['slots'][number]> {
    const { source } = place;
    const { symlinks } = this.#options;
    if (symlinks === 'skip') return { path: source, why: 'symlink' };
    if (symlinks === 'keep') return this.#keepLink(place, stat);
    const target = await statTarget(this.#files, source);
    if (target !== undefined) {
      return this.#take(place, target, () => enterLink(this.#files, source, folder));
    }
    const why = this.#refusal(place, 'file');
    if (why === undefined) throw await brokenLink(this.#files, source);
    return { path: source, why };
  }

  async #keepLink(place: Place, { modified }: FileStat): Promise<ScannedFile | Skipped> {
    const { path, source } = place;
    const why = this.#refusal(place, 'file');
    if (why !== undefined) return { path: source, why };
    const link = { path, source, length: 0, modified, executable: false };
    this.#linkTexts.set(link, await this.#files.readLink(source));
    this.#count();
    return link;
  }

  async #take(
    place: Place,
    { kind, size, modified, executable }: FileStat,
    realPath: () => Promise<string>,
  ): Promise<Folder['slots'][number]> {
    const { path, source } = place;
    if (kind !== 'file' && kind !== 'directory') return { path: source, why: 'special' };
    const why = this.#refusal(place, kind);
    if (why !== undefined) return { path: source, why };
    this.#count();
    if (kind === 'directory') return this.#enter(place, await realPath());
    return { path, source, length: size, modified, executable };
  }

  #refusal({ path, folder }: Place, kind: 'file' | 'directory'): SkipReason | undefined {
    const why = this.#options.filter?.(path, kind);
    if (why !== undefined) return why;
    if (isIgnored(folder?.ignore, path, kind)) return 'ignored';
    // A folder at the last depth could not hold a file.
    return kind === 'directory' && path.length >= MAX_DEPTH ? 'too-deep' : undefined;
  }

  async #enter({ path, source, folder: parent }: Place, real: string): Promise<Folder> {
    const names = (await this.#files.list(source)).toSorted(compareNames);
    const ignore = await this.#ignoreOf({ path, source, names }, parent?.ignore);
    const folder: Folder = { path, source, real, parent, ignore, names, slots: [], begun: 0 };
    if (this.#failure === undefined) this.#open.push(folder);
    return folder;
  }

  async #ignoreOf(
    folder: Pick<Folder, 'path' | 'source' | 'names'>,
    above: IgnoreChain | undefined,
  ): Promise<IgnoreChain | undefined> {
    const { ignoreFiles, makeIgnore } = this.#options;
    if (ignoreFiles === undefined || makeIgnore === undefined) return above;
    const text = await readIgnoreFiles(this.#files, folder, ignoreFiles);
    return text === undefined
      ? above
      : { rules: makeIgnore(text), depth: folder.path.length, above };
  }

  #count(): void {
    const { maxFiles = MAX_FILES } = this.#options;
    if (++this.#taken <= maxFiles) return;
    throw new UsageError(
      `there are more than ${maxFiles} files and folders; leave some out, or look whether symbolic links lead to folders again and again`,
    );
  }
}

/** What a folder holds, in the order of its names. */
function flatten(folder: Folder, files: ScannedFile[], skipped: Skipped[]): void {
  for (const slot of folder.slots) {
    if (slot === undefined) continue;
    if ('slots' in slot) flatten(slot, files, skipped);
    else if ('why' in slot) skipped.push(slot);
    else files.push(slot);
  }
}

function vanished(source: string): StorageError {
  return new StorageError(
    `${source} vanished while its folder was looked at; run again when nothing changes there`,
    { code: 'BIP_NOT_FOUND' },
  );
}
