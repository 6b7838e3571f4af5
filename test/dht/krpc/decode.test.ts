import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/base/errors.ts';
import {
  decodeMessage,
  MAX_PACKET_BYTES,
  MAX_TRANSACTION_BYTES,
} from '../../../src/dht/krpc/index.ts';
import { MAX_VALUES } from '../../../src/dht/krpc/response.ts';
import { MAX_DEPTH, MAX_TOKENS } from '../../../src/dht/krpc/scan.ts';
import { bytes } from '../../bencode/values.ts';
import {
  ARGS_ID,
  HASH,
  ID,
  query,
  read,
  readQuery,
  readResponse,
  refusal,
  response,
} from './packets.ts';
import { BEP_5, EXTENSIONS } from './vectors.ts';

describe('refused, because nobody could be answered', () => {
  test.each([
    ['nothing', '', 'BEP 3 bencode', 0],
    ['no dictionary', 'le', 'BEP 3 bencode', 0],
    ['a key that is no string', 'di1ei2ee', 'BEP 3 bencode', 1],
    ['a key without a value', 'd1:te', 'BEP 3 bencode', 4],
    ['a string without a colon', 'd1:t2aa', 'BEP 3 bencode', 4],
    ['a string longer than the packet', 'd1:t99:aa1:y1:qe', 'BEP 3 bencode', 4],
    ['a length beyond all numbers', `d1:t${'9'.repeat(400)}:e`, 'BEP 3 bencode', 4],
    ['a negative length', 'd1:t-1:e', 'BEP 3 bencode', 4],
    ['an integer without digits', 'd1:xiee', 'BEP 3 bencode', 4],
    ['an integer with a fraction', 'd1:xi1.5ee', 'BEP 3 bencode', 4],
    ['an integer with a plus', 'd1:xi+5ee', 'BEP 3 bencode', 4],
    ['no transaction', 'd1:y1:qe', 'BEP 5 transaction', undefined],
    ['a transaction that is a number', 'd1:ti7e1:y1:qe', 'BEP 5 transaction', 4],
    ['a transaction of no bytes', 'd1:t0:1:y1:qe', 'BEP 5 transaction', 4],
    ['no type', 'd1:t2:aae', 'BEP 5 type', undefined],
    ['another type', 'd1:t2:aa1:y1:xe', 'BEP 5 type', 11],
    ['a longer type', 'd1:t2:aa1:y2:qqe', 'BEP 5 type', 11],
    ['a type that is a number', 'd1:t2:aa1:yi1ee', 'BEP 5 type', 11],
    ['a response without values', 'd1:t2:aa1:y1:re', 'BEP 5 response', undefined],
    ['a response of another kind', 'd1:r2:hi1:t2:aa1:y1:re', 'BEP 5 response', 4],
    ['a response without an id', 'd1:rde1:t2:aa1:y1:re', 'BEP 5 response', 4],
    ['an id of 19 bytes', `d1:rd2:id19:${ID.slice(1)}e1:t2:aa1:y1:re`, 'BEP 5 response', 4],
    ['an id of 21 bytes', `d1:rd2:id21:${ID}xe1:t2:aa1:y1:re`, 'BEP 5 response', 4],
  ])('%s', (_, packet, rule, offset) => {
    const error = refusal(bytes(packet));
    expect([error.rule, error.offset]).toEqual([rule, offset]);
  });
});

describe('taken, as libtorrent takes it', () => {
  const PING = read(query('ping', ARGS_ID));

  test('keys in any order', () => {
    expect(read(`d1:y1:q1:t2:aa1:q4:ping1:ad${ARGS_ID}ee`)).toEqual(PING);
  });

  test('unknown keys with values of every kind, before, among and behind the known ones', () => {
    const unknown = '1:0li1e1:xd1:dleee1:bi-5e2:ccde2:id0:';
    expect(read(`d${unknown}1:ad1:zle${ARGS_ID}e1:q4:ping1:t2:aa1:y1:q1:z0:e`)).toEqual({
      ...PING,
    });
  });

  test('the first of a repeated key', () => {
    const twice = `d1:ad${ARGS_ID}2:id20:${HASH}e1:ade1:q4:ping1:q3:get1:t2:aa1:t2:bb1:y1:qe`;
    expect(read(twice)).toEqual(PING);
  });

  test('bytes behind the message', () => {
    for (const more of ['\0', '\r\n', 'e', 'd', 'xyz']) {
      expect(read(query('ping', ARGS_ID) + more)).toEqual(PING);
    }
  });

  test('needless zeros', () => {
    expect(read(`d1:ad2:id020:${ID}e01:q4:ping1:t2:aa1:y1:qe`)).toEqual(PING);
    const args = `${ARGS_ID}9:info_hash20:${HASH}4:porti0080e5:token1:x`;
    expect(readQuery(query('announce_peer', args)).args.port).toBe(80);
  });

  test('`v` and `ro` of the wrong kind are left out', () => {
    const message = readQuery(`d1:ad${ARGS_ID}e1:q4:ping2:ro1:11:t2:aa1:vi7e1:y1:qe`);
    expect([message.version, message.readOnly]).toEqual([undefined, false]);
  });

  test.each([
    ['i0e', false],
    ['i-0e', false],
    ['i1e', true],
    ['i7e', true],
    ['i-1e', true],
    [`i${'9'.repeat(30)}e`, true],
  ])('ro of %s is %s', (integer, readOnly) => {
    expect(readQuery(`d1:ad${ARGS_ID}e1:q4:ping2:ro${integer}1:t2:aa1:y1:qe`).readOnly).toBe(
      readOnly,
    );
  });
});

describe('limits, from both sides', () => {
  const padded = (length: number): Uint8Array => {
    const whole = new Uint8Array(length);
    whole.set(bytes(query('ping', ARGS_ID)));
    return whole;
  };

  test('bytes of a packet', () => {
    expect(decodeMessage(padded(MAX_PACKET_BYTES)).type).toBe('query');
    const error = refusal(padded(MAX_PACKET_BYTES + 1));
    expect([error.rule, error.offset]).toEqual(['BEP 32 packet size', MAX_PACKET_BYTES]);
  });

  test.each(['l', 'd1:k'])('levels of %s, at the top and within the arguments', (opener) => {
    const nested = (levels: number): string => opener.repeat(levels) + 'e'.repeat(levels);
    const value = (levels: number): string =>
      opener === 'l' ? nested(levels) : `${'d1:k'.repeat(levels)}le${'e'.repeat(levels)}`;
    const used = opener === 'l' ? 0 : 1;
    const top = (levels: number): string => `d1:t2:aa1:x${value(levels - used)}1:y1:ee`;
    expect(read(top(MAX_DEPTH - 1)).type).toBe('error');
    expect(refusal(bytes(top(MAX_DEPTH))).message).toContain('levels');
    const inner = (levels: number): string => query('ping', `${ARGS_ID}1:x${value(levels - used)}`);
    expect(read(inner(MAX_DEPTH - 2)).type).toBe('query');
    expect(refusal(bytes(inner(MAX_DEPTH - 1))).message).toContain('levels');
  });

  test('values and keys, wherever they are', () => {
    // The dictionary, and two keys with their values.
    const used = 5;
    const atTop = (more: number): string => `d1:t1:a1:y1:e${'0:0:'.repeat(more / 2)}e`;
    expect(read(atTop(MAX_TOKENS - used - 1)).type).toBe('error');
    expect(refusal(bytes(atTop(MAX_TOKENS - used + 1))).message).toContain('500 values and keys');
    const inList = (more: number): string => `d1:t1:a1:xl${'0:'.repeat(more)}e1:y1:ee`;
    expect(read(inList(MAX_TOKENS - used - 2)).type).toBe('error');
    expect(refusal(bytes(inList(MAX_TOKENS - used - 1))).message).toContain('500 values and keys');
  });

  test('thousands of openers do not exhaust the stack', () => {
    for (const opener of ['l', 'd', 'd1:x']) {
      expect(() => read(`d1:x${opener.repeat(2000 / opener.length)}`)).toThrow(ProtocolError);
    }
  });

  test.each([
    [1, true],
    [MAX_TRANSACTION_BYTES, true],
    [MAX_TRANSACTION_BYTES + 1, false],
  ])('a transaction of %i bytes: %s', (length, isTaken) => {
    const packet = bytes(`d1:rd${ARGS_ID}e1:t${length}:${'t'.repeat(length)}1:y1:re`);
    if (isTaken) expect(decodeMessage(packet).transaction).toHaveLength(length);
    else expect(refusal(packet).rule).toBe('BEP 5 transaction');
  });

  test.each([MAX_VALUES - 1, MAX_VALUES, MAX_VALUES + 1])('%i peers', (count) => {
    const { values } = readResponse(response(`6:valuesl${'5:wrong6:abcdef'.repeat(count)}e`));
    expect(values).toHaveLength(Math.min(count, MAX_VALUES));
  });
});

test('bytes are views of the packet', () => {
  for (const { packet } of [...BEP_5, ...EXTENSIONS]) {
    const data = bytes(packet);
    const views = viewsIn(decodeMessage(data));
    expect(views.length).toBeGreaterThan(0);
    for (const view of views) expect(view.buffer).toBe(data.buffer);
  }
});

test('a packet within a larger buffer', () => {
  for (const { packet, message } of [...BEP_5, ...EXTENSIONS]) {
    const data = bytes(`d1:x${packet}e`);
    expect(decodeMessage(data.subarray(4, -1))).toEqual(message);
  }
});

/** All byte strings in a message. */
function viewsIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(viewsIn);
}
