import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import { type BipError, RemoteError, TimeoutError } from '../../../src/base/errors.ts';
import { TrackerRefusal } from '../../../src/tracker/model.ts';
import { encodeAnnounce, type UdpResponse } from '../../../src/tracker/udp/codec.ts';
import { ConnectionIds } from '../../../src/tracker/udp/connection-ids.ts';
import {
  UdpExchange,
  type UdpOutput,
  type UdpSchedule,
  udpSchedule,
} from '../../../src/tracker/udp/machine.ts';
import { hex, REQUEST } from '../samples.ts';

type Announced = Extract<UdpResponse, { action: 'announce' }>;

const TRACKER: Endpoint = { host: '10.0.0.9', port: 6969 };
const OTHER: Endpoint = { host: '10.0.0.8', port: 6969 };

/** One exchange under hand-made time; transactions are 1, 2, 3, … */
class Bench {
  readonly machine: UdpExchange<Announced>;
  readonly connections: ConnectionIds;
  readonly sent: { readonly at: number; readonly to: Endpoint; readonly bytes: Uint8Array }[] = [];
  now = 0;
  end: Exclude<UdpOutput<Announced>, { type: 'send' }> | undefined;

  constructor(
    options: {
      readonly schedule?: UdpSchedule;
      readonly trackers?: readonly Endpoint[];
      readonly connections?: ConnectionIds;
      readonly now?: number;
    } = {},
  ) {
    let transaction = 0;
    this.now = options.now ?? 0;
    this.connections = options.connections ?? new ConnectionIds();
    this.machine = new UdpExchange({
      name: 'udp://t:6969',
      trackers: options.trackers ?? [TRACKER],
      question: {
        encode: (ids) => encodeAnnounce(ids, REQUEST, ''),
        accept: (response) => (response.action === 'announce' ? response : undefined),
      },
      schedule: options.schedule ?? udpSchedule({}),
      connections: this.connections,
      random: { uint32: () => ++transaction, bytes: (length) => new Uint8Array(length) },
    });
    this.machine.handle({ type: 'start' }, this.now);
    this.#drain();
  }

  datagram(bytes: Uint8Array, from: Endpoint = TRACKER): void {
    this.machine.handle({ type: 'datagram', bytes, from }, this.now);
    this.#drain();
  }
  /** Answers the last packet as a tracker would. */
  answer(after: number, from: Endpoint = TRACKER): void {
    this.now += after;
    const last = this.sent.at(-1)?.bytes ?? new Uint8Array();
    const transaction = new DataView(last.buffer).getUint32(12);
    this.datagram(last.length === 16 ? connected(transaction) : announced(transaction), from);
  }
  /** Lets time pass to each deadline until `until`. */
  pass(until: number): void {
    for (;;) {
      const deadline = this.machine.deadline();
      if (deadline === undefined || deadline > until) break;
      this.now = deadline;
      this.machine.handle({ type: 'timeout' }, this.now);
      this.#drain();
    }
    if (Number.isFinite(until)) this.now = until;
  }
  get error(): BipError | undefined {
    return this.end?.type === 'failed' ? this.end.error : undefined;
  }
  /** `c` for connects, `a` for announces, with the seconds. */
  get story(): string {
    return this.sent
      .map(({ at, bytes }) => `${bytes.length === 16 ? 'c' : 'a'}${at / 1000}`)
      .join(' ');
  }
  #drain(): void {
    for (const output of this.machine.drain()) {
      if (output.type === 'send') this.sent.push({ at: this.now, ...output });
      else this.end = output;
    }
  }
}

function packet(action: number, transaction: number, rest: string): Uint8Array {
  const bytes = new Uint8Array([...new Uint8Array(8), ...hex(rest)]);
  new DataView(bytes.buffer).setUint32(0, action);
  new DataView(bytes.buffer).setUint32(4, transaction);
  return bytes;
}
function connected(transaction: number): Uint8Array {
  return packet(0, transaction, '0102030405060708');
}
function announced(transaction: number): Uint8Array {
  return packet(1, transaction, '00000708 00000003 00000002 0a000001 1ae1');
}

describe('the examples of BEP 15, "Time outs"', () => {
  test('normal announce', () => {
    const bench = new Bench();
    bench.answer(1000);
    bench.now = 2000;
    bench.answer(1000);
    expect(bench.story).toBe('c0 a1');
    expect(bench.end).toMatchObject({
      type: 'done',
      remote: TRACKER,
      rttMs: 2000,
      answer: { intervalSeconds: 1800, seeders: 2, leechers: 3 },
    });
    expect(bench.machine.deadline()).toBeUndefined();
  });

  test('connect times out: 15·2ⁿ s, then an error after 7665 s', () => {
    const bench = new Bench();
    bench.pass(Number.POSITIVE_INFINITY);
    expect(bench.story).toBe('c0 c15 c45 c105 c225 c465 c945 c1905 c3825');
    expect(bench.now).toBe(7_665_000);
    expect(bench.error).toBeInstanceOf(TimeoutError);
    expect(bench.error?.message).toBe('udp://t:6969 did not answer within 7665 s (9 packets sent)');
    expect(bench.error).toMatchObject({ waitedMs: 7_665_000, code: 'BIP_TRACKER_TIMEOUT' });
  });

  test('announce times out: connects again when the id expired', () => {
    const bench = new Bench();
    bench.answer(2000);
    bench.pass(300_000);
    expect(bench.story).toBe('c0 a2 a17 a47 c107 c227');
  });

  test('after a new connect the announce starts with short waits again', () => {
    const bench = new Bench();
    bench.answer(2000);
    bench.pass(107_000);
    bench.answer(1000);
    bench.pass(123_000);
    expect(bench.story).toBe('c0 a2 a17 a47 c107 a108 a123');
  });

  test('a tracker that accepts connections and never answers still ends', () => {
    const bench = new Bench();
    while (bench.end === undefined) {
      const waits = bench.sent.at(-1)?.bytes.length !== 16;
      if (waits) bench.pass(bench.machine.deadline() ?? 0);
      else bench.answer(10);
    }
    expect(bench.error?.message).toContain(
      'accepted the connection and then did not answer the question',
    );
    expect(bench.now).toBeLessThanOrEqual(7_665_000);
  });
});

describe('schedules', () => {
  test.each([
    [{}, { baseMs: 15_000, retries: 8, limitMs: 7_665_000 }],
    [{ retries: 0 }, { baseMs: 15_000, retries: 0, limitMs: 15_000 }],
    [{ timeoutMs: 7000 }, { baseMs: 1000, retries: 2, limitMs: 7000 }],
    [
      { timeoutMs: 3000, retries: 1 },
      { baseMs: 1000, retries: 1, limitMs: 3000 },
    ],
  ])('%j', (options, schedule) => {
    expect(udpSchedule(options)).toEqual(schedule);
  });

  test('the limit holds even when the tracker answers half', () => {
    const bench = new Bench({ schedule: udpSchedule({ timeoutMs: 7000 }) });
    bench.answer(3000);
    bench.pass(Number.POSITIVE_INFINITY);
    expect(bench.story).toBe('c0 a3 a4 a6');
    expect(bench.now).toBe(7000);
  });

  test('a spurious timeout changes nothing', () => {
    const bench = new Bench();
    bench.now = 14_999;
    bench.machine.handle({ type: 'timeout' }, bench.now);
    expect([...bench.machine.drain()]).toEqual([]);
    expect(bench.machine.deadline()).toBe(15_000);
  });
});

describe('whose answers count', () => {
  test('wrong source, wrong transaction, rubbish: ignored, and the request lives on', () => {
    const bench = new Bench();
    bench.datagram(connected(1), OTHER);
    bench.datagram(connected(1), { ...TRACKER, port: 6970 });
    bench.datagram(connected(2));
    bench.datagram(new Uint8Array(7));
    bench.datagram(new Uint8Array());
    expect(bench.story).toBe('c0');
    bench.answer(10);
    bench.datagram(announced(2), OTHER);
    bench.datagram(announced(1));
    bench.datagram(connected(2));
    expect(bench.end).toBeUndefined();
    bench.answer(10);
    expect(bench.end?.type).toBe('done');
  });

  test('an error from somebody else does not end it', () => {
    const bench = new Bench();
    bench.datagram(packet(3, 1, '6e6f'), OTHER);
    expect(bench.end).toBeUndefined();
  });

  test('after the end nothing counts', () => {
    const bench = new Bench();
    bench.answer(1);
    bench.answer(1);
    const { end } = bench;
    bench.datagram(packet(3, 2, '6e6f'));
    expect(bench.end).toBe(end);
  });

  test('a late answer to the first of two packets counts', () => {
    const bench = new Bench();
    bench.pass(15_000);
    bench.datagram(connected(1));
    expect(bench.story).toBe('c0 c15 a15');
  });
});

describe('refusals', () => {
  test('an error is the tracker’s own words', () => {
    const bench = new Bench();
    bench.datagram(packet(3, 1, '6e6f'));
    expect(bench.error).toBeInstanceOf(TrackerRefusal);
    expect(bench.error?.message).toBe('udp://t:6969 refused with: no');
  });

  test('an empty error', () => {
    const bench = new Bench();
    bench.datagram(packet(3, 1, ''));
    expect(bench.error?.message).toBe('udp://t:6969 refused without a reason');
  });

  test('an announce cut to its head (opentracker, torrent not listed)', () => {
    const bench = new Bench();
    bench.answer(1);
    bench.datagram(packet(1, 2, ''));
    expect(bench.error).toBeInstanceOf(TrackerRefusal);
    expect(bench.error?.message).toContain('most likely it does not serve this torrent');
  });

  test('a broken answer from the tracker itself is said', () => {
    const bench = new Bench();
    bench.answer(1);
    bench.datagram(packet(1, 2, '00000708 00000003 00000002 0a'));
    expect(bench.error).toBeInstanceOf(RemoteError);
    expect(bench.error?.message).toBe(
      'udp://t:6969 sent a broken answer: its peers take 1 bytes, no multiple of 6',
    );
  });
});

describe('connection ids', () => {
  test('reused within a minute, not after it', () => {
    const connections = new ConnectionIds();
    const first = new Bench({ connections });
    first.answer(1000);
    first.answer(0);
    expect(first.story).toBe('c0 a1');
    const second = new Bench({ connections, now: 60_999 });
    expect(second.story).toBe('a60.999');
    const third = new Bench({ connections, now: 61_000 });
    expect(third.story).toBe('c61');
  });

  test('an old id that the tracker refuses is replaced once', () => {
    const connections = new ConnectionIds();
    connections.keep(TRACKER, 5n, 0);
    const bench = new Bench({ connections });
    bench.datagram(packet(3, 1, '6e6f'));
    expect(bench.story).toBe('a0 c0');
    expect(connections.fresh(TRACKER, 0)).toBeUndefined();
    bench.answer(1);
    bench.datagram(packet(3, 3, '6e6f'));
    expect(bench.error).toBeInstanceOf(TrackerRefusal);
  });

  test('expired ids do not pile up', () => {
    const connections = new ConnectionIds();
    for (let port = 1; port <= 100; port++) connections.keep({ host: '10.0.0.1', port }, 1n, port);
    expect(connections.size).toBe(100);
    connections.keep(TRACKER, 1n, 60_050);
    expect(connections.size).toBe(51);
  });
});

describe('several addresses', () => {
  test('each in turn until one answers, and then only that one', () => {
    const bench = new Bench({ trackers: [TRACKER, OTHER] });
    bench.pass(45_000);
    expect(bench.sent.map(({ to }) => to.host)).toEqual(['10.0.0.9', '10.0.0.8', '10.0.0.9']);
    bench.datagram(connected(1), OTHER);
    expect(bench.sent.at(-1)?.to).toEqual(OTHER);
    bench.datagram(announced(2), TRACKER);
    expect(bench.end).toBeUndefined();
    bench.answer(5, OTHER);
    expect(bench.end).toMatchObject({ type: 'done', remote: OTHER });
  });
});
