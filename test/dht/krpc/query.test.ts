import { describe, expect, test } from 'vitest';
import { MAX_TOKEN_BYTES } from '../../../src/dht/krpc/index.ts';
import { bytes, latin1 } from '../../bencode/values.ts';
import { ARGS_ID, HASH, ID, query, read, readQuery } from './packets.ts';

describe('queries', () => {
  const TARGET = `6:target20:${HASH}`;
  const INFO_HASH = `9:info_hash20:${HASH}`;
  const ANNOUNCE = `${ARGS_ID}${INFO_HASH}4:porti80e5:token1:x`;
  const K = `1:k32:${'k'.repeat(32)}`;
  const SIG = `3:sig64:${'s'.repeat(64)}`;
  const PUT = `${ARGS_ID}5:token1:x1:v2:hi`;

  test.each([
    ['no method', `d1:ad${ARGS_ID}e1:t2:aa1:y1:qe`, 204, 'no method "q"'],
    ['a method that is a number', `d1:ad${ARGS_ID}e1:qi1e1:t2:aa1:y1:qe`, 204, 'no method "q"'],
    ['no arguments', 'd1:q4:ping1:t2:aa1:y1:qe', 203, 'no "id" of 20 bytes'],
    ['arguments in a list', 'd1:ale1:q4:ping1:t2:aa1:y1:qe', 203, 'no "id" of 20 bytes'],
    ['no id', query('ping', ''), 203, 'no "id" of 20 bytes'],
    ['an id of 19 bytes', query('ping', `2:id19:${ID.slice(1)}`), 203, 'no "id" of 20 bytes'],
    ['an unknown method without id', query('frob', ''), 203, 'no "id" of 20 bytes'],
    ['find_node', query('find_node', ARGS_ID), 203, 'no "target" of 20 bytes'],
    ['get', query('get', `${ARGS_ID}6:target3:abc`), 203, 'no "target" of 20 bytes'],
    ['sample_infohashes', query('sample_infohashes', ARGS_ID), 203, 'no "target" of 20 bytes'],
    ['get_peers', query('get_peers', `${ARGS_ID}${TARGET}`), 203, 'no "info_hash" of 20 bytes'],
    [
      'announce_peer without infohash',
      query('announce_peer', `${ARGS_ID}4:porti80e5:token1:x`),
      203,
      'no "info_hash" of 20 bytes',
    ],
    [
      'announce_peer without port',
      query('announce_peer', `${ARGS_ID}${INFO_HASH}5:token1:x`),
      203,
      'no "port" from 1 to 65535',
    ],
    [
      'announce_peer without port and without implied port',
      query('announce_peer', `${ARGS_ID}12:implied_porti0e${INFO_HASH}5:token1:x`),
      203,
      'no "port" from 1 to 65535',
    ],
    [
      'announce_peer without token',
      query('announce_peer', `${ARGS_ID}${INFO_HASH}4:porti80e`),
      203,
      'no "token" of 1 to 128 bytes',
    ],
    ['put without token', query('put', `${ARGS_ID}1:v2:hi`), 203, 'no "token" of 1 to 128 bytes'],
    ['put without value', query('put', `${ARGS_ID}5:token1:x`), 203, 'no "v"'],
    ['put with a short key', query('put', `${PUT}1:k3:abc3:seqi1e${SIG}`), 203, '"k" is not valid'],
    [
      'put with a short signature',
      query('put', `${PUT}${K}3:seqi1e3:sig1:s`),
      203,
      '"sig" is not valid',
    ],
    [
      'put with a sequence in text',
      query('put', `${PUT}${K}3:seq1:1${SIG}`),
      203,
      '"seq" is not valid',
    ],
    [
      'put in place of something unclear',
      query('put', `${PUT}3:casle${K}3:seqi1e${SIG}`),
      203,
      '"cas" is not valid',
    ],
    [
      'put with a number as salt',
      query('put', `${PUT}${K}4:salti1e3:seqi1e${SIG}`),
      203,
      '"salt" is not valid',
    ],
    [
      'put of a mutable item without sequence',
      query('put', `${PUT}${K}${SIG}`),
      203,
      'no "seq" beside "k"',
    ],
    [
      'put of a mutable item without signature',
      query('put', `${PUT}${K}3:seqi1e`),
      203,
      'no "sig" beside "k"',
    ],
    [
      'put of unsorted keys (BEP 44)',
      query('put', `${ARGS_ID}5:token1:x1:vd1:bi1e1:ai1ee`),
      203,
      '"v" is not canonical',
    ],
    [
      'put of a needless zero',
      query('put', `${ARGS_ID}5:token1:x1:v02:hi`),
      203,
      '"v" is not canonical',
    ],
  ])('%s is answered by an error', (_, packet, code, message) => {
    expect(read(packet)).toEqual({ type: 'malformed', transaction: bytes('aa'), code, message });
  });

  test('the version of a malformed query is kept', () => {
    expect(read('d1:t2:aa1:v4:LT121:y1:qe')).toMatchObject({
      type: 'malformed',
      version: bytes('LT12'),
    });
  });

  test.each([
    ['i0e', undefined],
    ['i1e', 1],
    ['i65535e', 65_535],
    ['i65536e', undefined],
    ['i-1e', undefined],
    [`i${'9'.repeat(40)}e`, undefined],
    ['2:80', undefined],
  ])('an announced port of %s', (value, port) => {
    const args = `${ARGS_ID}${INFO_HASH}4:port${value}5:token1:x`;
    const message = read(query('announce_peer', args));
    if (port === undefined) expect(message).toMatchObject({ type: 'malformed', code: 203 });
    else expect(message).toMatchObject({ type: 'query', args: { port } });
  });

  test('with implied_port the port does not matter (BEP 5)', () => {
    for (const port of ['', '4:porti0e', '4:porti70000e', '4:port1:x']) {
      const args = `${ARGS_ID}12:implied_porti1e${INFO_HASH}${port}5:token1:x`;
      expect(readQuery(query('announce_peer', args)).args).toEqual({
        id: bytes(ID),
        infoHash: bytes(HASH),
        impliedPort: true,
        token: bytes('x'),
      });
    }
  });

  test.each([
    [1, true],
    [MAX_TOKEN_BYTES, true],
    [0, false],
    [MAX_TOKEN_BYTES + 1, false],
  ])('a token of %i bytes: %s', (length, isTaken) => {
    const args = `${ARGS_ID}${INFO_HASH}4:porti80e5:token${length}:${'x'.repeat(length)}`;
    expect(read(query('announce_peer', args)).type).toBe(isTaken ? 'query' : 'malformed');
  });

  test('an unknown method comes with its arguments, as far as they are right', () => {
    const args = `${ARGS_ID}${INFO_HASH}4:porti0e6:target3:abc4:wantl2:n6e`;
    expect(read(query('vote', args))).toEqual({
      type: 'query',
      transaction: bytes('aa'),
      method: 'vote',
      args: { id: bytes(ID), infoHash: bytes(HASH), want: { n4: false, n6: true } },
      readOnly: false,
    });
  });

  test('no name of other bytes becomes a known one', () => {
    const known = ['ping', 'get', 'put', 'get_peers', 'find_node', 'announce_peer'];
    for (const name of ['', 'PING', ' ping', 'ping\0', 'p\xefng', 'get_peer', 'find_nodes']) {
      const { method } = readQuery(query(name, ARGS_ID));
      expect(method).toBe(name);
      expect(known).not.toContain(method);
    }
  });

  test.each([
    ['l2:n4e', { n4: true, n6: false }],
    ['l2:n6e', { n4: false, n6: true }],
    ['l2:n62:n4e', { n4: true, n6: true }],
    ['l2:n42:n8i4elee', { n4: true, n6: false }],
    ['le', undefined],
    ['l2:n8e', undefined],
    ['2:n4', undefined],
    ['d2:n40:e', undefined],
  ])('want of %s (BEP 32)', (list, want) => {
    expect(readQuery(query('find_node', `${ARGS_ID}${TARGET}4:want${list}`)).args.want).toEqual(
      want,
    );
  });

  test.each([
    ['i0e', false],
    ['i1e', true],
    ['i2e', true],
    ['1:1', undefined],
  ])('flags of BEP 33 with %s', (value, expected) => {
    const peers = `${ARGS_ID}${INFO_HASH}6:noseed${value}6:scrape${value}`;
    const { noSeed, scrape } = readQuery(query('get_peers', peers)).args;
    const announce = readQuery(query('announce_peer', `${ANNOUNCE}4:seed${value}`));
    expect([noSeed, scrape, announce.args.seed]).toEqual([expected, expected, expected]);
  });

  test.each([
    ['i0e', 0n],
    ['i-1e', -1n],
    ['i9007199254740991e', 9007199254740991n],
    ['i9007199254740993e', 9007199254740993n],
    ['i-9007199254740993e', -9007199254740993n],
    ['i9223372036854775807e', 2n ** 63n - 1n],
    ['i9223372036854775808e', undefined],
    ['i-9223372036854775808e', -(2n ** 63n)],
    ['i-9223372036854775809e', undefined],
    ['1:1', undefined],
  ])('seq of %s (BEP 44)', (value, sequence) => {
    const got = readQuery(query('get', `${ARGS_ID}3:seq${value}${TARGET}`));
    expect(got.args.sequence).toBe(sequence);
    const put = read(query('put', `${PUT}3:cas${value}${K}3:seqi1e${SIG}`));
    if (sequence === undefined) expect(put).toMatchObject({ type: 'malformed', code: 203 });
    else expect(put).toMatchObject({ type: 'query', args: { compareSequence: sequence } });
  });

  test('a value is taken as it came, of any kind and length (BEP 44)', () => {
    for (const value of ['i-5e', '0:', 'le', 'd1:ai1e1:bl1:xee', `1200:${'x'.repeat(1200)}`]) {
      const args = readQuery(query('put', `${ARGS_ID}5:token1:x1:v${value}`)).args;
      expect(latin1(args.value ?? bytes('-'))).toBe(value);
    }
  });
});
