import { describe, expect, test } from 'vitest';
import { HostQuota } from '../../src/dht/host-quota.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';

function quota(maxPerHost: number, maxEntries: number): HostQuota {
  return new HostQuota({ random: new SeededRandom(1), maxPerHost, maxEntries });
}

describe('the share of a host', () => {
  test('is not looked at before counting begins', () => {
    const shares = quota(1, 10);
    const words = Int32Array.of(7);
    for (let turn = 0; turn < 5; turn++) shares.count(words, 0, 1, 1);
    expect([shares.isCounting, shares.isFull(words, 0, 1)]).toEqual([false, false]);
    shares.start();
    expect([shares.isCounting, shares.isFull(words, 0, 1)]).toEqual([true, false]);
  });

  test('is full at its limit, and not when an entry is gone', () => {
    const shares = quota(3, 100);
    shares.start();
    const words = Int32Array.of(0, 7, 9, 0);
    for (let turn = 0; turn < 3; turn++) {
      expect(shares.isFull(words, 1, 2)).toBe(false);
      shares.count(words, 1, 2, 1);
    }
    expect(shares.isFull(words, 1, 2)).toBe(true);
    // Another host, and one whose name is shorter.
    expect([shares.isFull(words, 2, 2), shares.isFull(words, 1, 1)]).toEqual([false, false]);
    shares.count(words, 1, 2, -1);
    expect(shares.isFull(words, 1, 2)).toBe(false);
  });

  test('is hardly made smaller by others, when the store is full', () => {
    const shares = quota(1_000, 200_000);
    shares.start();
    for (let host = 0; host < 20_000; host++) {
      for (let turn = 0; turn < 10; turn++) shares.count(Int32Array.of(host), 0, 1, 1);
    }
    const mine = Int32Array.of(-5);
    let room = 0;
    while (!shares.isFull(mine, 0, 1)) {
      shares.count(mine, 0, 1, 1);
      room++;
    }
    expect(room).toBeGreaterThan(900);
  });
});
