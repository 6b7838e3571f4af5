/** The values of flags that say what is in a torrent. @module */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../commands/cli/context.ts';
import { formatIsoTime, parseIsoTime } from '../../commands/metainfo/iso-time.ts';
import {
  parseDate,
  parseKeyPath,
  parseNode,
  parseSet,
  parseTier,
  parseTracker,
  parseWebSeed,
  readMerge,
} from '../../commands/metainfo/key-value.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import { encode } from '../../src/bencode/index.ts';
import { makeWorld } from '../sim/world.ts';

describe('--set', () => {
  test.each([
    ['publisher="me"', ['publisher'], '2:me'],
    ['info.x=1', ['info', 'x'], 'i1e'],
    ['a\\.b.c\\=d=[1,"="]', ['a.b', 'c=d'], 'li1e1:=e'],
    ['big=18446744073709551616', ['big'], 'i18446744073709551616e'],
    ['$$x={"b":1,"a":{"$hex":"ff"}}', ['$x'], Buffer.from('d1:a1:\xff1:bi1ee', 'latin1')],
    ['$hex:ff.$hex:="x"', ['\udcff', ''], '1:x'],
    ['comment= "spaces" ', ['comment'], '6:spaces'],
  ])('%s', (text, path, bencode) => {
    const set = parseSet(text);
    expect(set.path).toEqual(path);
    expect(Buffer.from(encode(set.value))).toEqual(Buffer.from(bencode));
  });

  test.each([
    ['comment', 'has no `=`'],
    ['a\\=1', 'has no `=`'],
    ['=1', 'empty key'],
    ['a..b=1', 'empty key'],
    ['.=1', 'empty key'],
    ['$x=1', 'is no key'],
    ['$hex:f=1', 'is no key'],
    ['source=ABC', `text needs quotes: 'source="…"'`],
    ['a=null', 'bencode has no `null`'],
    ['a=1.5', 'whole numbers only'],
    ['a=', 'the end'],
    ['a="x', 'a string has no end'],
    [`${'a.'.repeat(100)}a=1`, '101 keys'],
  ])('%s is refused', (text, why) => {
    expect(() => parseSet(text)).toThrow(UsageError);
    expect(() => parseSet(text, '--it')).toThrow(why);
    expect(() => parseSet(text, '--it')).toThrow(/^--it: /);
  });

  test('keys of --unset are those of --set', () => {
    expect(parseKeyPath('info.a\\.b.$hex:00')).toEqual(['info', 'a.b', '\0']);
    expect(() => parseKeyPath('')).toThrow('--unset: `` has an empty key');
  });
});

describe('--merge', () => {
  function merge(json: string | Uint8Array): ReturnType<typeof readMerge> {
    const world = makeWorld();
    const host = world.host('10.0.0.1');
    const nothing = { isTTY: false, columns: 80, write: () => undefined };
    const context: Context = {
      runtime: host.runtime,
      stdin: { isTTY: false, async *[Symbol.asyncIterator]() {} },
      stdout: nothing,
      stderr: nothing,
      env: {},
      signal: new AbortController().signal,
      settle: () => Promise.resolve(),
    };
    const bytes = typeof json === 'string' ? new TextEncoder().encode(json) : json;
    return world.run(
      (async () => {
        await host.runtime.files.writeFile('/m.json', bytes);
        return readMerge(context, '/m.json');
      })(),
    );
  }

  test('objects key by key, null deletes, an empty object is a dictionary', async () => {
    expect(
      await merge(
        '\ufeff{"comment":null,"info":{"source":"X","n":{"m":[{"a":1}]}},"e":{},"$hex:ff":9007199254740993}',
      ),
    ).toEqual([
      { path: ['comment'], value: undefined },
      { path: ['info', 'source'], value: 'X' },
      { path: ['info', 'n', 'm'], value: [new Map([['a', 1]])] },
      { path: ['e'], value: new Map() },
      { path: ['\udcff'], value: 9_007_199_254_740_993n },
    ]);
  });

  test('an empty string is no null', async () => {
    expect(await merge('{"a":{"$hex":""}}')).toEqual([{ path: ['a'], value: new Uint8Array() }]);
  });

  test.each([
    ['[1]', 'an object is needed at the top'],
    ['null', 'an object is needed at the top'],
    ['{"a":[1,null]}', '`null` deletes keys'],
    ['{"a":[{"b":[null]}]}', '`null` deletes keys'],
    ['{"a":[{"b":{"c":null}}]}', '`null` deletes keys'],
    ['{"a":true}', 'line 1, column 6: bencode has no `true`'],
    ['{"a":1', 'the end'],
    [`${'{"a":'.repeat(102)}1${'}'.repeat(102)}`, 'more than 100 objects'],
    [Uint8Array.of(0x22, 0xff), 'not UTF-8'],
  ])('%s is refused', async (json, why) => {
    const error: unknown = await merge(json).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'BIP_JSON' });
    expect(String(error)).toContain(why);
    expect(String(error)).toContain('/m.json');
  });
});

describe('--date', () => {
  test.each([
    ['now', 1_769_860_799],
    ['0', 0],
    ['1769860800', 1_769_860_800],
    ['1970-01-01', 0],
    ['2026-01-31', 1_769_817_600],
    ['2026-01-31T12:00', 1_769_860_800],
    ['2026-01-31 12:00:01', 1_769_860_801],
    ['2026-01-31t12:00:01.999z', 1_769_860_801],
    ['2026-01-31T12:00:00+02:00', 1_769_853_600],
    ['2026-01-31T12:00:00-0130', 1_769_866_200],
    ['9999-12-31T23:59:59Z', 253_402_300_799],
  ])('%s', (text, seconds) => {
    expect(parseDate(text, 1_769_860_799_999)).toBe(seconds);
  });

  test.each([
    '',
    '-1',
    '1e3',
    '253402300800',
    '1969-12-31',
    '1970-01-01T00:30+01:00',
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-01-31T24:00',
    '2026-01-31T12',
    '31.1.2026',
    'yesterday',
    '9999-12-31T23:59:59-01:00',
  ])('%j is refused', (text) => {
    expect(() => parseDate(text, 0)).toThrow(UsageError);
    expect(() => parseDate(text, 0)).toThrow('is no time');
  });

  test('what is printed is read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseIsoTime(formatIsoTime(seconds) ?? '')).toBe(seconds);
      }),
    );
  });
});

describe('URLs', () => {
  test('a tier', () => {
    expect(parseTier('udp://a.example:1,https://b.example/announce?k=1,udp://a.example:1')).toEqual(
      ['udp://a.example:1', 'https://b.example/announce?k=1'],
    );
    expect(parseTier('wss://[2001:db8::1]/x')).toEqual(['wss://[2001:db8::1]/x']);
    expect(parseTracker('HTTP://t.example')).toBe('HTTP://t.example');
  });

  test.each([
    ['', 'is empty'],
    ['udp://a.example:1,', 'is empty'],
    ['udp://a.example:1, udp://b.example:1', 'white space'],
    ['http://a.example/\u0007', 'white space'],
    ['http://аpple.example/', 'only look like ASCII'],
    ['http://a\u200b.example/', 'only look like ASCII'],
    ['htps://a.example', 'did you mean `https`?'],
    ['ftp://a.example', 'is no tracker: its URL begins with one of http://, https://, udp://'],
    ['a.example/announce', 'is no tracker'],
    ['http:/a.example', 'is no tracker'],
    ['http:///a.example', 'no host'],
    ['http://', 'no host'],
    ['http://?x', 'no host'],
    ['http://a.example:99999/', 'no host'],
    ['udp://a.example', 'has no port'],
    ['udp://a.example/announce', 'has no port'],
  ])('%j is no tier', (text, why) => {
    expect(() => parseTier(text, '--add')).toThrow(UsageError);
    expect(() => parseTier(text, '--add')).toThrow(why);
    expect(() => parseTier(text, '--add')).toThrow(/^--add: /);
  });

  test('complaints hide secrets', () => {
    expect(() => parseTier('ftp://me:word@a.example/?passkey=abc')).toThrow(
      '`ftp://***@a.example/?passkey=***`',
    );
  });

  test('web seeds', () => {
    expect(parseWebSeed('ftp://a.example/x')).toBe('ftp://a.example/x');
    expect(() => parseWebSeed('udp://a.example:1')).toThrow(
      '--web-seed: `udp://a.example:1` is no web',
    );
    expect(() => parseWebSeed('https://a.example/a b')).toThrow('white space');
  });
});

test('nodes', () => {
  expect(parseNode('router.example:6881')).toEqual({ host: 'router.example', port: 6881 });
  expect(parseNode('[2001:db8::1]:1')).toEqual({ host: '2001:db8::1', port: 1 });
  for (const text of ['', 'router.example', ':1', 'a:0', 'a:65536', '2001:db8::1:1', '[a]:1']) {
    expect(() => parseNode(text)).toThrow(UsageError);
  }
});
