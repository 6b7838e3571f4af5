import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BencodeNode, decode, encode } from '../../../src/bencode/index.ts';
import { MAX_PACKET_BYTES } from '../../../src/dht/krpc/index.ts';
import { anyValue, bytes, latin1 } from '../../bencode/values.ts';
import { ID, readQuery, readResponse } from './packets.ts';

describe('arbitrary dictionaries say what src/bencode finds in them', () => {
  const plausible = fc.oneof(
    fc.integer({ min: -2, max: 70_000 }),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    fc
      .constantFrom(0, 6, 18, 20, 26, 32, 38, 52, 64, 76, 256)
      .map((length) => new Uint8Array(length)),
    fc.uint8Array({ maxLength: 140 }),
    fc.array(fc.constantFrom('n4', 'n6', 'abcdef', 'v'.repeat(18), 7), { maxLength: 6 }),
    anyValue.filter((value) => encode(value).length < 300),
  );
  const dictionary = (keys: readonly string[]) =>
    fc.dictionary(
      fc.oneof(fc.constantFrom(...keys), fc.stringMatching(/^[a-z]{1,3}$/)),
      plausible,
      {
        maxKeys: 6,
      },
    );
  const exactly = (node: BencodeNode | undefined, length: number): Uint8Array | undefined =>
    node?.asBytes()?.length === length ? node.asBytes() : undefined;
  const between = (node: BencodeNode | undefined, min: number, max: number): number | undefined => {
    const value = node?.asNumber();
    return value !== undefined && value >= min && value <= max ? value : undefined;
  };
  const whole = (node: BencodeNode | undefined, length: number): Uint8Array | undefined => {
    const data = node?.asBytes();
    return data?.subarray(0, Math.floor(data.length / length) * length);
  };
  const truth = (node: BencodeNode | undefined): boolean | undefined =>
    node?.kind === 'integer' ? node.asInteger() !== 0 : undefined;
  const sequence = (node: BencodeNode | undefined): bigint | undefined => {
    const value = node?.asInteger();
    if (value === undefined || value > 2n ** 63n - 1n || value < -(2n ** 63n)) return undefined;
    return BigInt(value);
  };
  const token = (node: BencodeNode | undefined): Uint8Array | undefined => {
    const data = node?.asBytes();
    return data !== undefined && data.length >= 1 && data.length <= 128 ? data : undefined;
  };

  /** The dictionary in `key` of a packet. */
  const within = (packet: Uint8Array, key: string): BencodeNode => {
    const node = decode(packet).get(key);
    if (node === undefined) throw new Error(`has no ${key}`);
    return node;
  };
  const peersIn = (list: BencodeNode | undefined): unknown => {
    if (list?.kind !== 'list') return undefined;
    const items = [...list.items()].map((item) => item.asBytes());
    return items.filter((item) => item?.length === 6 || item?.length === 18);
  };
  const wantIn = (list: BencodeNode | undefined): unknown => {
    const wanted = [...(list?.items() ?? [])].map((item) => item.asText());
    const want = { n4: wanted.includes('n4'), n6: wanted.includes('n6') };
    return want.n4 || want.n6 ? want : undefined;
  };

  test('responses', () => {
    const keys = [
      'nodes',
      'nodes6',
      'values',
      'token',
      'BFsd',
      'BFpe',
      'samples',
      'num',
      'interval',
      'seq',
      'k',
      'sig',
      'v',
    ];
    fc.assert(
      fc.property(dictionary(keys), (returned) => {
        const packet = encode({ r: { ...returned, id: bytes(ID) }, t: 'aa', y: 'r' });
        fc.pre(packet.length <= MAX_PACKET_BYTES);
        const r = within(packet, 'r');
        const interval = between(r.get('interval'), 0, Number.MAX_SAFE_INTEGER);
        expect(readResponse(latin1(packet))).toEqual({
          type: 'response',
          transaction: bytes('aa'),
          id: bytes(ID),
          nodes: whole(r.get('nodes'), 26),
          nodes6: whole(r.get('nodes6'), 38),
          values: peersIn(r.get('values')),
          token: token(r.get('token')),
          seedBloom: exactly(r.get('BFsd'), 256),
          peerBloom: exactly(r.get('BFpe'), 256),
          samples: whole(r.get('samples'), 20),
          sampleTotal: between(r.get('num'), 0, Number.MAX_SAFE_INTEGER),
          intervalSeconds: interval === undefined ? undefined : Math.min(interval, 21_600),
          sequence: sequence(r.get('seq')),
          publicKey: exactly(r.get('k'), 32),
          signature: exactly(r.get('sig'), 64),
          value: r.get('v')?.raw,
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('arguments', () => {
    const keys = [
      'target',
      'info_hash',
      'want',
      'port',
      'implied_port',
      'token',
      'seed',
      'noseed',
      'scrape',
      'seq',
      'cas',
      'k',
      'salt',
      'sig',
      'v',
    ];
    fc.assert(
      fc.property(dictionary(keys), (given) => {
        const packet = encode({ a: { ...given, id: bytes(ID) }, q: 'other', t: 'aa', y: 'q' });
        fc.pre(packet.length <= MAX_PACKET_BYTES);
        const a = within(packet, 'a');
        expect(readQuery(latin1(packet)).args).toEqual({
          id: bytes(ID),
          target: exactly(a.get('target'), 20),
          infoHash: exactly(a.get('info_hash'), 20),
          want: wantIn(a.get('want')),
          port: between(a.get('port'), 1, 65_535),
          impliedPort: truth(a.get('implied_port')),
          token: token(a.get('token')),
          seed: truth(a.get('seed')),
          noSeed: truth(a.get('noseed')),
          scrape: truth(a.get('scrape')),
          sequence: sequence(a.get('seq')),
          compareSequence: sequence(a.get('cas')),
          publicKey: exactly(a.get('k'), 32),
          salt: a.get('salt')?.asBytes(),
          signature: exactly(a.get('sig'), 64),
          value: a.get('v')?.raw,
        });
      }),
      { numRuns: 3000 },
    );
  });
});
