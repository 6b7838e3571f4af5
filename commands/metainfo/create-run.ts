/** From settings to a torrent: scan, plan, judge, hash, write. @module */

import { UsageError } from '../../src/base/errors.ts';
import {
  type CreatedTorrent,
  createFromStream,
  createTorrent,
  type InfoSettings,
  placeholders,
  planScan,
  type Scan,
  scanContent,
} from '../../src/content/index.ts';
import {
  type InfoPlan,
  parseMetainfo,
  planInfo,
  suitablePieceLength,
  torrentSize,
} from '../../src/metainfo/index.ts';
import type { Invocation } from '../cli/action.ts';
import { HashProgress } from '../cli/hash-progress.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { parseOptions } from '../cli/torrent-argument.ts';
import { contentFindings } from './create-content.ts';
import { refuseOutputInside } from './create-inside.ts';
import { planOutput, probeOutput, writeTorrent } from './create-output.ts';
import {
  choosePieces,
  type PieceCircumstances,
  pieceFindings,
  STREAM_PIECE_LENGTH,
} from './create-pieces.ts';
import { type CreateResult, plannedOf, warningsOf } from './create-result.ts';
import { type Candidate, findCandidates } from './create-reuse.ts';
import type { CreateSettings } from './create-settings.ts';
import { inspectionOf } from './inspection.ts';
import { type Finding, judgeFindings } from './lints.ts';

/** How the run as a whole is to be. */
export interface RunOptions {
  readonly dryRun: boolean;
  /** One of many: a line is enough. */
  readonly brief: boolean;
  /** Paths that were written by this run; added to. */
  readonly taken: Set<string>;
}

/**
 * Makes one torrent.
 *
 * @throws {UsageError} for content that makes no torrent, and lints that are not allowed.
 * @throws {StorageError} for files that cannot be read or change meanwhile, and outputs that cannot
 *   be written.
 */
export async function createOne(
  invocation: Invocation<object>,
  settings: CreateSettings,
  options: RunOptions,
): Promise<CreateResult> {
  const { context } = invocation;
  const started = context.runtime.clock.now();
  const job =
    settings.inputs[0] === '-'
      ? streamJob(invocation, settings)
      : await scanJob(invocation, settings);
  const { force, output } = settings;
  const { name, warnings, skipped } = job;
  for (const { message } of warnings) invocation.reporter.warn(printable(message));
  const show = settings.magnet ? 'magnet' : options.brief ? 'line' : 'all';
  const path = await planOutput(context, { output, force, name, taken: options.taken });
  await job.checkOutput(path);
  if (options.dryRun) {
    const torrentLength = torrentSize(job.plan().draft, settings.surroundings);
    return plannedOf(job.plan(), { show, path, torrentLength, skipped, warnings });
  }
  await probeOutput(context, path);
  const { bytes, reused } = await withProgress(invocation, name, (onProgress) =>
    job.create(onProgress),
  );
  const metainfo = parseMetainfo(bytes, parseOptions(context));
  if (path === '-') return { type: 'bytes', bytes };
  const written = await writeTorrent(context, path, { metainfo, bytes, force });
  options.taken.add(written);
  const inspection = inspectionOf(metainfo, { reveal: settings.reveal, bytes });
  return {
    type: 'created',
    show,
    path: written,
    ...inspection,
    warnings: [...warningsOf(warnings), ...inspection.warnings],
    torrentLength: bytes.length,
    skipped,
    ...(reused === undefined ? {} : { reused }),
    elapsedMs: Math.round(context.runtime.clock.now() - started),
  };
}

type OnProgress = (doneBytes: number, totalBytes?: number) => void;

/** One torrent, judged, before it is hashed. */
interface Job {
  readonly name: string;
  readonly warnings: readonly Finding[];
  readonly skipped: Scan['skipped'];
  /** @throws {UsageError} for content whose length nobody knows. */
  plan(): InfoPlan;
  /** @throws {UsageError} when `path` would be a part of the content. */
  checkOutput(path: string): Promise<void>;
  create(onProgress: OnProgress): Promise<{ readonly bytes: Uint8Array; readonly reused?: string }>;
}

async function scanJob(
  { context, reporter }: Invocation<object>,
  settings: CreateSettings,
): Promise<Job> {
  const { signal, runtime } = context;
  const { surroundings, version, readOrder: order, threads } = settings;
  const named = settings.name === undefined ? {} : { name: settings.name };
  const { inputs } = settings;
  const scan = await scanContent(runtime.files, { ...settings.scan, ...named, inputs, signal });
  reportSkipped(reporter, scan.skipped);
  const { totalBytes } = scan;
  const candidates = await findCandidates({ context, reporter }, settings.reuse, totalBytes);
  const { checksums } = settings;
  const notes = checksums.length === 0 ? undefined : placeholders(checksums);
  const planned = (info: InfoSettings): InfoPlan => planScan(scan, info, () => notes);
  const circumstances: PieceCircumstances = {
    version,
    totalBytes,
    maxTorrentSize: settings.maxTorrentSize,
    rules: settings.rules,
    suitable: () => suitablePieceLength({ ...settings.info, files: scan.files }),
    torrentSize: (length) =>
      torrentSize(planned({ ...settings.info, pieceLength: length }).draft, surroundings),
  };
  const pieceLength = choosePieces(wishFor(settings, candidates), circumstances);
  const info = { ...settings.info, pieceLength };
  const plan = planned(info);
  const warnings = judgeFindings(
    [
      ...settings.findings,
      ...pieceFindings(pieceLength, plan.pieceCount, circumstances),
      ...contentFindings(scan),
    ],
    settings.allow,
  );
  return {
    name: scan.name,
    warnings,
    skipped: scan.skipped,
    plan: () => plan,
    checkOutput: (path) => refuseOutputInside(context, path, { settings, scan }),
    create: async (onProgress) => {
      const reuse = candidates.map(({ metainfo }) => metainfo);
      const created = await createTorrent(runtime, {
        ...{ scan, info, plan, surroundings, order, reuse, checksums, signal, onProgress },
        ...(threads === undefined ? {} : { threads }),
      });
      return { bytes: created.bytes, ...reusedOf(created, candidates) };
    },
  };
}

/** Pieces as the torrent has them whose hashes can be taken, unless the user wants others. */
function wishFor(
  { pieces, version, maxTorrentSize, rules }: CreateSettings,
  candidates: readonly Candidate[],
): CreateSettings['pieces'] {
  if (pieces.type !== 'automatic' || maxTorrentSize !== undefined || rules !== undefined) {
    return pieces;
  }
  const fitting = candidates.find(
    ({ metainfo }) => metainfo.version === version || metainfo.version === 'hybrid',
  );
  return fitting === undefined ? pieces : { type: 'length', length: fitting.metainfo.pieceLength };
}

function reusedOf(
  { reused }: CreatedTorrent,
  candidates: readonly Candidate[],
): { readonly reused?: string } {
  const from = candidates.find(({ metainfo }) => metainfo === reused);
  return from === undefined ? {} : { reused: from.path };
}

function streamJob({ context }: Invocation<object>, settings: CreateSettings): Job {
  const { runtime, signal, stdin: content } = context;
  const { name = '', pieces, surroundings, rules, version } = settings;
  const pieceLength = pieces.type === 'length' ? pieces.length : STREAM_PIECE_LENGTH;
  const info = { ...settings.info, pieceLength };
  const shape = planInfo({ ...info, name, files: [{ path: [], length: 1 }] });
  const circumstances: PieceCircumstances = {
    version,
    totalBytes: 1,
    maxTorrentSize: undefined,
    rules,
    suitable: () => STREAM_PIECE_LENGTH,
    torrentSize: () => torrentSize(shape.draft, surroundings),
  };
  const findings = [...settings.findings, ...pieceFindings(pieceLength, 1, circumstances)];
  return {
    name,
    warnings: judgeFindings(findings, settings.allow),
    skipped: [],
    plan: () => {
      throw new UsageError('--dry-run is not for standard input, whose length nobody knows');
    },
    checkOutput: () => Promise.resolve(),
    create: async (onProgress) => {
      const stream = { name, content, info, surroundings, signal, onProgress };
      const { bytes } = await createFromStream(runtime, stream);
      return { bytes };
    },
  };
}

async function withProgress<Value>(
  { context, reporter }: Invocation<object>,
  name: string,
  work: (onProgress: OnProgress) => Promise<Value>,
): Promise<Value> {
  const progress = new HashProgress(context.runtime.clock, reporter, name);
  try {
    return await work((done, total) => progress.show(done, total));
  } finally {
    progress.clear();
  }
}

/** So many are named when not all are. */
const FEW = 3;

function reportSkipped(reporter: Reporter, skipped: Scan['skipped']): void {
  if (skipped.length === 0) return;
  const few = skipped.slice(0, FEW).map(showSkipped).join(', ');
  const more = skipped.length > FEW ? ', … (--verbose lists them all)' : '';
  reporter.step(`left out ${skipped.length}: ${few}${more}`);
  if (skipped.length > FEW) for (const one of skipped) reporter.explain(`  ${showSkipped(one)}`);
}

function showSkipped({ path, why }: Scan['skipped'][number]): string {
  return `${printable(path)} (${why})`;
}
