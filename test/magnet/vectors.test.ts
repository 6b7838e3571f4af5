/** What libtorrent's tests of magnet links hold (test_magnet.cpp), one by one. @module */

import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { formatMagnet, type Magnet, magnetTiers, parseMagnet } from '../../src/magnet/index.ts';

const CD = 'cd'.repeat(20);
const HASH = 'c352cd40df33d7ef30d7c7d0a1e0e5f0e0a0b0c0';
const V2_HASH = 'cafebabe'.repeat(8);
const V1 = `magnet:?xt=urn:btih:${CD}`;
const V2 = `magnet:?xt=urn:btmh:1220${V2_HASH}`;
const BASE32 = 'MFRGCYTBMJQWEYLCMFRGCYTBMJQWEYLC';
const AB = Buffer.from('abababababababababab').toString('hex');

describe('hashes that are read', () => {
  test.each([
    ['hex', V1, CD],
    ['another one', `magnet:?xt=urn:btih:${HASH}`, HASH],
    ['the topic escaped', `magnet:?xt=urn%3Abtih%3A${CD}`, CD],
    ['the topic escaped in lower case', `magnet:?xt=urn%3abtih%3a${CD}`, CD],
    ['the hash escaped', `magnet:?xt=urn:btih:${escaped(CD)}`, CD],
    ['topic and hash escaped', `magnet:?xt=urn%3Abtih%3A${escaped(CD)}`, CD],
    ['a part of the hash escaped', `magnet:?xt=urn:btih:cdcdcdcdcd${escaped(CD.slice(10))}`, CD],
    ['mixed case', `magnet:?Xt=uRn:bTiH:${CD}`, CD],
    ['mixed case of the hash', `magnet:?xt=urn:btih:${'Cd'.repeat(20)}`, CD],
    ['upper case', V1.toUpperCase(), CD],
    ['base32', `magnet:?xt=urn:btih:${BASE32}`, AB],
    ['base32 in lower case', `magnet:?xt=urn:btih:${BASE32.toLowerCase()}`, AB],
    ['base32 escaped', `magnet:?xt=urn:btih:${escaped(BASE32)}`, AB],
    ['other parts in front', `magnet:?dn=test&xl=5&xt=urn:btih:${CD}`, CD],
    ['other parts behind', `${V1}&dn=test`, CD],
    ['parts that are empty', `magnet:?&&xt=urn:btih:${CD}&&`, CD],
    ['a part without a value', `magnet:?dn&xt=urn:btih:${CD}`, CD],
  ])('%s', (_, link, hash) => {
    const magnet = parseMagnet(link);
    expect(magnet.infoHash?.hex).toBe(hash);
    expect(magnet.infoHashV2).toBeUndefined();
  });

  test.each([
    ['v2', V2, undefined],
    ['v2 in mixed case', `magnet:?xt=UrN:BtMh:1220${V2_HASH.toUpperCase()}`, undefined],
    ['v2 escaped', `magnet:?xt=urn%3Abtmh%3A${escaped(`1220${V2_HASH}`)}`, undefined],
    ['a hybrid', `${V2}&xt=urn:btih:${CD}`, CD],
    ['a hybrid, v1 first', `${V1}&xt=urn:btmh:1220${V2_HASH}`, CD],
    ['a hybrid in base32', `${V2}&xt=urn:btih:${BASE32}`, AB],
  ])('%s', (_, link, hash) => {
    const magnet = parseMagnet(link);
    expect([magnet.infoHash?.hex, magnet.infoHashV2?.hex]).toEqual([hash, V2_HASH]);
  });
});

describe('links that are refused', () => {
  test.each([
    ['invalid_info_hash: short', V1.slice(0, -2), 'no infohash'],
    ['invalid_info_hash: very short', 'magnet:?xt=urn:btih:abababab', 'no infohash'],
    ['invalid_info_hash: none', 'magnet:?xt=urn:btih:', 'no infohash'],
    ['invalid_info_hash: long', `${V1}ab`, 'no infohash'],
    ['invalid_info_hash: no hex', `magnet:?xt=urn:btih:${'zz'.repeat(20)}`, 'no infohash'],
    ['invalid_info_hash: a space', `magnet:?xt=urn:btih: ${CD.slice(0, 39)}`, 'no infohash'],
    ['invalid_info_hash: a space escaped', `magnet:?xt=urn:btih:${CD}%20`, 'no infohash'],
    ['invalid_info_hash: quotes', `magnet:?xt=urn:btih:"${CD}"`, 'no infohash'],
    ['invalid_info_hash: a newline behind', `${V1}\n`, 'no infohash'],
    ['invalid_info_hash: no base32', `magnet:?xt=urn:btih:${'1'.repeat(32)}`, 'no infohash'],
    ['invalid_info_hash: btmh 1221', V2.replace('1220', '1221'), 'no v2 infohash'],
    ['invalid_info_hash: btmh short', V2.slice(0, -2), 'no v2 infohash'],
    ['invalid_info_hash: btmh no hex', V2.replace('cafe', 'xyzw'), 'no v2 infohash'],
    ['missing_info_hash: only a name', 'magnet:?dn=foo&dn=bar', 'names no torrent'],
    ['missing_info_hash: blah', 'magnet:?xt=blah&dn=foo', 'names no torrent'],
    ['unsupported_url_protocol', `http://foo.bar?xt=urn:btih:${CD}`, 'begin'],
    ['unsupported_url_protocol: quotes', `"${V1}"`, 'begin'],
    ['invalid_escaped_string', `magnet:?xt=urn%3Abtih%3${CD.slice(2)}&tr=%xx`, '%'],
    ['invalid_escaped_string: at the end', `${V1}&dn=%`, '%'],
  ])('%s', (_, link, what) => {
    const refused = refusal(link);
    expect(refused.code).toBe('BIP_MAGNET_MALFORMED');
    expect(refused.message).toContain(what);
  });
});

describe('peers, nodes, trackers, web seeds', () => {
  test.each([
    ['127.0.0.1:43', [{ host: '127.0.0.1', port: 43 }]],
    ['[::1]:45', [{ host: '::1', port: 45 }]],
    [
      '127.0.0.1:43&x.pe=[::1]:45',
      [
        { host: '127.0.0.1', port: 43 },
        { host: '::1', port: 45 },
      ],
    ],
    ['127.0.0.1', []],
    ['127.0.0.1:', []],
    ['127.0.0.1:0', []],
    ['127.0.0.1:65536', []],
    ['127.0.0.1:100000', []],
    ['[::1', []],
    ['[::1]', []],
    ['[::1]45', []],
    ['', []],
    [':43', []],
  ])('x.pe=%s', (text, peers) => {
    expect(parseMagnet(`${V1}&x.pe=${text}`).peers).toEqual(peers);
  });

  test.each([
    ['127.0.0.1:43', [{ host: '127.0.0.1', port: 43 }]],
    [
      'router.example:6881&dht=b:1',
      [
        { host: 'router.example', port: 6881 },
        { host: 'b', port: 1 },
      ],
    ],
    ['127.0.0.1', []],
  ])('dht=%s', (text, nodes) => {
    expect(parseMagnet(`${V1}&dht=${text}`).nodes).toEqual(nodes);
  });

  test.each([
    ['tr=udp%3A%2F%2Fa%3A1&tr=http://b/', [['udp://a:1'], ['http://b/']]],
    ['tr.0=udp://a:1&tr.1=udp://b:2', [['udp://a:1'], ['udp://b:2']]],
    ['tr.1=udp://a:1&tr.1=udp://b:2&tr.2=udp://c:3', [['udp://a:1', 'udp://b:2'], ['udp://c:3']]],
    ['tr=foo://a:1&tr=udp://b:2', [['udp://b:2']]],
    ['tr=&tr=udp://b:2', [['udp://b:2']]],
  ])('%s', (query, tiers) => {
    expect(magnetTiers(parseMagnet(`${V1}&${query}`))).toEqual(tiers);
  });

  test('web seeds, several', () => {
    expect(parseMagnet(`${V1}&ws=http%3A%2F%2Ffoo.com%2Fbar&ws=http://baz/`).webSeeds).toEqual([
      'http://foo.com/bar',
      'http://baz/',
    ]);
  });
  test('sources of other networks are ignored', () => {
    expect(parseMagnet(`${V1}&xs=ed2kftp://x&xs=urn:sha1:ABC`)).toEqual(parseMagnet(V1));
  });
  test('sources that are the .torrent', () => {
    const { sources } = parseMagnet(`${V1}&xs=https%3A%2F%2Fx.example%2Fa.torrent&xs=http://y/`);
    expect(sources).toEqual(['https://x.example/a.torrent', 'http://y/']);
  });
});

describe('so', () => {
  test.each([
    ['0,2,4,6-8', [0, 2, 4, 6, 7, 8]],
    ['5-7,1,6-9,1', [1, 5, 6, 7, 8, 9]],
    ['0-3,2-5,4', [0, 1, 2, 3, 4, 5]],
    ['8-6', undefined],
    ['7-7', [7]],
    ['', undefined],
    ['100000000', undefined],
    ['0-100000000', undefined],
    ['a', undefined],
    ['a-b', undefined],
    ['1-', undefined],
    ['-1', undefined],
    ['1--2', undefined],
    ['"1"', undefined],
    ["'1',2", [2]],
    ['4,,6', [4, 6]],
  ])('%s', (text, indices) => {
    expect(parseMagnet(`${V1}&so=${encodeURIComponent(text)}`).selectOnly).toEqual(indices);
  });
});

test.each([
  ['trackers', '&tr=udp%3A%2F%2Fa%3A1&tr=udp%3A%2F%2Fb%3A2'],
  ['tiers', '&tr.1=udp%3A%2F%2Fa%3A1&tr.1=udp%3A%2F%2Fb%3A2&tr.2=udp%3A%2F%2Fc%3A3'],
  ['web seeds', '&ws=http%3A%2F%2Fa%2F&ws=http%3A%2F%2Fb%2F'],
  ['sources', '&xs=http%3A%2F%2Fa%2Fx.torrent'],
  ['peers', '&x.pe=127.0.0.1:43&x.pe=[::1]:45'],
  ['nodes', '&dht=127.0.0.1:43&dht=[::1]:45'],
  ['a selection', '&so=0,2,4,6-8'],
  ['a name and a length', '&dn=a%20b&xl=5'],
])('%s stay as they were', (_, query) => {
  for (const link of [V1, V2]) {
    expect(formatMagnet(parseMagnet(link + query))).toBe(link + query);
  }
});

function escaped(text: string): string {
  return text.replace(/./g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

function refusal(link: string): ProtocolError {
  let magnet: Magnet;
  try {
    magnet = parseMagnet(link);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error(`${link} was taken for ${formatMagnet(magnet)}`);
}
