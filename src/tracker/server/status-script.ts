/** The script of the status page: plain JavaScript for browsers, sent as it stands here. @module */

/** It knows the JSON of `stats` and the ids of the page, and nothing else. */
export const SCRIPT = `'use strict';
const EVERY = 5000, MARGIN = { left: 44, right: 8, top: 8, bottom: 20 }, SLOTS = 180;
const byId = (id) => document.getElementById(id);
const format = (digits) => new Intl.NumberFormat('en', { maximumFractionDigits: digits });
const whole = format(0), tenths = format(1), hundredths = format(2);
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockWithSeconds = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const rate = (value) => (value < 100 ? tenths : whole).format(value);
let stats;

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  for (; bytes >= 1024 && at < units.length - 1; at++) bytes /= 1024;
  return hundredths.format(bytes) + ' ' + units[at];
}

function span(seconds) {
  const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return days + ' d ' + hours + ' h';
  return hours > 0 ? hours + ' h ' + minutes + ' min' : minutes > 0 ? minutes + ' min' : Math.floor(seconds) + ' s';
}

function say(id, value, more) {
  byId(id).textContent = value;
  byId(id + '-more').textContent = more || '';
}

function tiles() {
  const { memory } = stats;
  say('rate', rate(stats.announcesPerSecond), whole.format(stats.announces) + ' in all');
  say('peers', whole.format(stats.peers), whole.format(stats.seeders) + ' seeders, ' + whole.format(stats.leechers) + ' leechers');
  say('swarms', whole.format(stats.swarms), stats.swarms === 0 ? '' : tenths.format(stats.peers / stats.swarms) + ' peers each');
  say('completed', whole.format(stats.completed), 'downloads, as clients say');
  say('memory', size(memory.usedBytes), size(memory.reservedBytes) + ' reserved');
  const threads = stats.workers === 1 ? '' : ', ' + stats.workers + ' threads';
  byId('state').textContent = 'up for ' + span(stats.uptimeSeconds) + ', bip ' + stats.version + threads;
  byId('state').className = '';
  const away = stats.store !== undefined && !stats.store.up;
  byId('note').textContent = away ? 'The shared store is away: answers hold only the peers that this tracker knows itself.' : '';
}

function row(cells) {
  const line = document.createElement('tr');
  cells.forEach((text, at) => {
    const cell = document.createElement(at === 0 ? 'th' : 'td');
    if (at === 0) cell.scope = 'row';
    cell.textContent = text;
    line.append(cell);
  });
  return line;
}

function timeOf(index, count) {
  const { endsAt, intervalSeconds } = stats.history;
  return new Date(Date.parse(endsAt) - (count - 1 - index) * intervalSeconds * 1000);
}

function tables() {
  const { history } = stats;
  const count = history.swarms.length;
  const lines = [];
  for (let at = count - 1; at >= 0; at -= 60 / history.intervalSeconds) {
    lines.push(row([
      clock.format(timeOf(at, count)), rate(history.announcesPerSecond[at]), whole.format(history.seeders[at]),
      whole.format(history.leechers[at]), whole.format(history.swarms[at]),
    ]));
  }
  byId('minutes').replaceChildren(...lines);
  byId('counters').replaceChildren(...Object.entries(stats.counters).filter(([, count]) => count > 0)
    .map(([name, count]) => row([words(name), name.startsWith('bytes') ? size(count) : whole.format(count)])));
}

// announcesHttp4 becomes "announces over HTTP, IPv4".
function words(name) {
  const text = name.replace(/[A-Z]+|[46]$/g, (part) => ' ' + part.toLowerCase());
  return text.replace(/ (http|udp)/g, (part) => ' over' + part.toUpperCase()).replace(/ ([46])$/, ', IPv$1');
}

// The next 1, 2 or 5 times a power of ten.
function ceiling(values) {
  const most = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return power * [1, 2, 5, 10].find((step) => step * power >= most);
}

function draw(name, attributes, text) {
  const shape = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  if (text !== undefined) shape.textContent = text;
  return shape;
}

function chart(id, series, number, pointed) {
  const svg = byId(id), width = svg.clientWidth || 320, height = svg.clientHeight || 176;
  const count = series[0].length, top = ceiling(series.flat());
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const x = (index) => MARGIN.left + (inner.width * (SLOTS - count + index)) / (SLOTS - 1);
  const y = (value) => MARGIN.top + inner.height * (1 - value / top);
  const shapes = [];
  for (const part of [0, 0.5, 1]) {
    const at = y(top * part);
    shapes.push(draw('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at }));
    shapes.push(draw('text', { x: MARGIN.left - 6, y: at + 4, 'text-anchor': 'end' }, short.format(top * part)));
  }
  const ago = [[0, '15 min ago', 'start'], [SLOTS / 2, '', 'middle'], [SLOTS - 1, 'now', 'end']];
  for (const [slot, text, anchor] of ago) {
    shapes.push(draw('text', { x: x(slot - SLOTS + count), y: height - 4, 'text-anchor': anchor }, text));
  }
  const line = (values) => values.map((value, at) => (at === 0 ? 'M' : 'L') + x(at).toFixed(1) + ' ' + y(value).toFixed(1)).join('');
  if (count > 0 && series.length === 1) {
    const floor = y(0).toFixed(1);
    shapes.push(draw('path', { class: 'area', d: line(series[0]) + 'L' + x(count - 1).toFixed(1) + ' ' + floor + 'L' + x(0).toFixed(1) + ' ' + floor + 'Z' }));
  }
  series.forEach((values, at) => shapes.push(draw('path', { class: at === 0 ? 'one' : 'two', d: line(values) })));
  let index = count - 1, when = 'now';
  if (pointed !== undefined && count > 0) {
    const slot = Math.round(((pointed - MARGIN.left) / inner.width) * (SLOTS - 1));
    index = Math.min(count - 1, Math.max(0, slot - SLOTS + count));
    when = clockWithSeconds.format(timeOf(index, count));
    shapes.push(draw('line', { class: 'here', x1: x(index), x2: x(index), y1: MARGIN.top, y2: y(0) }));
  }
  svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  svg.replaceChildren(...shapes);
  byId(id + '-now').textContent = count === 0 ? '' : when + ': ' + series.map((values) => number(values[index])).join(' / ');
}

const pointers = {};
function charts() {
  const { history } = stats;
  chart('chart-rate', [history.announcesPerSecond], rate, pointers['chart-rate']);
  chart('chart-peers', [history.seeders, history.leechers], whole.format, pointers['chart-peers']);
  chart('chart-swarms', [history.swarms], whole.format, pointers['chart-swarms']);
}

for (const id of ['chart-rate', 'chart-peers', 'chart-swarms']) {
  byId(id).addEventListener('pointermove', (event) => {
    pointers[id] = event.clientX - byId(id).getBoundingClientRect().left;
    if (stats !== undefined) charts();
  });
  byId(id).addEventListener('pointerleave', () => {
    delete pointers[id];
    if (stats !== undefined) charts();
  });
}

async function ask() {
  try {
    const answer = await fetch('stats', { cache: 'no-store', signal: AbortSignal.timeout(EVERY) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    stats = await answer.json();
    tiles();
    tables();
    charts();
  } catch (error) {
    byId('state').textContent = 'no answer from the tracker, trying again';
    byId('state').className = 'bad';
  }
  setTimeout(ask, EVERY);
}
addEventListener('resize', () => { if (stats !== undefined) charts(); });
ask();
`;
