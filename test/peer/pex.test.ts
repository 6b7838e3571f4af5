import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { formatIp } from '../../src/base/ip.ts';
import { encode } from '../../src/bencode/index.ts';
import {
  decodePex,
  encodePex,
  MAX_PEX_TAKEN,
  PEX_FLAG,
  type PexMessage,
} from '../../src/peer/index.ts';

const endpoints: fc.Arbitrary<Endpoint> = fc
  .tuple(
    fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    ),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([ip, port]) => ({ host: formatIp(ip), port }));
const distinct = fc.uniqueArray(endpoints, { selector: formatEndpoint, maxLength: 60 });
const messages: fc.Arbitrary<PexMessage> = fc
  .tuple(distinct, distinct, fc.integer({ min: 0, max: 31 }))
  .map(([added, dropped, flags]) => ({
    added: added.map((endpoint, at) => ({ endpoint, flags: (flags + at) % 32 })),
    dropped,
  }));

/** `count` IPv4 contacts, each another one. */
function compact(count: number): Uint8Array {
  return concatBytes(
    ...Array.from({ length: count }, (_, at) =>
      Uint8Array.of(198, 51, at >> 8, at & 255, 0x1a, 0xe1),
    ),
  );
}
/** As the codec orders them: IPv4 before IPv6. */
function byFamily<Item>(items: readonly Item[], hostOf: (item: Item) => string): Item[] {
  const isSix = (item: Item): boolean => hostOf(item).includes(':');
  return [...items.filter((item) => !isSix(item)), ...items.filter(isSix)];
}

test('what is encoded is decoded, IPv4 first', () => {
  fc.assert(
    fc.property(messages, (message) => {
      expect(decodePex(encodePex(message))).toEqual({
        added: byFamily(message.added, ({ endpoint }) => endpoint.host),
        dropped: byFamily(message.dropped, ({ host }) => host),
      });
    }),
  );
});

test('the bytes of a message with both families', () => {
  const bytes = encodePex({
    added: [
      { endpoint: { host: '192.0.2.1', port: 6881 }, flags: PEX_FLAG.reachable },
      { endpoint: { host: '2001:db8::1', port: 1 }, flags: PEX_FLAG.uploadOnly },
    ],
    dropped: [{ host: '192.0.2.2', port: 258 }],
  });
  const six = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1);
  expect(bytes).toEqual(
    encode({
      added: Uint8Array.of(192, 0, 2, 1, 0x1a, 0xe1),
      'added.f': Uint8Array.of(0x10),
      added6: six,
      'added6.f': Uint8Array.of(0x02),
      dropped: Uint8Array.of(192, 0, 2, 2, 1, 2),
    }),
  );
});

describe('what others send', () => {
  test('flags that are missing, or not as many as peers, are zero; reserved ones too', () => {
    const flagsOf = (flags: Uint8Array | undefined): number[] =>
      decodePex(encode({ added: compact(2), 'added.f': flags })).added.map((peer) => peer.flags);
    expect(flagsOf(undefined)).toEqual([0, 0]);
    expect(flagsOf(Uint8Array.of(1))).toEqual([0, 0]);
    expect(flagsOf(Uint8Array.of(1, 2, 3))).toEqual([0, 0]);
    expect(flagsOf(Uint8Array.of(0xff, 0x80))).toEqual([0x1f, 0]);
  });

  test('a port 0 is left out, and the flags of the others stay theirs', () => {
    const added = concatBytes(Uint8Array.of(192, 0, 2, 1, 0, 0), compact(1));
    const { added: kept } = decodePex(encode({ added, 'added.f': Uint8Array.of(1, 2) }));
    expect(kept).toEqual([{ endpoint: { host: '198.51.0.0', port: 6881 }, flags: 2 }]);
  });

  test('each peer counts once', () => {
    const twice = concatBytes(compact(3), compact(3));
    const { added, dropped } = decodePex(encode({ added: twice, dropped: twice }));
    expect([added.length, dropped.length]).toEqual([3, 3]);
  });

  test('no more are taken than the limit, from both sides of it', () => {
    const counts = [MAX_PEX_TAKEN - 1, MAX_PEX_TAKEN, MAX_PEX_TAKEN + 1, 1_000];
    expect(
      counts.map((count) => decodePex(encode({ added: compact(count) })).added.length),
    ).toEqual([MAX_PEX_TAKEN - 1, MAX_PEX_TAKEN, MAX_PEX_TAKEN, MAX_PEX_TAKEN]);
    expect(decodePex(encode({ dropped: compact(1_000) })).dropped).toHaveLength(MAX_PEX_TAKEN);
  });

  test('2000 contacts are read, more are an assault', () => {
    const half = compact(1_000);
    expect(decodePex(encode({ added: half, dropped: half })).added).toHaveLength(MAX_PEX_TAKEN);
    expect(() => decodePex(encode({ added: compact(1_001), dropped: half }))).toThrow(
      'names 2001 peers',
    );
  });

  test('an empty dictionary and unknown keys are fine', () => {
    const nothing = { added: [], dropped: [] };
    expect(decodePex(encodeUtf8('de'))).toEqual(nothing);
    expect(decodePex(encodeUtf8('d4:sizei5e4:typeli1eee'))).toEqual(nothing);
    expect(decodePex(encodePex(nothing))).toEqual(nothing);
  });

  test.each([
    ['no bencode', 'd5:added'],
    ['no dictionary', 'le'],
    ['a number for a list', 'd5:addedi5ee'],
    ['a list cut off in an IPv4 contact', 'd5:added7:1234567e'],
    ['a list cut off in an IPv6 contact', 'd6:added617:12345678901234567e'],
    ['dropped cut off', 'd7:dropped5:12345e'],
  ])('%s is refused', (_name, text) => {
    expect(() => decodePex(encodeUtf8(text))).toThrow(ProtocolError);
  });
});

test('every prefix of a message is refused', () => {
  const bytes = encodePex({
    added: [{ endpoint: { host: '192.0.2.1', port: 6881 }, flags: 1 }],
    dropped: [{ host: '2001:db8::1', port: 6881 }],
  });
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodePex(bytes.subarray(0, length))).toThrow(ProtocolError);
  }
});

test('arbitrary bytes give a message or a ProtocolError', () => {
  const list = fc.uint8Array({ maxLength: 40 });
  const dictionaries = fc
    .record({ added: list, 'added.f': list, added6: list, dropped: list, dropped6: list })
    .map((record) => encode(record));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), dictionaries), (payload) => {
      try {
        const { added } = decodePex(payload);
        expect(added.every(({ endpoint }) => endpoint.port > 0)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});
