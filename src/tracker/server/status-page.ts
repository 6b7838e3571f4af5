/**
 * The status page of a tracker: one document without anything from elsewhere. Its script asks
 * `stats` every five seconds and draws what it says; it puts no text of others into markup.
 *
 * @module
 */

import { base64 } from '../../base/base64.ts';
import { encodeUtf8 } from '../../base/bytes.ts';
import { sha256 } from '../../base/sha.ts';
import { SCRIPT } from './status-script.ts';

/** A page, and the headers that it is to be sent with. */
export interface StatusPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Only the script and the style of the page itself run, and they may ask this server alone. */
export function statusPage(): StatusPage {
  const policy = [
    "default-src 'none'",
    `script-src '${digest(SCRIPT)}'`,
    `style-src '${digest(STYLE)}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
  };
  return { html: HTML, headers };
}

/** As the policy of contents wants it (CSP Level 3 §2.3.1). */
function digest(text: string): string {
  return `sha256-${base64(sha256(encodeUtf8(text)))}`;
}

const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --line: #dfe3e8; --text: #16191d; --dim: #5a636e;
  --one: #1f6feb; --two: #b3541e; --good: #1a7f37; --bad: #c62828;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --card: #181c22; --line: #2c333c; --text: #e8ebef; --dim: #9aa5b1;
    --one: #6cb0ff; --two: #f2a065; --good: #57c26d; --bad: #ff8078;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 74rem; padding: 1.25rem clamp(.75rem, 3vw, 2rem) 2rem;
  background: var(--page); color: var(--text);
  font: 400 1rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin-bottom: 1rem; }
h1 { font-size: 1.35rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
#state { margin: 0; color: var(--dim); }
#state::before { content: "●"; margin-right: .4em; color: var(--good); }
#state.bad::before { color: var(--bad); }
#note { margin: 0 0 1rem; color: var(--bad); }
#note:empty { display: none; }
.tiles, .charts, .tables { display: grid; gap: .75rem; margin: 0 0 .75rem; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
@media (max-width: 34rem) { .tiles > :last-child:nth-child(odd) { grid-column: 1 / -1; } }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.tables { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; margin: 0; min-width: 0; }
dt { color: var(--dim); font-size: .875rem; }
dd { margin: 0; }
dd.value { font-size: 1.6rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
dd.more { color: var(--dim); font-size: .875rem; min-height: 1.3em; }
figcaption { font-weight: 600; font-size: .9375rem; }
figcaption output { display: block; min-height: 1.45em; color: var(--dim); font-weight: 400; font-size: .875rem; font-variant-numeric: tabular-nums; }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .35em; background: var(--one); }
.key.two::before { background: var(--two); }
.key { margin-left: .8em; white-space: nowrap; font-weight: 400; }
svg { display: block; width: 100%; height: 11rem; margin-top: .5rem; touch-action: pan-y; }
svg text { fill: var(--dim); font-size: 11px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .one, svg .two { fill: none; stroke: var(--one); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .two { stroke: var(--two); }
svg .area { fill: var(--one); opacity: .12; }
svg .here { stroke: var(--dim); stroke-dasharray: 3 3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; font-weight: 400; padding: .32rem 1rem .32rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--dim); font-size: .875rem; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
td { text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
thead th:not(:first-child) { text-align: right; }
@media (max-width: 34rem) {
  .card { padding: .7rem .8rem; }
  dd.value { font-size: 1.3rem; }
  table { font-size: .8125rem; }
  thead th { font-size: .75rem; }
  th, td { padding-right: .5rem; }
}
footer { color: var(--dim); font-size: .875rem; }
a { color: var(--one); }
`;

const tile = (id: string, label: string): string =>
  `<div class="card"><dt>${label}</dt><dd class="value" id="${id}">–</dd>` +
  `<dd class="more" id="${id}-more"></dd></div>`;

const chart = (id: string, label: string, keys = ''): string =>
  `<figure class="card"><figcaption>${label}${keys}<output id="${id}-now"></output></figcaption>` +
  `<svg id="${id}" role="img" aria-label="${label}, the last 15 minutes; the numbers are in the table below"></svg></figure>`;

const table = (id: string, label: string, columns: readonly string[]): string => {
  const heads = columns.map((column) => `<th scope="col">${column}</th>`).join('');
  return (
    `<section class="card"><h2>${label}</h2><div class="scroll"><table>` +
    `<thead><tr>${heads}</tr></thead><tbody id="${id}"></tbody></table></div></section>`
  );
};

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>bip tracker</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>bip tracker</h1><p id="state" role="status">asking …</p></header>
<noscript><p>The numbers are at <a href="stats">stats</a> (JSON) and <a href="metrics">metrics</a> (Prometheus).</p></noscript>
<main>
<p id="note" role="alert"></p>
<dl class="tiles">
${tile('rate', 'Announces/s')}
${tile('peers', 'Peers')}
${tile('swarms', 'Torrents')}
${tile('completed', 'Completed')}
${tile('memory', 'Memory for peers')}
</dl>
<div class="charts">
${chart('chart-rate', 'Announces a second')}
${chart('chart-peers', 'Peers', '<span class="key">seeders</span><span class="key two">leechers</span>')}
${chart('chart-swarms', 'Torrents')}
</div>
<div class="tables">
${table('minutes', 'The last 15 minutes', ['Time', 'Announces/s', 'Seeders', 'Leechers', 'Torrents'])}
${table('counters', 'Since the start', ['What', 'Count'])}
</div>
</main>
<footer><p>Numbers for programs: <a href="stats">stats</a> (JSON), <a href="metrics">metrics</a> (Prometheus)</p></footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
