/** How answers of trackers look: what is common to all questions. @module */

import { tsv, type View } from '../cli/action.ts';
import { labelled } from '../cli/labelled.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration, roundMillis } from '../cli/units.ts';
import { factRows, factsJson, failureJson } from './facts-view.ts';
import type { Shown } from './outcome.ts';
import { rawLines, rawText } from './raw-view.ts';
import type { Rendering } from './rendering.ts';
import type { Result } from './result.ts';
import { drawTable } from './result-table.ts';

export function resultView<Response>(rendering: Rendering<Response>): View<Result<Response>> {
  return {
    terminal(result, style, columns) {
      switch (result.type) {
        case 'outcome':
          return details(result.shown, rendering, style);
        case 'table':
          return drawTable(result, rendering, { style, columns }) + rawBlocks(result, style);
        case 'round':
          return round(result, rendering, style);
        case 'end':
          return `${summary(result)}\n`;
      }
    },
    plain(result) {
      switch (result.type) {
        case 'outcome':
        case 'round':
          return lines(result.shown, rendering);
        case 'table':
          return result.outcomes.map((shown) => lines(shown, rendering)).join('');
        case 'end':
          return undefined;
      }
    },
    json(result) {
      switch (result.type) {
        case 'outcome':
          return json(result.shown, rendering);
        case 'table':
          return result.outcomes.map((shown) => json(shown, rendering));
        case 'round': {
          const { shown, nextMs } = result;
          const type = 'response' in shown ? 'answer' : 'failure';
          const elapsedMs = roundMillis(result.elapsedMs);
          return { type, ...json(shown, rendering), elapsedMs, nextMs };
        }
        case 'end': {
          const { failing: _, ...counts } = result;
          return { ...counts, elapsedMs: roundMillis(counts.elapsedMs) };
        }
      }
    },
  };
}

type RoundResult<Response> = Extract<Result<Response>, { type: 'round' }>;

/** A failure by itself is told on stderr. */
function details<Response>(
  shown: Shown<Response>,
  rendering: Rendering<Response>,
  style: Style,
): string {
  const raw = rawText(shown.facts, style);
  if ('error' in shown) return raw;
  const [first, ...rest] = rendering.details(shown);
  const rows = first === undefined ? [] : [first, ...factRows(shown), ...rest];
  return `${labelled([['tracker', [shown.tracker]], ...rows], style)}${raw}`;
}

function rawBlocks<Response>(
  { outcomes }: { readonly outcomes: readonly Shown<Response>[] },
  style: Style,
): string {
  return outcomes
    .map((shown) => {
      const raw = rawText(shown.facts, style);
      return raw === '' ? '' : `\n${style.bold(shown.tracker)}\n${raw}`;
    })
    .join('');
}

function round<Response>(
  { shown, elapsedMs, nextMs }: RoundResult<Response>,
  rendering: Rendering<Response>,
  style: Style,
): string {
  // How long an answer lasts stands below, in the status.
  const again = nextMs === undefined ? '' : style.dim(`  again in ${formatDuration(nextMs)}`);
  const said =
    'response' in shown ? rendering.brief(shown) : style.red(shown.error.message) + again;
  const warning = 'response' in shown ? rendering.warning(shown.response) : undefined;
  const noted = warning === undefined ? '' : `  ${style.yellow(warning)}`;
  const time = style.dim(formatDuration(elapsedMs).padStart(7));
  return `${time}  ${style.bold(shown.tracker)}  ${said}${noted}\n${rawText(shown.facts, style)}`;
}

function summary({
  answers,
  failures,
  elapsedMs,
}: Extract<Result<unknown>, { type: 'end' }>): string {
  const failed = failures === 0 ? '' : `, ${failures} without an answer`;
  return `${answers} ${answers === 1 ? 'answer' : 'answers'} in ${formatDuration(elapsedMs)}${failed}`;
}

/** `tracker error code message` for a failure. */
function lines<Response>(shown: Shown<Response>, rendering: Rendering<Response>): string {
  const said =
    'response' in shown
      ? rendering.lines(shown)
      : tsv(shown.tracker, 'error', shown.error.code, shown.error.message);
  return `${said}${rawLines(shown.tracker, shown.facts)}`;
}

function json<Response>(shown: Shown<Response>, rendering: Rendering<Response>): object {
  if ('error' in shown) return failureJson(shown);
  const { tracker, response, facts } = shown;
  return { tracker, ...rendering.json(response), ...factsJson(facts) };
}
