/** Colour: decided for each stream by itself. @module */

import { Chalk, type ChalkInstance } from 'chalk';
import type { Output } from './context.ts';

export type ColorChoice = 'auto' | 'always' | 'never';

/** chalk at the level that suits the stream; level 0 leaves text plain. */
export type Style = ChalkInstance;

/** `--color` wins over `NO_COLOR`, that over `FORCE_COLOR`, that over what the stream is. */
export function styleFor(
  output: Output,
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  return new Chalk({ level: wantsColor(output, choice, env) ? 1 : 0 });
}

function wantsColor(
  output: Output,
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (isSet(env['NO_COLOR'])) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return output.isTTY && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
