import { describe, expect, test } from 'vitest';
import { InfoHash } from '../../src/base/ids.ts';
import { sha1, sha256 } from '../../src/base/sha.ts';
import { METADATA_PIECE_LENGTH, MetadataFetch } from '../../src/peer/index.ts';

const INFO = Uint8Array.from(
  { length: METADATA_PIECE_LENGTH * 2 + 100 },
  (_, at) => (at * 7) & 0xff,
);
const HASH = new InfoHash(sha1(INFO));

function piece(of: Uint8Array, index: number) {
  return {
    type: 'data' as const,
    piece: index,
    totalSize: of.length,
    data: of.subarray(index * METADATA_PIECE_LENGTH, (index + 1) * METADATA_PIECE_LENGTH),
  };
}
/** Lets `peer` answer everything it is asked until nothing is left to ask. */
function serve(fetch: MetadataFetch<string>, peer: string, of: Uint8Array, now = 0) {
  for (;;) {
    const index = fetch.next(peer, now);
    if (index === undefined) return { type: 'more' as const };
    const progress = fetch.data(peer, piece(of, index));
    if (progress.type !== 'more') return progress;
  }
}

test('one peer, all pieces', () => {
  const fetch = new MetadataFetch<string>(HASH);
  fetch.offer('a', INFO.length);
  expect(serve(fetch, 'a', INFO)).toEqual({ type: 'complete', info: INFO });
});

test('the progress counts what has come, the short last piece as well', () => {
  const fetch = new MetadataFetch<string>(HASH);
  const total = INFO.length;
  expect(fetch.progress).toBeUndefined();
  fetch.offer('a', total);
  for (const _ of [0, 1, 2]) fetch.next('a', 0);
  expect(fetch.progress).toEqual({ done: 0, total });
  fetch.data('a', piece(INFO, 2));
  expect(fetch.progress).toEqual({ done: 100, total });
  fetch.data('a', piece(INFO, 0));
  expect(fetch.progress).toEqual({ done: 100 + METADATA_PIECE_LENGTH, total });
  fetch.withdraw('a');
  expect(fetch.progress).toBeUndefined();
});

test('a v2 infohash is checked with SHA-256', () => {
  const fetch = new MetadataFetch<string>(new InfoHash(sha256(INFO)));
  fetch.offer('a', INFO.length);
  expect(serve(fetch, 'a', INFO).type).toBe('complete');
});

test('several peers share the work, no piece is asked twice', () => {
  const fetch = new MetadataFetch<string>(HASH);
  fetch.offer('a', INFO.length);
  fetch.offer('b', INFO.length);
  const asked = [fetch.next('a', 0), fetch.next('b', 0), fetch.next('a', 0), fetch.next('b', 0)];
  expect(asked).toEqual([0, 1, 2, undefined]);
  fetch.data('a', piece(INFO, 0));
  fetch.data('b', piece(INFO, 1));
  expect(fetch.data('a', piece(INFO, 2)).type).toBe('complete');
});

describe('liars', () => {
  const rubbish = INFO.map((byte) => byte ^ 1);
  test('one that sent everything is named', () => {
    const fetch = new MetadataFetch<string>(HASH);
    fetch.offer('liar', INFO.length);
    expect(serve(fetch, 'liar', rubbish)).toEqual({ type: 'corrupt', liars: ['liar'] });
  });

  test('one among honest peers is found by asking each alone', () => {
    const fetch = new MetadataFetch<string>(HASH);
    const honest: Record<string, Uint8Array> = { a: INFO, liar: rubbish, b: INFO };
    for (const peer of Object.keys(honest)) fetch.offer(peer, INFO.length);
    for (let round = 0; round < 10; round++) {
      for (const [peer, data] of Object.entries(honest)) {
        const index = fetch.next(peer, 0);
        const progress = index === undefined ? undefined : fetch.data(peer, piece(data, index));
        if (progress?.type === 'complete') return;
        for (const named of progress?.type === 'corrupt' ? progress.liars : []) {
          expect(named).toBe('liar');
          fetch.withdraw(named);
          delete honest[named];
        }
      }
    }
    expect.unreachable('the metadata was never complete');
  });

  test('a false size is outvoted', () => {
    const fetch = new MetadataFetch<string>(HASH);
    fetch.offer('liar', 17);
    fetch.offer('a', INFO.length);
    fetch.offer('b', INFO.length);
    expect(fetch.next('liar', 0)).toBeUndefined();
    expect(serve(fetch, 'a', INFO).type).toBe('complete');
  });

  test('a piece of the wrong size convicts at once', () => {
    const fetch = new MetadataFetch<string>(HASH);
    fetch.offer('a', INFO.length);
    const index = fetch.next('a', 0) ?? -1;
    const short = { ...piece(INFO, index), data: new Uint8Array(5) };
    expect(fetch.data('a', short)).toEqual({ type: 'corrupt', liars: ['a'] });
  });
});

test('what is rejected, not answered or lost with its peer is asked of others', () => {
  const fetch = new MetadataFetch<string>(HASH);
  fetch.offer('a', INFO.length);
  fetch.offer('b', INFO.length);
  expect(fetch.next('a', 0)).toBe(0);
  fetch.rejected('a', 0, 0);
  expect(fetch.next('a', 0)).toBeUndefined();
  expect(fetch.next('b', 0)).toBe(0);
  fetch.expire(4_999);
  expect(fetch.next('a', 5_000)).toBe(1);
  fetch.expire(5_000);
  expect(fetch.next('a', 5_000)).toBe(0);
  fetch.withdraw('a');
  expect(fetch.next('b', 10_000)).toBe(0);
  expect(fetch.next('b', 10_000)).toBe(1);
});

test('data that nobody asked for is passed over', () => {
  const fetch = new MetadataFetch<string>(HASH);
  fetch.offer('a', INFO.length);
  expect(fetch.data('a', piece(INFO, 0))).toEqual({ type: 'more' });
  expect(fetch.next('a', 0)).toBe(0);
  expect(fetch.data('b', piece(INFO, 0))).toEqual({ type: 'more' });
});
