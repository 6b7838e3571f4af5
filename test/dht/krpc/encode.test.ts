import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/errors.ts';
import { encode } from '../../../src/bencode/index.ts';
import {
  type KrpcQuery,
  type KrpcResponse,
  KrpcWriter,
  MAX_PACKET_BYTES,
  MAX_SENT_BYTES,
} from '../../../src/dht/krpc/index.ts';
import { bytes, latin1 } from '../../bencode/values.ts';
import { anyError, anyQuery, anyResponse } from './messages.ts';
import { ARGS_ID, ID } from './packets.ts';

const PING: KrpcQuery = {
  type: 'query',
  transaction: bytes('aa'),
  method: 'ping',
  args: { id: bytes(ID) },
  readOnly: false,
};
const RESPONSE: KrpcResponse = { type: 'response', transaction: bytes('aa'), id: bytes(ID) };
const write = (...[message]: Parameters<KrpcWriter['encode']>): string =>
  latin1(new KrpcWriter().encode(message));

test('packets are kept below what BEP 32 permits to send by the caller', () => {
  expect(MAX_SENT_BYTES).toBe(1024);
  expect(MAX_SENT_BYTES).toBeLessThan(MAX_PACKET_BYTES);
});

test('a packet is a view of the same memory until the next one is written', () => {
  const writer = new KrpcWriter();
  const first = writer.encode(PING);
  const copy = first.slice();
  const second = writer.encode(RESPONSE);
  expect(second.buffer).toBe(first.buffer);
  expect(first).not.toEqual(copy);
  expect(writer.encode(PING)).toEqual(copy);
});

test('a packet that was refused leaves nothing behind', () => {
  const writer = new KrpcWriter();
  expect(() => writer.encode({ ...RESPONSE, value: new Uint8Array(5000) })).toThrow(InvariantError);
  expect(latin1(writer.encode(RESPONSE))).toBe(write(RESPONSE));
});

describe('what another encoder of bencode writes', () => {
  const seen = (host: string, port: number): Uint8Array => {
    const parts = host.split('.').map(Number);
    return Uint8Array.of(...parts, port >>> 8, port & 0xff);
  };
  const flag = (value: boolean | undefined): number | undefined =>
    value === undefined ? undefined : Number(value);
  const whole = (value: Uint8Array | undefined): string | undefined =>
    value === undefined ? undefined : `raw ${latin1(value)}`;

  /** The raw value cannot be given to the other encoder: a string stands in for it on both sides. */
  const marked = (value: Uint8Array | undefined): Uint8Array | undefined => {
    const text = whole(value);
    return text === undefined ? undefined : encode(bytes(text));
  };
  const asBytes = (text: string | undefined): Uint8Array | undefined =>
    text === undefined ? undefined : bytes(text);

  test('for queries', () => {
    fc.assert(
      fc.property(anyQuery, (message) => {
        const { args, method, readOnly, transaction, version } = message;
        const want = args.want && [
          ...(args.want.n4 ? ['n4'] : []),
          ...(args.want.n6 ? ['n6'] : []),
        ];
        const theirs = encode({
          a: {
            id: args.id,
            target: args.target,
            info_hash: args.infoHash,
            want,
            port: args.port,
            implied_port: flag(args.impliedPort),
            token: args.token,
            seed: flag(args.seed),
            noseed: flag(args.noSeed),
            scrape: flag(args.scrape),
            seq: args.sequence,
            cas: args.compareSequence,
            k: args.publicKey,
            salt: args.salt,
            sig: args.signature,
            v: asBytes(whole(args.value)),
          },
          q: bytes(method),
          ro: readOnly ? 1 : undefined,
          t: transaction,
          v: version,
          y: 'q',
        });
        const ours = write({ ...message, args: { ...args, value: marked(args.value) } });
        expect(ours).toBe(latin1(theirs));
      }),
      { numRuns: 1000 },
    );
  });

  test('for responses', () => {
    fc.assert(
      fc.property(anyResponse, (message) => {
        const theirs = encode({
          ip: seen('10.1.2.3', 258),
          r: {
            id: message.id,
            nodes: message.nodes,
            nodes6: message.nodes6,
            values: message.values,
            token: message.token,
            BFsd: message.seedBloom,
            BFpe: message.peerBloom,
            samples: message.samples,
            num: message.sampleTotal,
            interval: message.intervalSeconds,
            seq: message.sequence,
            k: message.publicKey,
            sig: message.signature,
            v: asBytes(whole(message.value)),
          },
          t: message.transaction,
          v: message.version,
          y: 'r',
        });
        const externalAddress = { host: '10.1.2.3', port: 258 };
        const ours = write({ ...message, externalAddress, value: marked(message.value) });
        expect(ours).toBe(latin1(theirs));
      }),
      { numRuns: 1000 },
    );
  });

  test('for errors', () => {
    fc.assert(
      fc.property(anyError, (message) => {
        const { code, message: text, transaction, version } = message;
        const theirs = encode({ e: [code, text], t: transaction, v: version, y: 'e' });
        expect(write({ ...message, externalAddress: undefined })).toBe(latin1(theirs));
      }),
      { numRuns: 500 },
    );
  });
});

test('a value is put in as it is', () => {
  const value = bytes('d1:bi1e1:ai2ee');
  expect(write({ ...RESPONSE, value })).toBe(`d1:rd${ARGS_ID}1:vd1:bi1e1:ai2eee1:t2:aa1:y1:re`);
});

test('empty strings and lists are something, and a want of nothing is nothing', () => {
  expect(write({ ...RESPONSE, nodes: bytes(''), values: [], samples: bytes('') })).toBe(
    `d1:rd${ARGS_ID}5:nodes0:7:samples0:6:valueslee1:t2:aa1:y1:re`,
  );
  const args = { id: bytes(ID), want: { n4: false, n6: false } };
  expect(write({ ...PING, args })).toBe(write(PING));
});

test('flags that are false are 0, those that are undefined are not there', () => {
  const args = { id: bytes(ID), seed: false, noSeed: true, scrape: undefined };
  expect(write({ ...PING, args })).toBe(
    `d1:ad${ARGS_ID}6:noseedi1e4:seedi0ee1:q4:ping1:t2:aa1:y1:qe`,
  );
});

describe('bugs of the caller', () => {
  const overhead = write({ ...RESPONSE, value: bytes('') }).length;

  test('a packet as long as can be received, and one byte more', () => {
    const longest = new Uint8Array(MAX_PACKET_BYTES - overhead).fill(0x31);
    expect(write({ ...RESPONSE, value: longest })).toHaveLength(MAX_PACKET_BYTES);
    for (const more of [1, 2, 20, 5000]) {
      const value = new Uint8Array(longest.length + more);
      expect(() => write({ ...RESPONSE, value })).toThrow(InvariantError);
    }
    const method = 'x'.repeat(MAX_PACKET_BYTES);
    expect(() => write({ ...PING, method })).toThrow(InvariantError);
  });

  test('a method with characters that are no bytes', () => {
    expect(() => write({ ...PING, method: 'pi\u0143g' })).toThrow(InvariantError);
    expect(write({ ...PING, method: 'p\xefng' })).toContain('1:q4:p\xefng');
  });

  test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 53])('the number %d', (number) => {
    expect(() => write({ ...RESPONSE, sampleTotal: number })).toThrow(InvariantError);
  });

  test('an external address that is a name', () => {
    const externalAddress = { host: 'localhost', port: 1 };
    expect(() => write({ ...RESPONSE, externalAddress })).toThrow(InvariantError);
  });
});
