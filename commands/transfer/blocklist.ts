/** `--blocklist`: whom a session has nothing to do with. @module */

import { Option } from 'commander';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError, ProtocolError } from '../../src/base/errors.ts';
import { type IpRanges, IpRangesBuilder } from '../../src/base/ip-ranges.ts';
import type { Gate } from '../../src/blocklist/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';

export interface BlocklistFlags {
  readonly blocklist?: readonly string[];
  readonly peer?: readonly Endpoint[];
}

/** `--blocklist`, repeatable. */
export function blocklistOption(): Option {
  return new Option(
    '--blocklist <file>',
    'addresses to have nothing to do with, repeatable: P2P, DAT or CIDR, gzip or not; read again on SIGHUP',
  ).argParser((path: string, before: readonly string[] | undefined) => [...(before ?? []), path]);
}

/** A context whose network keeps to the lists as long as this is not disposed. */
export interface Blocked extends Disposable {
  readonly context: Context;
  /** Connections that were not made and not taken so far; nothing without a list. */
  counts(): { readonly blocked?: number };
}

/**
 * Reads the lists, and again on each SIGHUP.
 *
 * @throws {StorageError} for a list that cannot be read, {ProtocolError} for what is none.
 */
export async function keepToLists(
  context: Context,
  { blocklist: paths = [], peer = [] }: BlocklistFlags,
  reporter: Pick<Reporter, 'warn' | 'explain'>,
): Promise<Blocked> {
  if (paths.length === 0) {
    return { context, counts: () => ({}), [Symbol.dispose]: () => undefined };
  }
  // Loaded by whoever needs it only.
  const { Gate } = await import('../../src/blocklist/index.ts');
  const { runtime, host } = context;
  const ranges = await readLists(runtime.files, paths, reporter);
  for (const one of peer.filter(({ host: name }) => ranges.hasHost(name))) {
    reporter.warn(`--peer ${formatEndpoint(one)} is on the blocklist, and is not called`);
  }
  const gate = new Gate(runtime.network, ranges);
  const again = async (): Promise<void> => {
    const lost = gate.replace(await readLists(runtime.files, paths, reporter));
    reporter.explain(`the blocklist was read again; connections that it ended: ${lost}`);
  };
  const unfollow = host?.onHangup(() => void again().catch((error) => keepOld(error, reporter)));
  return {
    context: { ...context, runtime: { ...runtime, network: gate.network } },
    counts: () => ({ blocked: countOf(gate) }),
    [Symbol.dispose]: () => unfollow?.(),
  };
}

function countOf({ counts: { outgoing, incoming } }: Gate): number {
  return outgoing + incoming;
}

/** A list that makes no sense any more is no reason to deal with those on the old one. */
function keepOld(error: unknown, reporter: Pick<Reporter, 'warn'>): void {
  if (!(error instanceof BipError)) throw error;
  reporter.warn(`the blocklist stays as it was: ${error.message}`);
}

async function readLists(
  files: Pick<Files, 'readFile'>,
  paths: readonly string[],
  reporter: Pick<Reporter, 'warn' | 'explain'>,
): Promise<IpRanges> {
  const { parseBlocklist } = await import('../../src/blocklist/index.ts');
  const builder = new IpRangesBuilder();
  for (const path of paths) {
    const bytes = await files.readFile(path, { maxBytes: MAX_LIST_BYTES });
    const { entries, faults, firstFault = 0 } = named(path, () => parseBlocklist(bytes, builder));
    const but = faults === 0 ? '' : `; ${faults} lines make no sense, line ${firstFault} first`;
    const told = `${printable(path)} blocks ${entries} addresses and ranges${but}`;
    if (entries === 0) reporter.warn(told);
    else reporter.explain(told);
  }
  return builder.build();
}

function named<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, rule, message } = error;
    throw new ProtocolError(`${printable(path)}: ${message}`, { code, rule, cause: error });
  }
}

/** As it lies on the disk; the largest that are around have 100 MB. */
const MAX_LIST_BYTES: number = 512 * 2 ** 20;
