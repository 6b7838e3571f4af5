import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { InfoHash } from '../../src/base/ids.ts';
import {
  formatMagnet,
  MAX_MAGNET_LENGTH,
  type Magnet,
  magnetTiers,
  parseMagnet,
} from '../../src/magnet/index.ts';

const HEX = 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd';
const V1 = `magnet:?xt=urn:btih:${HEX}`;
const V2 = `magnet:?xt=urn:btmh:1220${'ab'.repeat(32)}`;

function refusal(text: string): ProtocolError {
  try {
    parseMagnet(text);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('hashes', () => {
  test.each([
    ['hex', V1, HEX],
    ['upper case', `MAGNET:?XT=URN:BTIH:${HEX.toUpperCase()}`, HEX],
    ['mixed case', `magnet:?Xt=uRn:bTiH:${HEX}`, HEX],
    ['numbered', `magnet:?xt.1=urn:btih:${HEX}`, HEX],
    ['escaped topic', `magnet:?xt=urn%3Abtih%3A${HEX}`, HEX],
    ['escaped digits', `magnet:?xt=urn:btih:${HEX.slice(0, 38)}%63%64`, HEX],
    [
      'base32',
      'magnet:?xt=urn:btih:MFRGCYTBMJQWEYLCMFRGCYTBMJQWEYLC',
      Buffer.from('abababababababababab').toString('hex'),
    ],
    ['other topics beside it', `magnet:?xt=urn:ed2k:31D6&xt=urn:btih:${HEX}`, HEX],
    ['the last of two', `magnet:?xt=urn:btih:${'00'.repeat(20)}&xt=urn:btih:${HEX}`, HEX],
  ])('%s', (_, text, hex) => expect(parseMagnet(text).infoHash?.hex).toBe(hex));

  test('v2, and both', () => {
    expect(parseMagnet(V2)).not.toHaveProperty('infoHash');
    expect(parseMagnet(V2).infoHashV2?.hex).toBe('ab'.repeat(32));
    const both = parseMagnet(`${V2}&xt=urn:btih:${HEX}`);
    expect([both.infoHash?.hex, both.infoHashV2?.hex]).toEqual([HEX, 'ab'.repeat(32)]);
  });

  test('a public key (BEP 46)', () => {
    const magnet = parseMagnet(`magnet:?xs=urn:btpk:${'8A'.repeat(32)}&s=6E`);
    expect(magnet).toMatchObject({ publicKey: '8a'.repeat(32), salt: '6e' });
  });

  test.each([
    ['short', V1.slice(0, -1)],
    ['long', `${V1}c`],
    ['a space', `magnet:?xt=urn:btih: ${HEX.slice(1)}`],
    ['no hex', `magnet:?xt=urn:btih:${HEX.slice(1)}g`],
    ['quotes', `magnet:?xt=urn:btih:"${HEX}"`],
    ['a newline behind it', `${V1}\n`],
    ['64 digits as btih', `magnet:?xt=urn:btih:${'ab'.repeat(32)}`],
    ['no base32', `magnet:?xt=urn:btih:${'1'.repeat(32)}`],
    ['btmh of another function', V2.replace('1220', '1221')],
    ['btmh short', V2.slice(0, -1)],
    ['btmh no hex', `${V2.slice(0, -1)}x`],
    ['btpk short', 'magnet:?xs=urn:btpk:8a'],
    ['one bad hash beside a good one', `${V1}&xt=urn:btmh:12`],
  ])('%s is refused', (_, text) => {
    expect(refusal(text)).toMatchObject({ code: 'BIP_MAGNET_MALFORMED' });
  });
});

describe('what is no link', () => {
  test.each([
    ['nothing', '', 'begin'],
    ['another scheme', 'http://x/', 'begin'],
    ['no question mark', `magnet:xt=urn:btih:${HEX}`, 'begin'],
    ['a quoted link', `"${V1}"`, 'begin'],
    ['no hash', 'magnet:?dn=x', 'names no torrent'],
    ['empty', 'magnet:?', 'names no torrent'],
    ['a topic of another network', 'magnet:?xt=urn:ed2k:31D6', 'names no torrent'],
    ['an escape without digits', `${V1}&dn=%z1`, '%'],
    ['an escape at the end', `${V1}&dn=a%2`, '%'],
    ['an escape in base 16 with a sign', `${V1}&dn=%+1`, '%'],
    ['too long', `${V1}&dn=${'x'.repeat(MAX_MAGNET_LENGTH)}`, 'longer'],
  ])('%s', (_, text, what) => expect(refusal(text).message).toContain(what));

  test('the offset points to the fault', () => {
    expect(refusal(`${V1}&dn=ab%zz`).offset).toBe(V1.length + 6);
    expect(refusal(`${V1}&xt=urn:btih:12`).offset).toBe(V1.length + 1);
  });
  test('the sentence stays on one line', () => {
    expect(refusal(`magnet:?xt=urn:btih:%1b[31m%0a${'x'.repeat(999)}`).message).not.toMatch(
      /\p{Cc}|x{100}/u,
    );
  });
});

describe('other parts', () => {
  test('a name and a length', () => {
    expect(parseMagnet(`${V1}&dn=a+b%20c%C3%A4&xl=1234`)).toMatchObject({
      name: 'a b cä',
      length: 1234,
    });
    expect(parseMagnet(`${V1}&dn=&xl=-5`)).not.toHaveProperty('name');
    expect(parseMagnet(`${V1}&xl=12x`)).not.toHaveProperty('length');
  });
  test('bytes that are not UTF-8 are shown as such', () => {
    expect(parseMagnet(`${V1}&dn=a%ff`).name).toBe('a\ufffd');
  });
  test('trackers, each once; what is none is left out', () => {
    const { trackers, tiers } = parseMagnet(
      `${V1}&tr=http%3A%2F%2Fa%2F&tr=udp://b:1&tr=udp://b:1&tr=ftp://c/&tr=x&tr=&TR=wss://d/`,
    );
    expect(trackers).toEqual(['http://a/', 'udp://b:1', 'wss://d/']);
    expect(tiers).toBeUndefined();
  });
  test('tiers', () => {
    const magnet = parseMagnet(
      `${V1}&tr.7=udp://b:1&tr.0=http://a/&tr=udp://d:1&tr.7=udp://c:1&tr=udp://e:1`,
    );
    expect(magnetTiers(magnet)).toEqual([
      ['http://a/'],
      ['udp://b:1', 'udp://c:1'],
      ['udp://d:1'],
      ['udp://e:1'],
    ]);
    const numbered = parseMagnet(`${V1}&tr.2=udp://b:1&tr.1=http://a/`);
    expect(numbered.trackers).toEqual(['http://a/', 'udp://b:1']);
    expect(numbered.tiers).toBeUndefined();
    expect(magnetTiers(numbered)).toEqual([['http://a/'], ['udp://b:1']]);
  });
  test('web seeds', () => {
    expect(parseMagnet(`${V1}&ws=http://w/a%2520b&ws=http://w/a%2520b&ws=x`).webSeeds).toEqual([
      'http://w/a%20b',
    ]);
  });
  test('peers and nodes; invalid ones are left out', () => {
    const magnet = parseMagnet(
      `${V1}&x.pe=127.0.0.1:43&x.pe=[::1]:45&x.pe=host.example:1&x.pe=1.2.3.4&x.pe=a:0&x.pe=a:65536` +
        '&dht=127.0.0.1:43&dht=x&x.pe=[1.2.3.4]:5',
    );
    expect(magnet.peers).toEqual([
      { host: '127.0.0.1', port: 43 },
      { host: '::1', port: 45 },
      { host: 'host.example', port: 1 },
    ]);
    expect(magnet.nodes).toEqual([{ host: '127.0.0.1', port: 43 }]);
  });
  test.each([
    ['0,2,4,6-8', [0, 2, 4, 6, 7, 8]],
    ['5-7,1,6-9,1', [1, 5, 6, 7, 8, 9]],
    ['3-3', [3]],
    ['8-6', undefined],
    ['', undefined],
    ['100000000', undefined],
    ['1-100000000', undefined],
    ['a,-1,1-,-', undefined],
    ['x,4', [4]],
  ])('so=%s', (text, indices) => {
    expect(parseMagnet(`${V1}&so=${text}`).selectOnly).toEqual(indices);
  });
  test('a short text does not ask for much', () => {
    const text = Array.from({ length: 20_000 }, () => '0-999999').join(',');
    expect(parseMagnet(`${V1}&so=${text}`).selectOnly).toHaveLength(1_000_000);
  });
  test('unknown parts, names of objects among them', () => {
    expect(parseMagnet(`${V1}&constructor=1&__proto__=2&xs=ftp://x/&as=y&kt=z&=&a&mt=`)).toEqual(
      parseMagnet(V1),
    );
  });
  test('1000 of each are kept', () => {
    const many = Array.from({ length: 1200 }, (_, at) => `&tr=udp://t:${at + 1}`).join('');
    expect(parseMagnet(V1 + many).trackers).toHaveLength(1000);
  });
});

describe('formatMagnet', () => {
  test('writes what others read', () => {
    const magnet: Magnet = {
      infoHash: new InfoHash(Buffer.from(HEX, 'hex')),
      infoHashV2: new InfoHash(Buffer.from('ab'.repeat(32), 'hex')),
      name: "it's (a) name & more",
      length: 5,
      trackers: ['http://a/x?y=1&z=2'],
      webSeeds: ['http://w/a%20b'],
      sources: ['https://s/a.torrent'],
      peers: [{ host: '::1', port: 45 }],
      nodes: [{ host: 'r.example', port: 1 }],
      selectOnly: [0, 1, 3, 4, 5],
    };
    expect(formatMagnet(magnet)).toBe(
      `${V1}&xt=urn:btmh:1220${'ab'.repeat(32)}&dn=it%27s%20%28a%29%20name%20%26%20more&xl=5` +
        '&tr=http%3A%2F%2Fa%2Fx%3Fy%3D1%26z%3D2&ws=http%3A%2F%2Fw%2Fa%2520b' +
        '&xs=https%3A%2F%2Fs%2Fa.torrent&x.pe=[::1]:45&dht=r.example:1&so=0,1,3-5',
    );
  });

  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((value) => new InfoHash(value));
  const urls = (scheme: string) =>
    fc.uniqueArray(
      fc.webUrl({ withQueryParameters: true }).map((url) => url.replace(/^\w+/, scheme)),
      { maxLength: 4 },
    );
  const endpoint = fc.record({
    host: fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::5'), fc.constant('h.example')),
    port: fc.integer({ min: 1, max: 65_535 }),
  });
  /** Tiers as `parseMagnet` gives them: from 1, ascending, and only when one has several. */
  const tiered = fc
    .array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 })
    .chain((sizes) =>
      fc.record({
        sizes: fc.constant(sizes),
        urls: fc.uniqueArray(fc.webUrl({ withQueryParameters: true }), {
          minLength: sizes.reduce((sum, size) => sum + size, 0),
          maxLength: sizes.reduce((sum, size) => sum + size, 0),
        }),
      }),
    )
    .map(({ sizes, urls: trackers }) => {
      const tiers = sizes.flatMap((size, at) => Array.from({ length: size }, () => at + 1));
      return tiers.at(-1) === trackers.length || trackers.length === 0
        ? { trackers }
        : { trackers, tiers };
    });
  const magnets = fc
    .record(
      {
        infoHash: bytes(20),
        infoHashV2: bytes(32),
        publicKey: fc.stringMatching(/^[0-9a-f]{64}$/),
        salt: fc.stringMatching(/^(?:[0-9a-f]{2}){1,9}$/),
        name: fc.string({ minLength: 1, unit: 'binary' }),
        length: fc.integer({ min: 0, max: 2 ** 48 }),
        selectOnly: fc
          .uniqueArray(fc.nat(999_999), { minLength: 1, maxLength: 30 })
          .map((list) => list.toSorted((a, b) => a - b)),
        announce: tiered,
        webSeeds: urls('https'),
        sources: fc.uniqueArray(fc.webUrl(), { minLength: 1, maxLength: 3 }),
        peers: fc.array(endpoint, { maxLength: 3 }),
        nodes: fc.array(endpoint, { maxLength: 3 }),
      },
      { requiredKeys: ['infoHash', 'announce', 'webSeeds', 'peers', 'nodes'] },
    )
    .map(({ announce, ...rest }): Magnet => ({ ...rest, ...announce }));

  test('is read back as it was', () => {
    fc.assert(
      fc.property(magnets, (magnet) => {
        const text = formatMagnet(magnet);
        expect(parseMagnet(text)).toEqual(magnet);
        expect(text).toMatch(/^[\w.~:?=&%[\],-]+$/);
      }),
    );
  });
  test('tiers are read back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), (numbers) => {
        const query = numbers.map((tier, at) => `&tr.${tier}=udp://t:${at + 1}`).join('');
        const magnet = parseMagnet(V1 + query);
        expect(parseMagnet(formatMagnet(magnet))).toEqual(magnet);
        expect(magnetTiers(magnet)).toHaveLength(new Set(numbers).size);
      }),
    );
  });
});

describe('for any text', () => {
  const attempt = (text: string): Magnet | undefined => {
    try {
      return parseMagnet(text);
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  };
  const part = fc.constantFrom(
    'xt=',
    'urn:btih:',
    HEX,
    'urn:btmh:1220',
    '&',
    '=',
    '%',
    '+',
    'tr.',
    '99',
    'x.pe=',
    '[::1]:1',
    'so=',
    '0-9',
    ',',
    'xs=urn:btpk:',
    'dn',
    '\u0000',
    '\ud800',
    'ä',
    'udp://t:1',
  );

  test('a link or a ProtocolError; a link is read back', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), fc.boolean(), (parts, isValid) => {
        const magnet = attempt((isValid ? `${V1}&` : 'magnet:?') + parts.join(''));
        if (magnet !== undefined) expect(parseMagnet(formatMagnet(magnet))).toEqual(magnet);
      }),
      { numRuns: 3000 },
    );
  });
  test('every prefix of a link', () => {
    const whole = `${V2}&xt=urn:btih:${HEX}&dn=a%20b&tr.1=udp%3A%2F%2Ft%3A1&x.pe=[::1]:9&so=1-3`;
    const read = Array.from({ length: whole.length }, (_, end) => attempt(whole.slice(0, end)));
    expect(read.slice(0, V2.length).every((magnet) => magnet === undefined)).toBe(true);
    expect(read.at(-1)?.infoHash?.hex).toBe(HEX);
  });
});
