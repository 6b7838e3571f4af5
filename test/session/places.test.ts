/** Who gets a place when all are taken. */

import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { PeerId } from '../../src/base/ids.ts';
import { Reserved } from '../../src/handshake/index.ts';
import { peerPriority } from '../../src/peer/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { type Placed, Places } from '../../src/session/places.ts';

const MINUTE = 60_000;
const OURS = { host: '203.0.113.1', port: 6881 };
const at = (n: number): Endpoint => ({ host: `192.${n}.2.1`, port: 6881 });
const idOf = (n: number): PeerId => new PeerId(new Uint8Array(20).fill(n));

interface Seat extends Placed {
  lastPayload: number | undefined;
  lastInterest: number;
}
function seat(n: number, how: { lastPayload?: number; yourIp?: string } = {}): Seat {
  return {
    remote: at(n),
    listening: at(n),
    outgoing: false,
    peerId: idOf(n),
    lastPayload: how.lastPayload,
    lastInterest: 0,
    stream: { local: OURS },
    connection: {
      handshake: how.yourIp === undefined ? undefined : { messages: new Map(), yourIp: how.yourIp },
    },
  };
}
/** A stream that nobody reads or writes. */
function streamFrom(remote: Endpoint): ByteStream {
  return {
    local: OURS,
    remote,
    queuedBytes: 0,
    open: () => undefined,
    write: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface Room {
  readonly places: Places<Seat>;
  readonly links: Set<Seat>;
  readonly gone: string[];
  comes(n: number, now?: number): boolean;
}
function room(seats: readonly Seat[], limit: number): Room {
  const links = new Set(seats);
  const gone: string[] = [];
  const places = new Places<Seat>({
    links,
    limit,
    identity: { port: OURS.port, peerId: idOf(255) },
    pool: () => ({ isBanned: ({ host }) => host === at(250).host }),
    dismiss: (link, why) => {
      links.delete(link);
      gone.push(`${link.remote.host} ${why}`);
    },
  });
  return {
    ...{ places, links, gone },
    comes: (n, now = 0) =>
      places.admits({ local: OURS, remote: at(n) }, now) &&
      places.takesIn(
        {
          stream: streamFrom(at(n)),
          outgoing: false,
          handshake: {
            reserved: Reserved.of(),
            infoHash: new Uint8Array(20),
            peerId: idOf(n),
          },
        },
        now,
      ),
  };
}
/** From the lowest priority to the highest. */
function byPriority(numbers: readonly number[]): number[] {
  const priority = (n: number): number => peerPriority(OURS, at(n)) ?? 0;
  return numbers.toSorted((a, b) => priority(a) - priority(b));
}

test('while there is room everybody comes in, but not twice, nor who is banned', () => {
  const { comes, links } = room([seat(1)], 3);
  expect(comes(2)).toBe(true);
  expect(comes(1)).toBe(false);
  expect(comes(250)).toBe(false);
  expect(links.size).toBe(1);
});

describe('when all places are taken', () => {
  const [lowest = 0, middle = 0, higher = 0, highest = 0] = byPriority([1, 2, 3, 4]);

  test('the lowest priority of those without use goes for a higher one', () => {
    const { comes, gone } = room([seat(middle), seat(lowest), seat(higher)], 3);
    expect(comes(highest)).toBe(true);
    expect(gone).toEqual([`${at(lowest).host} it makes room for a peer of higher priority`]);
  });

  test('a newcomer of the lowest priority is turned away', () => {
    const { comes, gone } = room([seat(middle), seat(highest), seat(higher)], 3);
    expect(comes(lowest)).toBe(false);
    expect(gone).toEqual([]);
  });

  test('who gave or took something within a minute stays, whatever its priority', () => {
    const useful = seat(lowest, { lastPayload: 1_000 });
    const { comes, gone } = room([useful, seat(middle), seat(higher)], 3);
    expect(comes(highest, MINUTE)).toBe(true);
    expect(gone[0]).toContain(at(middle).host);
    const all = [lowest, middle, higher].map((n) => seat(n, { lastPayload: 1_000 }));
    expect(room(all, 3).comes(highest, MINUTE)).toBe(false);
    expect(room(all, 3).comes(highest, MINUTE + 1_000)).toBe(true);
  });

  test('our address is what two peers see, not what one says', () => {
    const seen = '198.51.100.77';
    const numbers = Array.from({ length: 40 }, (_, n) => n + 1);
    const other = { ...OURS, host: seen };
    const priority = (us: Endpoint, n: number): number => peerPriority(us, at(n)) ?? 0;
    // A pair whose order depends on who we are.
    const pair = numbers
      .flatMap((a) => numbers.map((b) => [a, b] as const))
      .find(
        ([a, b]) =>
          priority(OURS, a) < priority(OURS, b) && priority(other, a) > priority(other, b),
      );
    const [there = 0, comes = 0] = pair ?? [];
    const witness = (n: number): Seat => seat(n, { lastPayload: 0, yourIp: seen });
    expect(room([seat(there), witness(100)], 2).comes(comes)).toBe(true);
    expect(room([seat(there), witness(100), witness(101)], 3).comes(comes)).toBe(false);
  });
});

test('who is of no interest for ten minutes goes when places are few, and stays when they are not', () => {
  const seats = Array.from({ length: 9 }, (_, n) => seat(n + 1));
  const crowded = room(seats, 10);
  crowded.places.tick(10 * MINUTE - 1);
  expect(crowded.gone).toEqual([]);
  crowded.places.tick(10 * MINUTE);
  expect(crowded.gone).toEqual([
    `${at(1).host} nobody wanted anything for ten minutes, and places are few`,
  ]);
  const roomy = room(seats, 11);
  roomy.places.tick(60 * MINUTE);
  expect(roomy.gone).toEqual([]);
});
