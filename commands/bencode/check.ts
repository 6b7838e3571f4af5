/** `bip bencode check`: every fault of bencode, with its offset and path. @module */

import { Command } from 'commander';
import { check, faultRule, type LocatedFault } from '../../src/bencode/index.ts';
import { action, type Invocation, tsv, type View } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { inputName } from '../cli/input.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';
import { DEPTH_FLAG, type DepthOption, limitsOf, readDocument } from './document.ts';

/** The judgement of one input. */
interface Judgement {
  /** Path of the file; `-` for standard input. */
  readonly input: string;
  /** Bytes. */
  readonly length: number;
  /** True when there is no fault. */
  readonly canonical: boolean;
  readonly faults: readonly LocatedFault[];
}

const HELP = `
Faults: leading zeros, -0, integers beyond 64 bits, unsorted and duplicate keys, bytes behind the
value, and everything that is no bencode at all. After a fault that leaves it open where the next
value begins, nothing more is found. The exit code is 3 when there is any fault.

In a pipe each fault is a line: input, offset, path, code, sentence, with tabs between.

Examples:
  $ echo -n 'd1:ai1e1:bi2ee' | bip bencode check
  $ echo -n 'd1:bi01e1:ai2ee' | bip bencode check || echo "faults: $?"
  $ echo -n 'd1:bi01e1:ai2ee' | bip bencode check --json || true`;

/** Makes the command. */
export function checkCommand(context: Context): Command {
  return new Command('check')
    .description('list every fault of bencode with its offset and path')
    .argument('[files...]', 'what to judge; standard input when left out or -')
    .option(...DEPTH_FLAG)
    .addHelpText('after', HELP)
    .action(action<DepthOption, Judgement>(context, run, view));
}

async function* run(
  invocation: Invocation<DepthOption>,
): AsyncGenerator<Judgement, void, undefined> {
  const { context, args, options } = invocation;
  const limits = limitsOf(options);
  const inputs = args.length === 0 ? [undefined] : args;
  let faulty = false;
  yield* eachInput(invocation, inputs, async (path) => {
    const bytes = await readDocument(context, path);
    const faults = check(bytes, limits);
    faulty ||= faults.length > 0;
    return { input: path ?? '-', length: bytes.length, canonical: faults.length === 0, faults };
  });
  if (faulty) throw new ExitWith(EXIT.malformed);
}

const view: View<Judgement> = {
  terminal: (judgement, style) =>
    judgement.canonical
      ? `${inputName(judgement.input)}: ${style.green('canonical bencode')}, ${formatSize(judgement.length)}\n`
      : judgement.faults.map((fault) => line(judgement, fault, style)).join(''),
  plain: ({ input, faults }) =>
    faults
      .map(({ offset, path, code, message }) => tsv(input, offset, path, code, message))
      .join(''),
  json: ({ faults, ...judgement }) => ({
    ...judgement,
    faults: faults.map(({ offset, path, code, message }) => ({
      offset,
      path,
      code,
      rule: faultRule(code),
      message,
    })),
  }),
};

function line({ input }: Judgement, fault: LocatedFault, style: Style): string {
  const { offset, path, code, message } = fault;
  const where = path === '' ? '' : ` at ${style.cyan(path)}`;
  return `${inputName(input)}: byte ${offset}${where}: ${message} ${style.dim(`(${code})`)}\n`;
}
