import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Crowd } from '../../src/runtime/crowd.ts';

/** A crowd with members that enter in their order, each from its address. */
function crowdOf(
  limit: number,
  ...hosts: readonly string[]
): { crowd: Crowd<number>; gone: number[] } {
  const crowd = new Crowd<number>(limit);
  const gone: number[] = [];
  for (const [member, host] of hosts.entries()) {
    const leaver = crowd.enter(member, host);
    if (leaver !== undefined) gone.push(leaver);
  }
  return { crowd, gone };
}

describe('a crowd', () => {
  test('of one network: the one that was quiet for longest makes room', () => {
    const { crowd, gone } = crowdOf(3, '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4');
    expect(gone).toEqual([0]);
    crowd.heard(1);
    expect(crowd.enter(4, '10.0.0.5')).toBe(2);
    expect(crowd.enter(5, '10.0.0.6')).toBe(3);
    expect(crowd.enter(6, '10.0.0.7')).toBe(1);
    expect(crowd.size).toBe(3);
  });

  test('of several networks: the largest gives', () => {
    const flood = Array.from({ length: 20 }, (_, at) => `192.0.2.${at}`);
    const { gone } = crowdOf(8, '10.0.0.1', '10.0.1.1', ...flood);
    // The two that came first are the quietest, and stay.
    expect(gone).toEqual(Array.from({ length: 14 }, (_, at) => at + 2));
  });

  test.each([
    ['an IPv4 /24', '10.0.0.1', '10.0.0.255', '10.0.1.0'],
    ['an IPv6 /48', '2001:db8:1::1', '2001:db8:1:ffff::2', '2001:db8:2::1'],
    ['link-local addresses, whatever their zone', 'fe80::1%eth0', 'fe80::2%eth1', '::1'],
    ['unknown addresses', '', '', '10.0.0.1'],
  ])('%s is one network', (_, first, second, other) => {
    expect(crowdOf(3, other, first, second, '172.16.0.1').gone).toEqual([1]);
  });

  test('whoever left is not to leave again, and may come again', () => {
    const { crowd } = crowdOf(2, '10.0.0.1', '10.0.0.2');
    crowd.leave(0);
    crowd.leave(0);
    crowd.heard(0);
    expect(crowd.size).toBe(1);
    expect(crowd.enter(0, '10.0.0.1')).toBeUndefined();
    expect(crowd.enter(2, '10.0.0.1')).toBe(1);
  });

  test.each([0, 1])('a limit of %i is room for one', (limit) => {
    const { crowd, gone } = crowdOf(limit, '10.0.0.1', '10.0.0.2', '10.0.1.1');
    expect([gone, crowd.size]).toEqual([[0, 1], 1]);
  });
});

test('is what a plain list is, whatever happens', () => {
  const step = fc.record({
    does: fc.constantFrom('enter', 'enter', 'enter', 'heard', 'leave'),
    member: fc.nat(30),
    network: fc.nat(4),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 12 }),
      (steps, limit) => {
        const crowd = new Crowd<number>(limit);
        let list: readonly Listed[] = [];
        for (const { does, member, network } of steps) {
          const known = list.find((one) => one.member === member);
          const others = list.filter((one) => one !== known);
          if (does === 'leave') {
            crowd.leave(member);
            list = others;
          } else if (does === 'heard') {
            crowd.heard(member);
            if (known !== undefined) list = [...others, known];
          } else if (known === undefined) {
            const leaver = crowd.enter(member, `10.0.${network}.${member}`);
            expect(mayLeave(list, limit)).toContain(leaver);
            list = [...list.filter((one) => one.member !== leaver), { member, network }];
          }
          expect(crowd.size).toBe(list.length);
        }
      },
    ),
  );
});

interface Listed {
  readonly member: number;
  readonly network: number;
}

/** The quietest of each of the largest networks; they stand in the order in which they were heard. */
function mayLeave(list: readonly Listed[], limit: number): readonly (number | undefined)[] {
  if (list.length < limit) return [undefined];
  const ofNetwork = (network: number): readonly Listed[] =>
    list.filter((one) => one.network === network);
  const most = Math.max(...list.map(({ network }) => ofNetwork(network).length));
  return list
    .filter(({ network }) => ofNetwork(network).length === most)
    .filter(({ member, network }) => ofNetwork(network)[0]?.member === member)
    .map(({ member }) => member);
}
