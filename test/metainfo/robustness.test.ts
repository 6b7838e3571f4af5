/** Nothing that comes from outside throws anything but a ProtocolError, or takes its time. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { type Metainfo, parseInfo, parseMetainfo } from '../../src/metainfo/index.ts';
import { CASES } from './make-fixtures.ts';
import { multiV1, pieces, type RawDictionary, raw, torrent } from './raw.ts';

function attempt(bytes: Uint8Array): Metainfo | undefined {
  try {
    return parseMetainfo(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** What must hold of everything that loads. */
function assertSound(metainfo: Metainfo): void {
  const { files, pieceCount, pieceLength, pieces: hashes, length } = metainfo;
  let content = 0;
  for (const { path, offset, length: bytes, padding, symlink } of files) {
    for (const part of [...path, ...(symlink ?? [])]) {
      expect(part).not.toMatch(/^\.{0,2}$|[/\\\p{Cc}]/u);
    }
    expect(offset + bytes).toBeLessThanOrEqual(pieceCount * pieceLength);
    if (!padding) content += bytes;
  }
  expect(content).toBe(length);
  expect(hashes?.length ?? pieceCount * 20).toBe(pieceCount * 20);
  expect(metainfo.infoHash ?? metainfo.infoHashV2).toBeDefined();
}

const VALID = CASES.filter(({ expect: wanted }) => !('refused' in wanted));

describe('what is broken is refused', () => {
  test('every prefix of every valid torrent', () => {
    for (const { name, bytes, expect: wanted } of VALID) {
      const most = bytes.length - ('warnings' in wanted && name === 'trailing-bytes' ? 2 : 0);
      for (let end = 0; end < most; end += bytes.length > 5000 ? 97 : 1) {
        if (attempt(bytes.subarray(0, end)) !== undefined) expect.fail(`${name} cut at ${end}`);
      }
    }
    expect(VALID.length).toBeGreaterThan(40);
  });

  test('arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const metainfo = attempt(bytes);
        if (metainfo !== undefined) assertSound(metainfo);
        expect(() => parseInfo(bytes)).toThrow(ProtocolError);
      }),
    );
  });
});

describe('torrents with something changed load soundly or are refused', () => {
  const samples = CASES.filter(({ bytes }) => bytes.length < 5000);
  const sample = fc.constantFrom(...samples.map(({ bytes }) => bytes));

  test('bytes replaced', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sample, changes, (original, edits) => {
        const bytes = original.slice();
        for (const [at, byte] of edits) bytes[at % Math.max(1, bytes.length)] = byte;
        const metainfo = attempt(bytes);
        if (metainfo !== undefined) assertSound(metainfo);
      }),
      { numRuns: 3000 },
    );
  });

  test('a piece of one put into another', () => {
    fc.assert(
      fc.property(sample, sample, fc.nat(), fc.nat(), (into, from, at, length) => {
        const place = at % (into.length + 1);
        const start = at % (from.length + 1);
        const bytes = new Uint8Array([
          ...into.subarray(0, place),
          ...from.subarray(start, start + (length % 60)),
          ...into.subarray(place),
        ]);
        const metainfo = attempt(bytes);
        if (metainfo !== undefined) assertSound(metainfo);
      }),
      { numRuns: 2000 },
    );
  });

  test('values of other kinds in every place', () => {
    const value = fc.constantFrom(
      'i0e',
      'i-1e',
      'i99999999999999999999e',
      '0:',
      '1:x',
      'le',
      'de',
      'lli1eee',
      'd0:dee',
    );
    fc.assert(
      fc.property(sample, value, fc.nat(), (original, replacement, which) => {
        const text = Buffer.from(original).toString('latin1');
        const integers = [...text.matchAll(/i\d+e|\d+:[a-z]+(?=[a-z\d])|le|de/g)];
        const match = integers[which % Math.max(1, integers.length)];
        fc.pre(match !== undefined);
        const edited = `${text.slice(0, match.index)}${replacement}${text.slice(match.index + match[0].length)}`;
        const metainfo = attempt(Buffer.from(edited, 'latin1'));
        if (metainfo !== undefined) assertSound(metainfo);
      }),
      { numRuns: 3000 },
    );
  });
});

/** Seconds of the fastest of three runs. */
function seconds(bytes: Uint8Array): number {
  const runs = Array.from({ length: 3 }, () => {
    const start = performance.now();
    attempt(bytes);
    return performance.now() - start;
  });
  return Math.min(...runs) / 1000;
}

/** The k of time ~ size^k between two sizes that are 16 apart. */
function exponent(make: (size: number) => Uint8Array, size: number): number {
  const [small, large] = [make(size), make(size * 16)];
  attempt(small);
  const times = [seconds(small), seconds(large)] as const;
  return Math.log(Math.max(times[1], 1e-5) / Math.max(times[0], 1e-5)) / Math.log(16);
}

describe('time grows with the input, not faster', () => {
  const file = (path: readonly string[], more: RawDictionary = {}): RawDictionary => ({
    length: 1,
    path,
    ...more,
  });
  const list = (size: number, make: (at: number) => RawDictionary): Uint8Array =>
    torrent({
      files: Array.from({ length: size }, (_, at) => make(at)),
      name: 't',
      'piece length': 2 ** 20,
      pieces: pieces(1),
    });
  const shapes: Readonly<Record<string, (size: number) => Uint8Array>> = {
    'many files': (size) => list(size, (at) => file(['a', `b${at % 50}`, `c${at}`])),
    'many symlinks in a chain': (size) =>
      list(size, (at) =>
        at === 0
          ? file(['x', 'y'])
          : file([`l${at}`], { attr: 'l', 'symlink path': [`l${at + 1}`, 'y'] }),
      ),
    'deep paths': (size) =>
      list(size, (at) => file(Array.from({ length: 90 }, (_, level) => `${at}-${level}`))),
    'many trackers': (size) =>
      raw({
        'announce-list': [Array.from({ length: size }, (_, at) => `http://t/${at}`)],
        info: { length: 1, name: 't', 'piece length': 16_384, pieces: pieces(1) },
      }),
    'names of control characters': (size) =>
      multiV1([file(['\u0001\u200b'.repeat(size), '\u00ff'.repeat(size)])]),
  };
  const sizes: Readonly<Record<string, number>> = { 'deep paths': 40 };

  test.each(Object.entries(shapes))('%s', (name, make) => {
    // A busy machine may spoil a measurement, but not three in a row in the same direction.
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 3 && best > 1.6; run++) {
      best = Math.min(best, exponent(make, sizes[name] ?? 600));
    }
    expect(best).toBeLessThanOrEqual(1.6);
  });
});
