import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { base64 } from '../../../src/base/base64.ts';
import { sha256 } from '../../../src/base/sha.ts';
import { allocateCounters, COUNTER, Counters } from '../../../src/tracker/server/counters.ts';
import { TrackerStats } from '../../../src/tracker/server/stats.ts';
import type { TrackerInfo, TrackerTotals } from '../../../src/tracker/server/tracker-state.ts';
import { StillClock } from './desk.ts';

const BEGAN = Date.UTC(2026, 10, 25, 12);

class Observed {
  readonly clock: StillClock = new StillClock();
  readonly #buffer = allocateCounters(1);
  readonly counters: Counters = new Counters(this.#buffer);
  totals: TrackerTotals = {
    swarms: 2,
    peers4: 7,
    peers6: 3,
    seeders: 4,
    leechers: 6,
    completed: 5,
    bytesUsed: 1000,
    bytesReserved: 4000,
  };
  info: TrackerInfo = { version: '1.2.3', workers: 1 };
  readonly stats: TrackerStats = new TrackerStats({
    clock: this.clock,
    wallClock: { now: () => BEGAN + this.clock.at - 1000 },
    totals: () => this.totals,
    counters: () => Counters.sum(this.#buffer),
    info: () => this.info,
  });

  /** So many announces, then a sample after five seconds. */
  live(announces: number): void {
    this.counters.add(COUNTER.announcesUdp4, announces);
    this.clock.at += 5000;
    this.stats.sample();
  }

  text(target: string): string {
    const { body } = this.stats.handle({ target });
    return typeof body === 'string' ? body : '';
  }
}

describe('numbers as JSON', () => {
  test('all that there is', () => {
    const observed = new Observed();
    observed.counters.add(COUNTER.announcesHttp6, 10);
    observed.live(90);
    observed.clock.at += 2500;
    const document: unknown = JSON.parse(observed.text('/stats'));
    expect(document).toMatchObject({
      version: '1.2.3',
      workers: 1,
      startedAt: '2026-11-25T12:00:00.500Z',
      uptimeSeconds: 7,
      announces: 100,
      announcesPerSecond: 20,
      swarms: 2,
      peers: 10,
      peersIpv4: 7,
      peersIpv6: 3,
      seeders: 4,
      leechers: 6,
      completed: 5,
      memory: { usedBytes: 1000, reservedBytes: 4000 },
      counters: { announcesUdp4: 90, announcesHttp6: 10, scrapes: 0 },
      history: {
        intervalSeconds: 5,
        endsAt: '2026-11-25T12:00:05.000Z',
        announcesPerSecond: [20],
        seeders: [4],
        leechers: [6],
        swarms: [2],
      },
    });
    expect(document).not.toHaveProperty('store');
  });

  test('the shared store, when there is one', () => {
    const observed = new Observed();
    observed.info = { ...observed.info, store: { up: false, pending: 3 } };
    expect(JSON.parse(observed.text('/stats?x'))).toMatchObject({
      store: { up: false, pending: 3 },
    });
  });

  test('the history forgets what is older than a quarter of an hour', () => {
    const observed = new Observed();
    for (let at = 1; at <= 200; at++) {
      observed.totals = { ...observed.totals, swarms: at };
      observed.live(at * 5);
    }
    const { history }: { history: Record<string, number[]> } = JSON.parse(observed.text('/stats'));
    const expected = Array.from({ length: 180 }, (_, at) => at + 21);
    expect(history).toMatchObject({ swarms: expected, announcesPerSecond: expected });
  });

  test('a sample at the same moment says nothing', () => {
    const observed = new Observed();
    observed.live(10);
    observed.stats.sample();
    expect(observed.stats.announcesPerSecond).toBe(2);
    expect(JSON.parse(observed.text('/stats'))).toMatchObject({ history: { swarms: [2] } });
  });
});

describe('metrics for Prometheus', () => {
  const observed = new Observed();
  observed.info = { version: 'a"b\\c\nd', workers: 2, store: { up: true, pending: 1 } };
  observed.counters.add(COUNTER.refusedPasskey, 7);
  observed.counters.add(COUNTER.announcesHttp4, 1_500_000_000);
  const lines = observed.text('/metrics').trimEnd().split('\n');
  const sample =
    /^(?<name>[a-z_]+)(?:\{(?<labels>[a-z]+="(?:[^"\\]|\\["\\n])*"(?:,|(?=\}))|)+\})? (?<value>-?\d+(?:\.\d+)?)$/;

  test('every line is help, type or sample, each family in one block', () => {
    let family = '';
    const seen = new Set<string>();
    for (const line of lines) {
      const [hash, kind, name = ''] = line.split(' ');
      if (hash === '#' && kind === 'HELP') {
        expect(seen.has(name)).toBe(false);
        seen.add(name);
        family = name;
      } else if (hash === '#') {
        expect(line).toMatch(/^# TYPE [a-z_]+ (?:counter|gauge)$/);
        expect(name).toBe(family);
        expect(line.endsWith('counter')).toBe(name.endsWith('_total'));
      } else {
        expect(line).toMatch(sample);
        expect(sample.exec(line)?.groups?.['name']).toBe(family);
      }
    }
    expect(seen.size).toBeGreaterThan(15);
    expect([...seen].every((name) => name.startsWith('bip_tracker_'))).toBe(true);
  });

  test('no sample stands there twice', () => {
    const samples = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/ [^ ]+$/, ''));
    expect(new Set(samples).size).toBe(samples.length);
  });

  test.each([
    'bip_tracker_refused_total{reason="passkey"} 7',
    'bip_tracker_announces_total{protocol="http",family="ipv4"} 1500000000',
    'bip_tracker_peers{family="ipv6"} 3',
    'bip_tracker_store_up 1',
    'bip_tracker_info{version="a\\"b\\\\c\\nd"} 1',
  ])('%s', (line) => {
    expect(lines).toContain(line);
  });

  test('every counter is shown', () => {
    const counted = new Observed();
    for (const [at, index] of Object.values(COUNTER).entries())
      counted.counters.add(index, 7001 + at);
    const text = counted.text('/metrics');
    for (const at of Object.values(COUNTER).keys()) expect(text).toContain(` ${7001 + at}\n`);
  });
});

test.each([
  ['/', 200, 'text/html; charset=utf-8'],
  ['/stats', 200, 'application/json'],
  ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'],
  ['/healthz', 200, 'text/plain; charset=utf-8'],
  ['/announce', 404, 'text/plain; charset=utf-8'],
  ['', 404, 'text/plain; charset=utf-8'],
])('%j is answered with %d', (target, expected, type) => {
  const { status = 200, headers } = new Observed().stats.handle({ target });
  expect(status).toBe(expected);
  expect(headers).toMatchObject({ 'content-type': type, 'cache-control': 'no-store' });
});

describe('the status page', () => {
  const observed = new Observed();
  const { headers } = observed.stats.handle({ target: '/' });
  const html = observed.text('/');
  const script = /<script>(?<text>[^]*)<\/script>/.exec(html)?.groups?.['text'] ?? '';
  const style = /<style>(?<text>[^]*)<\/style>/.exec(html)?.groups?.['text'] ?? '';

  test('its policy lets its own script and style run, and nothing else', () => {
    const policy = headers?.['content-security-policy'] ?? '';
    const digest = (text: string): string => base64(sha256(new TextEncoder().encode(text)));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${digest(script)}'`);
    expect(policy).toContain(`style-src 'sha256-${digest(style)}'`);
    expect(policy).not.toContain('unsafe');
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    );
  });

  test('no other site learns of it, no browser guesses what it is', () => {
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  test('nothing comes from elsewhere, nothing runs in attributes', () => {
    expect(html.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/(?:https?:)?\/\/[a-z]/);
    expect(html).not.toMatch(/<[^>]+ (?:style|on[a-z]+)=/);
  });

  test('no quote or angle is left in an attribute', () => {
    for (const [, label] of html.matchAll(/aria-label="([^"]*)"/g))
      expect(label).not.toMatch(/[<>]/);
  });

  test('every id that the script asks for is there', () => {
    for (const [, id] of script.matchAll(/byId\('([a-z-]+)'\)/g))
      expect(html).toContain(`id="${id}"`);
    for (const [, id] of script.matchAll(/say\('([a-z-]+)'/g)) {
      expect(html).toContain(`id="${id}"`);
      expect(html).toContain(`id="${id}-more"`);
    }
  });

  test('numbers are written down, and drawn', async () => {
    for (const announces of [0, 500, 6000]) observed.live(announces);
    const page = await openPage(script, () => observed.text('/stats'));
    expect(page.text('rate')).toBe('1,200');
    expect(page.text('peers')).toBe('10');
    expect(page.text('peers-more')).toBe('4 seeders, 6 leechers');
    expect(page.text('memory')).toBe('1,000 B');
    expect(page.text('state')).toBe('up for 15 s, bip 1.2.3');
    expect(page.text('note')).toBe('');
    expect(page.text('counters')).toContain('announces over UDP, IPv4 6,500');
    const [line] = page.paths('chart-rate').slice(-1);
    // From nothing at the bottom to 1200 of 2000.
    expect(line?.split('L')).toHaveLength(3);
    expect(line).toMatch(/^M[\d.]+ 156\.0L[\d.]+ 148\.6L[\d.]+ 67\.2$/);
    expect(page.paths('chart-peers')).toHaveLength(2);
  });

  test('where a pointer is over a drawing, its number then is told', async () => {
    const page = await openPage(script, () => observed.text('/stats'));
    const told = (x?: number): string => {
      page.point('chart-rate', x);
      return page.text('chart-rate-now');
    };
    expect(told()).toBe('now: 1,200');
    expect(told(392)).toMatch(/^\d\d:\d\d:\d\d: 1,200$/);
    expect(told(390)).toMatch(/^\d\d:\d\d:\d\d: 100$/);
    expect(told(0)).toMatch(/^\d\d:\d\d:\d\d: 0$/);
    expect(told()).toBe('now: 1,200');
  });

  test('an hour later, with threads and a store that is away', async () => {
    observed.info = { version: '1.2.3', workers: 4, store: { up: false, pending: 0 } };
    observed.clock.at += 3_600_000;
    const page = await openPage(script, () => observed.text('/stats'));
    expect(page.text('state')).toBe('up for 1 h 0 min, bip 1.2.3, 4 threads');
    expect(page.text('note')).toContain('store is away');
  });

  test('a tracker that does not answer is said to be gone', async () => {
    const page = await openPage(script, () => undefined);
    expect(page.text('state')).toContain('no answer');
    expect(page.classOf('state')).toBe('bad');
  });
});

/** As much of a browser's document as the script wants. */
class FakeElement {
  readonly tag: string;
  className = '';
  scope = '';
  clientWidth = 400;
  clientHeight = 176;
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, (event: { clientX: number }) => void>();
  children: FakeElement[] = [];
  #text = '';

  constructor(tag: string) {
    this.tag = tag;
  }
  get textContent(): string {
    return this.#text + this.children.map(({ textContent }) => textContent).join(' ');
  }
  set textContent(text: string) {
    this.#text = text;
  }
  setAttribute(name: string, value: unknown): void {
    this.attributes.set(name, String(value));
  }
  append(child: FakeElement): void {
    this.children.push(child);
  }
  replaceChildren(...children: FakeElement[]): void {
    this.children = children;
  }
  addEventListener(name: string, listener: (event: { clientX: number }) => void): void {
    this.listeners.set(name, listener);
  }
  getBoundingClientRect(): { left: number } {
    return { left: LEFT };
  }
}

/** Where drawings begin in the window. */
const LEFT = 100;

interface Page {
  text(id: string): string;
  classOf(id: string): string;
  /** What the paths of a drawing say. */
  paths(id: string): string[];
  /** A pointer comes over a drawing, so far from its left end; without a number it leaves. */
  point(id: string, x?: number): void;
}

/** Runs the script until it waits for the next five seconds. */
async function openPage(script: string, stats: () => string | undefined): Promise<Page> {
  const elements = new Map<string, FakeElement>();
  const byId = (id: string): FakeElement => {
    const element = elements.get(id) ?? new FakeElement('div');
    elements.set(id, element);
    return element;
  };
  const asked = Promise.withResolvers<number>();
  const context = createContext({
    document: {
      getElementById: byId,
      createElement: (tag: string) => new FakeElement(tag),
      createElementNS: (_: string, tag: string) => new FakeElement(tag),
    },
    Intl,
    AbortSignal,
    addEventListener: () => undefined,
    setTimeout: (_: () => void, delay: number) => asked.resolve(delay),
    fetch: async () => {
      const text = stats();
      return {
        ok: text !== undefined,
        status: 500,
        json: async (): Promise<unknown> => JSON.parse(text ?? ''),
      };
    },
  });
  runInContext(script, context);
  expect(await asked.promise).toBe(5000);
  return {
    text: (id) => byId(id).textContent,
    classOf: (id) => byId(id).className,
    paths: (id) =>
      byId(id)
        .children.filter(
          ({ tag, attributes }) => tag === 'path' && attributes.get('class') !== 'area',
        )
        .map(({ attributes }) => attributes.get('d') ?? ''),
    point(id, x) {
      const name = x === undefined ? 'pointerleave' : 'pointermove';
      byId(id).listeners.get(name)?.({ clientX: LEFT + (x ?? 0) });
    },
  };
}
