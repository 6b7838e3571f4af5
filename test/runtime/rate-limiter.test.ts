import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/ip.ts';
import { RateLimiter, type RateLimits } from '../../src/runtime/rate-limiter.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';

const LIMITS: RateLimits = { perSecond: 10, burst: 20, networkPerSecond: 50, networkBurst: 100 };

function limiter(limits: Partial<RateLimits> = {}): RateLimiter {
  return new RateLimiter({ ...LIMITS, ...limits }, new SeededRandom(4));
}

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

/** How many of `count` requests at one time are allowed. */
function allowed(limit: RateLimiter, address: Uint8Array, now: number, count: number): number {
  let sum = 0;
  for (let request = 0; request < count; request++) if (limit.allow(address, now)) sum++;
  return sum;
}

describe('one address', () => {
  test('a burst, and then its rate', () => {
    const limit = limiter();
    const address = ip('192.0.2.1');
    expect(allowed(limit, address, 0, 100)).toBe(20);
    expect(allowed(limit, address, 99, 100)).toBe(0);
    expect(allowed(limit, address, 100, 100)).toBe(1);
    expect(allowed(limit, address, 1100, 100)).toBe(10);
    expect(allowed(limit, address, 60_000, 100)).toBe(20);
  });

  test('what is refused costs nothing', () => {
    const limit = limiter();
    const address = ip('192.0.2.1');
    expect(allowed(limit, address, 0, 10_000)).toBe(20);
    expect(limit.allow(address, 100)).toBe(true);
  });

  test('never more than the burst and the rate, whenever requests come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 300 }), (pauses) => {
        const limit = limiter();
        const address = ip('198.51.100.7');
        let [now, sum] = [0, 0];
        for (const pause of pauses) {
          now += pause;
          if (limit.allow(address, now)) sum++;
          expect(sum).toBeLessThanOrEqual(20 + now / 100);
        }
      }),
    );
  });

  test('who keeps to the rate is never refused', () => {
    const limit = limiter();
    const address = ip('2001:db8::1');
    for (let now = 0; now < 60_000; now += 100) expect(limit.allow(address, now)).toBe(true);
  });

  test('a clock that was set back shuts nobody out', () => {
    const limit = limiter();
    const address = ip('192.0.2.1');
    expect(allowed(limit, address, 1e9, 100)).toBe(20);
    expect(limit.allow(address, 0)).toBe(true);
  });
});

describe('networks', () => {
  test('an IPv4 /24 shares a bucket', () => {
    const limit = limiter();
    let sum = 0;
    for (let host = 1; host < 255; host++) sum += allowed(limit, ip(`192.0.2.${host}`), 0, 10);
    expect(sum).toBe(100);
    expect(limit.allow(ip('192.0.3.1'), 0)).toBe(true);
  });

  test('an IPv6 /64 is one host, a /48 a network', () => {
    const limit = limiter();
    let sum = 0;
    for (let host = 1; host < 100; host++) {
      sum += allowed(limit, ip(`2001:db8:1:2::${host.toString(16)}`), 0, 1);
    }
    expect(sum).toBe(20);
    for (let subnet = 3; subnet < 100; subnet++) {
      sum += allowed(limit, ip(`2001:db8:1:${subnet.toString(16)}::1`), 0, 10);
    }
    expect(sum).toBe(100);
    expect(limit.allow(ip('2001:db8:2::1'), 0)).toBe(true);
  });

  test.each(['127.0.0.1', '127.200.1.2', '::1'])('%s is this machine and not limited', (text) => {
    expect(allowed(limiter(), ip(text), 0, 1000)).toBe(1000);
  });

  test.each(['128.0.0.1', '::2', '::'])('%s is limited', (text) => {
    expect(allowed(limiter(), ip(text), 0, 1000)).toBe(20);
  });
});

describe('floods', () => {
  /** Ten seconds: an honest client once a second, and `flood` addresses that send 1,000 a second each. */
  function refusedHonest(flood: number, cells: number): number {
    const limit = limiter({ cells });
    let refused = 0;
    for (let now = 0; now < 10_000; now += 20) {
      for (let flooder = 0; flooder < flood; flooder++) {
        allowed(limit, Uint8Array.of(10, flooder >>> 8, flooder, 1), now, 20);
      }
      if (now % 1000 === 0 && !limit.allow(ip('203.0.113.9'), now)) refused++;
    }
    return refused;
  }

  test('flooders leave everybody else alone', () => {
    expect(refusedHonest(100, 1024)).toBe(0);
  });

  test('even when there are more of them than cells', () => {
    expect(refusedHonest(500, 64)).toBe(0);
  });

  test('flooders get no more than their limits, however full the table is', () => {
    const limit = limiter({ cells: 1024 });
    let sum = 0;
    for (let now = 0; now < 10_000; now += 10) {
      for (let flooder = 0; flooder < 100; flooder++) {
        sum += allowed(limit, Uint8Array.of(10, 0, flooder, 1), now, 3);
      }
    }
    // 100 addresses: a burst and ten seconds each; some lose their cell to each other now and then.
    expect(sum).toBeGreaterThanOrEqual(100 * (20 + 99));
    expect(sum).toBeLessThan(1.5 * 100 * (20 + 100));
  });

  test.each([
    [1024, { cells: 1024 }],
    [65_536, {}],
  ])('no more than %d addresses are remembered, however many come', (cells, limits) => {
    const limit = limiter({ ...limits, burst: 1, networkPerSecond: 1e6, networkBurst: 1e6 });
    const count = 4 * cells;
    const refused = (): number => {
      let sum = 0;
      for (let at = 0; at < count; at++) {
        if (!limit.allow(Uint8Array.of(10, at >>> 16, at >>> 8, at), 0)) sum++;
      }
      return sum;
    };
    expect(refused()).toBe(0);
    // Who is refused now holds a cell since the first time.
    const remembered = refused();
    expect(remembered).toBeGreaterThan(0.1 * cells);
    expect(remembered).toBeLessThanOrEqual(cells);
  });
});
