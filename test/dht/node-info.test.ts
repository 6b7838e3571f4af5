import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../src/base/errors.ts';
import { formatIp } from '../../src/base/ip.ts';
import type { Contact, Family } from '../../src/dht/contact.ts';
import {
  decodeEndpoint,
  decodeNodes,
  encodeNodes,
  NODE_INFO_LENGTH,
  readEndpoint,
} from '../../src/dht/node-info.ts';
import { bytes, latin1 } from '../bencode/values.ts';

const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const contacts = (family: Family): fc.Arbitrary<Contact[]> =>
  fc.array(
    fc.record({
      id: exactly(20),
      endpoint: fc.record({
        host: exactly(family === 4 ? 4 : 16).map(formatIp),
        port: fc.integer({ min: 1, max: 0xffff }),
      }),
    }),
    { maxLength: 20 },
  );

const FAMILIES: readonly Family[] = [4, 6];

test('the bytes of BEP 5', () => {
  const id = bytes('abcdefghij0123456789');
  const node: Contact = { id, endpoint: { host: '124.31.75.21', port: 6881 } };
  expect(latin1(encodeNodes([node], 4))).toBe('abcdefghij0123456789\x7c\x1f\x4b\x15\x1a\xe1');
});

test('the bytes of BEP 32', () => {
  const id = bytes('abcdefghij0123456789');
  const node: Contact = { id, endpoint: { host: '2001:db8::1', port: 6881 } };
  expect(latin1(encodeNodes([node], 6))).toBe(
    `abcdefghij0123456789\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x1a\xe1`,
  );
});

describe.each(FAMILIES)('nodes of IPv%i', (family) => {
  const length = NODE_INFO_LENGTH[family];

  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(contacts(family), (nodes) => {
        const compact = encodeNodes(nodes, family);
        expect(compact).toHaveLength(nodes.length * length);
        expect(decodeNodes(compact, family)).toEqual(nodes);
      }),
    );
  });

  test('a ragged end is no node', () => {
    fc.assert(
      fc.property(contacts(family), fc.nat(length - 1), (nodes, rest) => {
        const compact = encodeNodes(nodes, family);
        const ragged = new Uint8Array(compact.length + rest).fill(1);
        ragged.set(compact);
        expect(decodeNodes(ragged, family)).toEqual(nodes);
      }),
    );
  });

  test('arbitrary bytes: as many as have a port, with ids that are views', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        const nodes = decodeNodes(data, family);
        const whole = Math.floor(data.length / length);
        const starts = Array.from({ length: whole }, (_, at) => at * length).filter(
          (at) => data[at + length - 2] !== 0 || data[at + length - 1] !== 0,
        );
        expect(nodes.map(({ id }) => id.byteOffset - data.byteOffset)).toEqual(starts);
        for (const { id } of nodes) {
          expect([id.length, id.buffer === data.buffer]).toEqual([20, true]);
        }
      }),
    );
  });

  test('port 0 cannot be reached and is left out', () => {
    const host = family === 4 ? '1.2.3.4' : '2001:db8::1';
    const node = (port: number): Contact => ({
      id: new Uint8Array(20).fill(port),
      endpoint: { host, port },
    });
    const compact = encodeNodes([node(1), node(0), node(2)], family);
    expect(decodeNodes(compact, family)).toEqual([node(1), node(2)]);
  });

  test('bugs of the caller', () => {
    const id = new Uint8Array(20);
    const host = family === 4 ? '1.2.3.4' : '::1';
    const other = family === 4 ? '::1' : '1.2.3.4';
    for (const node of [
      { id, endpoint: { host: other, port: 1 } },
      { id, endpoint: { host: 'localhost', port: 1 } },
      { id: id.subarray(1), endpoint: { host, port: 1 } },
    ]) {
      expect(() => encodeNodes([node], family)).toThrow(InvariantError);
    }
  });
});

test('one endpoint among other bytes', () => {
  const data = bytes(`xx\x01\x02\x03\x04\x1a\xe1${'\0'.repeat(15)}\x01\x00\x50`);
  expect(readEndpoint(data, 2, 4)).toEqual({ host: '1.2.3.4', port: 6881 });
  expect(readEndpoint(data, 8, 6)).toEqual({ host: '::1', port: 80 });
});

test('the length tells the family of one endpoint', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (data) => {
      const family = data.length === 6 ? 4 : data.length === 18 ? 6 : undefined;
      expect(decodeEndpoint(data)).toEqual(
        family === undefined ? undefined : readEndpoint(data, 0, family),
      );
    }),
    { numRuns: 500 },
  );
});
