import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sanitizeComponent } from '../../src/metainfo/index.ts';

function clean(text: string | readonly number[], options = {}): string {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : Uint8Array.from(text);
  return sanitizeComponent(bytes, options);
}

/** `text` in UTF-8, then bytes. */
function mixed(text: string, ...bytes: readonly number[]): readonly number[] {
  return [...new TextEncoder().encode(text), ...bytes];
}

function path(...parts: readonly string[]): string {
  return parts
    .map((part) => clean(part))
    .filter((part) => part !== '')
    .join('/');
}

describe('the vectors of libtorrent (sanitize_append_path_element)', () => {
  test.each([
    [['/a/', 'b', 'c'], 'a/b/c'],
    [['a...b'], 'a...b'],
    [['...'], '...'],
    [['a', '..', 'c'], 'a/c'],
    [['/..', '.', 'c'], 'c'],
    [['dev:'], 'dev:'],
    [['\\c', '.', 'c'], 'c/c'],
    [['\b'], '_'],
    [['\b?filename=4'], '_?filename=4'],
    [['abc', ''], 'abc/_'],
    [['   '], '   '],
    [['//\\'], ''],
    [['foo\u200ebar'], 'foobar'],
    [['foo\u202bbar'], 'foobar'],
    [['foo\u0085bar'], 'foo_bar'],
  ])('%j becomes %j', (parts, wanted) => expect(path(...parts)).toBe(wanted));

  test.each([
    ['truncated, two bytes', mixed('filename', 0xc2), 'filename_'],
    ['truncated, three bytes', mixed('filename', 0xe2, 0x9f), 'filename_'],
    ['truncated, four bytes', mixed('filename', 0xf0, 0x9f, 0x92), 'filename_'],
    [
      'five bytes',
      [...mixed('filename', 0xf8, 0x9f, 0x9f, 0x9f, 0x9f), ...mixed('foobar')],
      'filename_foobar',
    ],
    ['overlong dot, two bytes', [0xc0, 0xae], '_'],
    ['overlong dot, three bytes', [0xe0, 0x80, 0xae], '_'],
    ['overlong dot, four bytes', [0xf0, 0x80, 0x80, 0xae], '_'],
    ['a surrogate', [0x61, 0xed, 0xa0, 0x80, 0x62], 'a_b'],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '_'],
    ['a continuation without a lead', [0x82, 0x65], '_e'],
    ['a broken sequence takes what it announces', mixed('x').concat(0xc2, 0x2f, 0x61), 'x_a'],
    ['to the end', [0x78, 0xf0, 0x61, 0x62], 'x_'],
    ['six bytes were never announced', [0xfc, 0x61], '_a'],
  ])('%s', (_, bytes, wanted) => expect(clean(bytes)).toBe(wanted));
});

test('joiners stay: languages and emoji need them', () => {
  expect(clean('می\u200cخواهم 👩\u200d👧.flac')).toBe('می\u200cخواهم 👩\u200d👧.flac');
});

describe('forced', () => {
  test.each(['.', '..', '/', '/..', '\u200b', '\ufeff.'])('%j becomes _', (text) => {
    expect(clean(text)).toBe('');
    expect(clean(text, { force: true })).toBe('_');
  });
});

describe('long names', () => {
  test('are cut at 240 bytes', () => {
    expect(clean('x'.repeat(240))).toBe('x'.repeat(240));
    expect(clean('x'.repeat(500))).toBe('x'.repeat(240));
  });
  test('keep a short extension', () => {
    expect(clean(`${'x'.repeat(500)}.test`)).toBe(`${'x'.repeat(240)}.test`);
    expect(clean(`${'x'.repeat(500)}.12345678`)).toBe(`${'x'.repeat(240)}.12345678`);
    expect(clean(`${'x'.repeat(500)}.123456789`)).toBe('x'.repeat(240));
  });
  test('are not cut inside a character', () => {
    expect(clean('€'.repeat(200))).toBe('€'.repeat(80));
    expect(clean(`x${'€'.repeat(200)}`)).toBe(`x${'€'.repeat(80)}`);
  });
});

describe('Windows', () => {
  test.each([
    ['a<b>c:"d"|e?f*', 'a_b_c__d__e_f_'],
    ['name. . ', 'name'],
    ['...', '_'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['com7', '_com7'],
    ['lpt0.a.b', '_lpt0.a.b'],
    ['clock$', '_clock$'],
    ['console', 'console'],
  ])('%j becomes %j', (text, wanted) => expect(clean(text, { windows: true })).toBe(wanted));

  test('counts characters, not bytes', () => {
    expect(clean('€'.repeat(300), { windows: true })).toBe('€'.repeat(240));
  });
});

describe('for any bytes', () => {
  const options = fc.record({ force: fc.boolean(), windows: fc.boolean() });
  const names = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => new TextEncoder().encode(text)),
    fc
      .string({ unit: fc.constantFrom('.', '/', '\\', ' ', 'a', '\u200b', '\u0000'), maxLength: 9 })
      .map((text) => new TextEncoder().encode(text)),
  );

  test('a name stays in its folder, is short, and is safe already the second time', () => {
    fc.assert(
      fc.property(names, options, (bytes, how) => {
        const name = sanitizeComponent(bytes, how);
        if (name === '') {
          expect(how.force).toBe(false);
          return;
        }
        expect(name).not.toMatch(
          /[/\\\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069]/u,
        );
        expect(['.', '..']).not.toContain(name);
        expect(name.isWellFormed()).toBe(true);
        if (!how.windows) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        // A cut may leave a new extension in reach, so long names may shrink once more.
        if (Buffer.byteLength(name) <= 240) expect(clean(name, how)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });
});
