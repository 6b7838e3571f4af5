import { describe, expect, test } from 'vitest';
import { PeerId } from '../../src/base/ids.ts';
import { Reserved } from '../../src/handshake/index.ts';
import { loserOfTwins } from '../../src/session/twins.ts';

const SMALL = new PeerId(new Uint8Array(20).fill(1));
const LARGE = new PeerId(new Uint8Array(20).fill(2));

interface Link {
  readonly peerId: PeerId;
  readonly outgoing: boolean;
}

function newcomer(peerId: PeerId, outgoing: boolean): Parameters<typeof loserOfTwins>[0] {
  const infoHash = new Uint8Array(20);
  return { handshake: { reserved: Reserved.of(), infoHash, peerId }, outgoing };
}

/** What is left of two connections, by who began them, when a side sees them in this order. */
function survivor(us: PeerId, them: PeerId, order: readonly boolean[]): PeerId {
  let links: Link[] = [];
  for (const outgoing of order) {
    const loser = loserOfTwins(newcomer(them, outgoing), links, us);
    if (loser === 'newcomer') continue;
    links = [...links.filter((link) => link !== loser), { peerId: them, outgoing }];
  }
  expect(links).toHaveLength(1);
  return links[0]?.outgoing === true ? us : them;
}

describe('of two connections between the same peers', () => {
  test('both keep the one that the larger id began, in whichever order they see them', () => {
    for (const order of [
      [true, false],
      [false, true],
    ]) {
      expect(survivor(SMALL, LARGE, order)).toBe(LARGE);
      expect(survivor(LARGE, SMALL, order)).toBe(LARGE);
    }
  });

  test('a second one in the same direction is turned away', () => {
    for (const outgoing of [true, false]) {
      const link = { peerId: LARGE, outgoing };
      expect(loserOfTwins(newcomer(LARGE, outgoing), [link], SMALL)).toBe('newcomer');
    }
  });

  test('another peer is no twin', () => {
    const link = { peerId: LARGE, outgoing: true };
    const third = new PeerId(new Uint8Array(20).fill(3));
    expect(loserOfTwins(newcomer(third, false), [link], SMALL)).toBeUndefined();
  });
});
