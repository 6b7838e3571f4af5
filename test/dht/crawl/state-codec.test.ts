import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import { formatIp } from '../../../src/base/ip.ts';
import { sha1 } from '../../../src/base/sha.ts';
import { type BencodeInput, decode, encode } from '../../../src/bencode/index.ts';
import { Census, lossOf, NO_COUNTS } from '../../../src/dht/crawl/census.ts';
import type { FamilyState } from '../../../src/dht/crawl/state.ts';
import { type CrawlFile, decodeCrawl, encodeCrawl } from '../../../src/dht/crawl/state-codec.ts';
import type { ZoneNode } from '../../../src/dht/crawl/zone.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const small = fc.nat({ max: 200 });
const states = fc.constantFrom('waiting', 'asked', 'answered', 'elsewhere', 'silent');

function nodeOf(length: 4 | 16): fc.Arbitrary<ZoneNode> {
  return fc
    .record({
      ...{ id: bytes(20), ip: bytes(length), port: fc.integer({ min: 1, max: 65_535 }) },
      ...{ named: fc.nat({ max: 255 }), tries: fc.nat({ max: 2 }), at: states },
    })
    .map(({ id, ip, port, tries, ...rest }) => ({
      contact: { id, endpoint: { host: formatIp(ip), port } },
      ...rest,
      tries: rest.at === 'asked' ? Math.max(1, tries) : tries,
    }));
}

function familyOf(length: 4 | 16): fc.Arbitrary<FamilyState> {
  const zone = fc.record({
    answered: fc.constant(90),
    once: fc.nat({ max: 40 }),
    twice: small.map((n) => n % 50),
  });
  const version = fc.record({
    nodes: fc.integer({ min: 5, max: 9 }),
    sampling: fc.nat({ max: 5 }),
  });
  return fc.record({
    bits: fc.integer({ min: 4, max: 16 }),
    seed: fc.nat({ max: 0xffff_ffff }),
    distances: fc.array(fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs), { maxLength: 5 }),
    done: fc.array(fc.tuple(fc.nat({ max: 15 }), zone)).map((list) => new Map(list)),
    open: fc.array(
      fc.record({ place: fc.nat({ max: 15 }), nodes: fc.array(nodeOf(length), { maxLength: 4 }) }),
      { maxLength: 3 },
    ),
    census: fc.record({
      counts: fc
        .record({ queries: small, answered: small })
        .map((some) => ({ ...NO_COUNTS, ...some })),
      versions: fc
        .array(fc.tuple(fc.uint8Array({ maxLength: 8 }).map(formatHex), version))
        .map((list) => new Map(list)),
    }),
    networksKey: bytes(16),
    networks: bytes(8),
  });
}

const file: fc.Arbitrary<CrawlFile> = fc
  .record({
    four: fc.option(familyOf(4), { nil: undefined }),
    six: fc.option(familyOf(16), { nil: undefined }),
    infoHashes: fc.constantFrom(0, 20, 60).chain(bytes),
  })
  .map(({ four, six, infoHashes }) => ({
    state: { ...(four && { 4: four }), ...(six && { 6: six }) },
    infoHashes,
  }));

/** One that is good, as what is in its file. */
function goodFamily(): Record<string, BencodeInput> {
  return {
    ...{ bits: 4, seed: 1, distances: new Uint8Array(8), done: new Uint8Array(16) },
    ...{ networks: new Uint8Array(4), networksKey: new Uint8Array(16), counts: { ...NO_COUNTS } },
    ...{ open: [{ place: 0, nodes: new Uint8Array(0) }], versions: [['LT', 2, 1]] },
  };
}

function sealed(content: BencodeInput): Uint8Array {
  const inner = encode(content);
  return encode({ content: inner, format: 'bip dht crawl 1', sha1: sha1(inner) });
}

test('what is written is read', () => {
  fc.assert(
    fc.property(file, (given) => {
      expect(decodeCrawl(encodeCrawl(given))).toEqual(given);
    }),
  );
});

describe('what is no state is refused', () => {
  test('every prefix of one, and one with a bit that is another', () => {
    const good = sealed({ infoHashes: '', ipv4: goodFamily() });
    expect(decodeCrawl(good).state[4]?.bits).toBe(4);
    for (let length = 0; length < good.length; length++) {
      expect(() => decodeCrawl(good.subarray(0, length))).toThrow(ProtocolError);
    }
    for (let at = 0; at < good.length; at++) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(() => decodeCrawl(bad)).toThrow(ProtocolError);
    }
  });

  test('arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        expect(() => decodeCrawl(any)).toThrow('is no state of a crawl of bip');
      }),
    );
  });

  const node = (port: number, state: number, tries = 1): Uint8Array =>
    Uint8Array.of(...new Uint8Array(20), 80, 1, 1, 1, 0, port, 1, tries, state);

  test.each<[string, Record<string, BencodeInput>]>([
    ['too many zones', { bits: 17 }],
    ['no seed', { seed: 'x' }],
    ['half a distance', { distances: new Uint8Array(7) }],
    ['a distance beyond the space', { distances: Uint8Array.of(0x40, 0, 0, 0, 0, 0, 0, 0) }],
    ['a zone that there is not', { done: Uint8Array.of(0, 0, 0, 16, ...new Uint8Array(12)) }],
    ['a zone twice', { done: new Uint8Array(32) }],
    ['more named than answered', { done: Uint8Array.of(...new Uint8Array(11), 1, 0, 0, 0, 0) }],
    ['an open zone that there is not', { open: [{ place: 16, nodes: '' }] }],
    ['half a node', { open: [{ place: 0, nodes: new Uint8Array(28) }] }],
    ['a node without a port', { open: [{ place: 0, nodes: node(0, 0) }] }],
    ['a node in no state', { open: [{ place: 0, nodes: node(1, 5) }] }],
    ['a node asked too often', { open: [{ place: 0, nodes: node(1, 0, 3) }] }],
    ['a node asked never', { open: [{ place: 0, nodes: node(1, 1, 0) }] }],
    ['no list', { open: 3 }],
    ['a long list', { open: Array.from({ length: 65 }, () => ({ place: 0, nodes: '' })) }],
    ['a short key', { networksKey: new Uint8Array(15) }],
    ['half a network', { networks: new Uint8Array(5) }],
    ['no counts', { counts: {} }],
    ['a negative count', { counts: { ...NO_COUNTS, answered: -1 } }],
    ['a version that is too long', { versions: [['123456789', 1, 1]] }],
    ['a version without numbers', { versions: [['LT']] }],
    ['more samples than nodes', { versions: [['LT', 1, 2]] }],
    ['too many versions', { versions: Array.from({ length: 1025 }, () => ['LT', 1, 1]) }],
  ])('%s', (_, wrong) => {
    const bad = sealed({ infoHashes: '', ipv4: { ...goodFamily(), ...wrong } });
    expect(() => decodeCrawl(bad)).toThrow('is no state that bip can go on from');
  });

  test('half an infohash', () => {
    expect(() => decodeCrawl(sealed({ infoHashes: 'x' }))).toThrow(ProtocolError);
    expect(() => decodeCrawl(sealed({}))).toThrow(ProtocolError);
    expect(
      decode(encodeCrawl({ state: {}, infoHashes: new Uint8Array(0) })).get('format'),
    ).toBeDefined();
  });
});

describe('the census', () => {
  const inhabitant = { version: undefined, isSecure: true, samples: undefined, total: undefined };

  test('counts kinds, and versions up to a limit', () => {
    const census = new Census();
    census.asked();
    census.found({ ...inhabitant, samples: 3, total: 10 });
    census.found({ ...inhabitant, samples: 0, total: 1e15, isSecure: false });
    for (let at = 0; at < 1024; at++) {
      census.found({ ...inhabitant, version: Uint8Array.of(at >>> 8, at, 0, 0, 0, 0, 0, 0, 9) });
    }
    census.missed('silent');
    const { counts, versions } = census.state;
    expect(counts).toMatchObject({ queries: 1, answered: 1026, secure: 1025, sampling: 2 });
    expect(counts).toMatchObject({ samples: 3, total: 100_010, silent: 1, otherVersions: 1 });
    expect(versions.size).toBe(1024);
    expect(versions.get('')).toEqual({ nodes: 2, sampling: 2 });
  });

  test('tells loss by clients most of which give samples', () => {
    const versions = new Map([
      ['aa', { nodes: 100, sampling: 90 }],
      ['bb', { nodes: 100, sampling: 0 }],
      ['cc', { nodes: 2, sampling: 1 }],
    ]);
    // p/(1 + p) = 10/100
    expect(lossOf({ counts: NO_COUNTS, versions })).toBeCloseTo(1 / 9);
    expect(lossOf({ counts: NO_COUNTS, versions: new Map() })).toBe(0);
  });
});
