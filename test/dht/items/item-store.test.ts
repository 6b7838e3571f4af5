import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, formatHex } from '../../../src/base/bytes.ts';
import { randomIdAtDepth } from '../../../src/dht/distance.ts';
import {
  type DhtItem,
  ITEM_LIFETIME_MS,
  ItemStore,
  type ItemStoreOptions,
  immutableTarget,
  MAX_ITEMS,
  MAX_SALT_BYTES,
  MAX_SEQUENCE,
  MAX_VALUE_BYTES,
  type MutableItem,
  mutableTarget,
  type StoreResult,
  signItem,
} from '../../../src/dht/items/index.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

const NO_SALT = new Uint8Array(0);
const HOUR = 3_600_000;

interface Signed {
  readonly key?: number;
  readonly salt?: string;
  readonly sequence?: bigint;
  readonly value?: string;
}

function signed({ key = 1, salt = '', sequence = 1n, value = 'i1e' }: Signed = {}): MutableItem {
  return signItem({
    secretKey: new Uint8Array(32).fill(key),
    salt: encodeUtf8(salt),
    sequence,
    value: encodeUtf8(value),
  });
}

function immutable(value: string): DhtItem {
  return { type: 'immutable', value: encodeUtf8(value) };
}

/** A string of so many bytes, with its length in front. */
function valueOf(length: number): Uint8Array {
  const digits = String(length - 4).length;
  return encodeUtf8(`${length - 1 - digits}:${'x'.repeat(length - 1 - digits)}`);
}

function targetOf(item: DhtItem): Uint8Array {
  return item.type === 'immutable'
    ? immutableTarget(item.value)
    : mutableTarget(item.publicKey, item.salt);
}

function put(
  store: ItemStore,
  item: DhtItem,
  { cas, now = 0, from }: { cas?: bigint; now?: number; from?: Uint8Array } = {},
): 'stored' | number {
  return code(store.put(item, { compareSequence: cas, from }, now));
}

function code(result: StoreResult): 'stored' | number {
  return result.type === 'stored' ? 'stored' : result.code;
}

function stored(store: ItemStore, item: DhtItem, now = 0): DhtItem | undefined {
  return store.get(targetOf(item), now);
}

describe('items', () => {
  test('are given as they came', () => {
    const store = new ItemStore();
    const items = [immutable('12:Hello World!'), signed(), signed({ salt: 'foobar' })];
    for (const item of items) expect(put(store, item)).toBe('stored');
    for (const item of items) expect(stored(store, item)).toEqual(item);
    expect(store.size).toBe(3);
    expect(store.get(new Uint8Array(20), 0)).toBeUndefined();
  });

  test('that are kept do not change with the packet', () => {
    const store = new ItemStore();
    const item = signed({ salt: 'salt', value: '3:abc' });
    const target = targetOf(item);
    const packet = {
      ...item,
      publicKey: item.publicKey.slice(),
      salt: item.salt.slice(),
      value: item.value.slice(),
      signature: item.signature.slice(),
    };
    store.put(packet, {}, 0);
    for (const bytes of [packet.publicKey, packet.salt, packet.value, packet.signature]) {
      bytes.fill(0);
    }
    expect(store.get(target, 0)).toEqual(item);
  });

  test('are there for two hours after the last put', () => {
    const items = [immutable('i1e'), signed()];
    for (const item of items) {
      const store = new ItemStore();
      put(store, item);
      put(store, item, { now: HOUR });
      expect(stored(store, item, ITEM_LIFETIME_MS)).toEqual(item);
      expect(stored(store, item, HOUR + ITEM_LIFETIME_MS - 1)).toEqual(item);
      expect(stored(store, item, HOUR + ITEM_LIFETIME_MS)).toBeUndefined();
      expect(store.size).toBe(0);
    }
  });

  test('that are old are swept, others stay', () => {
    const store = new ItemStore();
    const [old, fresh] = [immutable('i1e'), immutable('i2e')];
    put(store, old);
    put(store, fresh, { now: 1 });
    store.sweep(ITEM_LIFETIME_MS - 1);
    expect(store.size).toBe(2);
    store.sweep(ITEM_LIFETIME_MS);
    expect(store.size).toBe(1);
    expect(stored(store, fresh, ITEM_LIFETIME_MS)).toEqual(fresh);
  });

  test.each([10 * HOUR, 1_000_000 * HOUR])('are gone after a jump of %i ms', (jump) => {
    const store = new ItemStore();
    put(store, immutable('i1e'), { now: 5 });
    store.sweep(jump);
    expect(store.size).toBe(0);
  });

  test('stay when the clock goes back', () => {
    const store = new ItemStore();
    const item = immutable('i1e');
    put(store, item, { now: 10 * HOUR });
    store.sweep(0);
    expect(stored(store, item, 0)).toEqual(item);
  });
});

describe('limits', () => {
  test('of a value', () => {
    const store = new ItemStore();
    const [fits, tooLong] = [valueOf(MAX_VALUE_BYTES), valueOf(MAX_VALUE_BYTES + 1)];
    expect([fits.length, tooLong.length]).toEqual([1_000, 1_001]);
    const sign = (value: Uint8Array): DhtItem =>
      signItem({ secretKey: new Uint8Array(32), salt: NO_SALT, sequence: 1n, value });
    expect(put(store, { type: 'immutable', value: fits })).toBe('stored');
    expect(put(store, { type: 'immutable', value: tooLong })).toBe(205);
    expect(put(store, sign(fits))).toBe('stored');
    expect(put(store, sign(tooLong))).toBe(205);
  });

  test('of a salt', () => {
    const store = new ItemStore();
    expect(put(store, signed({ salt: 'x'.repeat(MAX_SALT_BYTES) }))).toBe('stored');
    expect(put(store, signed({ salt: 'x'.repeat(MAX_SALT_BYTES + 1) }))).toBe(207);
  });

  test('of a sequence', () => {
    const store = new ItemStore();
    expect(put(store, signed({ sequence: 0n }))).toBe('stored');
    expect(put(store, signed({ sequence: MAX_SEQUENCE }))).toBe('stored');
    expect(put(store, signed({ key: 2, sequence: -1n }))).toBe(203);
    expect(put(store, signed({ key: 2, sequence: MAX_SEQUENCE + 1n }))).toBe(203);
    expect(store.size).toBe(1);
  });

  test('a signature has to be right', () => {
    const store = new ItemStore();
    const item = signed();
    const forged = { ...item, signature: signed({ key: 2 }).signature };
    expect(put(store, forged)).toBe(206);
    expect(put(store, { ...item, signature: item.signature.subarray(1) })).toBe(206);
    expect(put(store, { ...item, publicKey: item.publicKey.subarray(1) })).toBe(206);
    expect(store.size).toBe(0);
    // Neither when all the rest is stored already.
    expect(put(store, item)).toBe('stored');
    expect(put(store, forged)).toBe(206);
    expect(stored(store, item)).toEqual(item);
  });
});

describe('sequences', () => {
  const second = signed({ sequence: 2n, value: 'i2e' });

  test('go up only', () => {
    const store = new ItemStore();
    expect(put(store, second)).toBe('stored');
    expect(put(store, signed({ sequence: 1n }))).toBe(302);
    expect(stored(store, second)).toEqual(second);
    const third = signed({ sequence: 3n });
    expect(put(store, third)).toBe('stored');
    expect(stored(store, second)).toEqual(third);
    expect(store.size).toBe(1);
  });

  test('that are equal renew the same value, and refuse another', () => {
    const store = new ItemStore();
    put(store, second);
    expect(put(store, second, { now: HOUR })).toBe('stored');
    expect(put(store, signed({ sequence: 2n, value: 'i3e' }), { now: 2 * HOUR })).toBe(302);
    // Only what is accepted makes it stay longer.
    expect(stored(store, second, HOUR + ITEM_LIFETIME_MS - 1)).toEqual(second);
    expect(stored(store, second, HOUR + ITEM_LIFETIME_MS)).toBeUndefined();
  });

  test('may begin anew when the item was forgotten', () => {
    const store = new ItemStore();
    put(store, second);
    const first = signed({ sequence: 1n });
    expect(put(store, first, { now: ITEM_LIFETIME_MS - 1 })).toBe(302);
    expect(put(store, first, { now: ITEM_LIFETIME_MS })).toBe('stored');
  });

  test('are compared before they are replaced, when asked for', () => {
    const store = new ItemStore();
    // Nothing is there to compare with.
    expect(put(store, second, { cas: 17n })).toBe('stored');
    const third = signed({ sequence: 3n });
    expect(put(store, third, { cas: 1n })).toBe(301);
    expect(put(store, third, { cas: 3n })).toBe(301);
    expect(stored(store, second)).toEqual(second);
    expect(put(store, third, { cas: 2n })).toBe('stored');
    // The mismatch must be told, whatever else is wrong.
    expect(put(store, signed({ sequence: 1n }), { cas: 1n })).toBe(301);
    expect(put(store, signed({ sequence: 1n }), { cas: 3n })).toBe(302);
    // Items that cannot be replaced have none.
    expect(put(store, immutable('i1e'))).toBe('stored');
    expect(put(store, immutable('i1e'), { cas: 5n })).toBe('stored');
  });

  test('of one key and different salts are apart', () => {
    const store = new ItemStore();
    expect(put(store, signed({ sequence: 9n, salt: 'a' }))).toBe('stored');
    expect(put(store, signed({ sequence: 1n, salt: 'b' }))).toBe('stored');
    expect(put(store, signed({ sequence: 1n, salt: 'a' }))).toBe(302);
  });
});

describe('a full store', () => {
  const ID = new Uint8Array(20).fill(0x5a);

  function full(options: ItemStoreOptions, count: number): ItemStore {
    const store = new ItemStore(options);
    for (let at = 0; at < count; at++) put(store, immutable(`i${at}e`), { now: at });
    return store;
  }

  function kept(store: ItemStore, count: number, now = 0): number[] {
    return Array.from({ length: count }, (_, at) => at).filter(
      (at) => stored(store, immutable(`i${at}e`), now) !== undefined,
    );
  }

  test('has as many as it may, and no more', () => {
    expect(full({}, MAX_ITEMS).size).toBe(MAX_ITEMS);
    expect(full({}, MAX_ITEMS + 50).size).toBe(MAX_ITEMS);
    expect(full({ maxItems: 0 }, 3).size).toBe(1);
  });

  test('lets the one go that was not announced for longest, without ids', () => {
    const store = full({ maxItems: 10 }, 10);
    put(store, immutable('i0e'), { now: 100 });
    put(store, immutable('3:new'), { now: 101 });
    expect(kept(store, 10)).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('lets those go that are farthest from all its ids', () => {
    const random = new SeededRandom(1);
    // Two ids: the value's target shares 12 bits with one of them, or fewer.
    const near = immutable('4:near');
    const ids = [randomIdAtDepth(immutableTarget(near.value), 12, random), ID];
    const store = new ItemStore({ maxItems: 20, ownIds: () => ids });
    put(store, near);
    for (let at = 0; at < 500; at++) put(store, immutable(`i${at}e`), { now: 1 + at });
    expect(store.size).toBe(20);
    expect(stored(store, near)).toEqual(near);
    expect(put(store, immutable('3:new'), { now: 1_000 })).toBe('stored');
  });

  test('follows its ids when they change', () => {
    const [one, other] = [immutable('3:one'), immutable('5:other')];
    let ids = [targetOf(one)];
    const store = new ItemStore({ maxItems: 2, ownIds: () => ids });
    put(store, one);
    put(store, other, { now: 1 });
    ids = [targetOf(other)];
    put(store, immutable('3:new'), { now: 2 });
    expect(stored(store, other)).toEqual(other);
    expect(stored(store, one)).toBeUndefined();
  });

  test('keeps what many announce, each address counted once', () => {
    const [few, many] = [immutable('3:few'), immutable('4:many')];
    const store = new ItemStore({ maxItems: 2 });
    const network = (at: number): Uint8Array => Uint8Array.of(10, 0, at, 1);
    for (let at = 0; at < 20; at++) put(store, many, { from: network(at) });
    for (let at = 0; at < 20; at++) put(store, few, { from: network(1), now: 1 });
    put(store, immutable('3:new'), { now: 2 });
    expect(stored(store, many)).toEqual(many);
    expect(stored(store, few)).toBeUndefined();
  });

  test('counts a whole network of IPv6 as one address', () => {
    const [few, later] = [immutable('3:few'), immutable('5:later')];
    const store = new ItemStore({ maxItems: 2 });
    for (let at = 0; at < 50; at++) {
      const from = new Uint8Array(16).fill(0x20);
      from[15] = at;
      put(store, few, { from });
    }
    put(store, later, { from: Uint8Array.of(10, 0, 0, 1), now: 1 });
    put(store, immutable('3:new'), { now: 2 });
    expect(stored(store, few)).toBeUndefined();
    expect(stored(store, later)).toEqual(later);
  });

  test('lets old ones go before any other', () => {
    const near = immutable('4:near');
    const store = new ItemStore({ maxItems: 3, ownIds: () => [targetOf(near)] });
    put(store, near);
    put(store, immutable('i1e'), { now: 1 });
    put(store, immutable('i2e'), { now: 2 });
    put(store, immutable('3:new'), { now: ITEM_LIFETIME_MS });
    expect(kept(store, 3, ITEM_LIFETIME_MS)).toEqual([1, 2]);
  });

  test('takes what only replaces without letting anything go', () => {
    const store = full({ maxItems: 3 }, 2);
    put(store, signed(), { now: 5 });
    expect(put(store, signed({ sequence: 2n }), { now: 6 })).toBe('stored');
    expect(kept(store, 2)).toEqual([0, 1]);
    expect(store.size).toBe(3);
  });

  test('lets nothing go for what it refuses', () => {
    const store = full({ maxItems: 3 }, 3);
    const item = signed();
    expect(put(store, { ...item, signature: new Uint8Array(64) })).toBe(206);
    expect(put(store, { type: 'immutable', value: valueOf(1_001) })).toBe(205);
    expect(kept(store, 3)).toEqual([0, 1, 2]);
  });
});

describe('as a model has it', () => {
  /** Signed once: a signature takes a millisecond. */
  const MUTABLES = [1, 2].flatMap((key) =>
    [0n, 1n, 2n].flatMap((sequence) =>
      ['i1e', 'i2e'].map((value) => signed({ key, sequence, value })),
    ),
  );
  const FORGED = MUTABLES.map((item) => ({ ...item, sequence: item.sequence + 1n }));
  const IMMUTABLES = ['i1e', 'i2e', 'le'].map((value) => immutable(value));
  const pool: readonly DhtItem[] = [...MUTABLES, ...MUTABLES, ...FORGED, ...IMMUTABLES];
  const step = fc.record({
    item: fc.nat(pool.length - 1),
    cas: fc.option(fc.bigInt({ min: 0n, max: 3n }), { nil: undefined, freq: 4 }),
    wait: fc.oneof(fc.constant(0), fc.nat(HOUR), fc.nat(3 * HOUR)),
    sweep: fc.boolean(),
  });

  test('puts and gets', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new ItemStore();
        const model = new Model();
        let now = 0;
        for (const { item: at, cas, wait, sweep } of steps) {
          now += wait;
          if (sweep) store.sweep(now);
          const item = pool[at] ?? immutable('i0e');
          const isForged = FORGED.some((forged) => forged === item);
          expect(put(store, item, { now, ...(cas === undefined ? {} : { cas }) })).toBe(
            model.put(item, { cas, isForged }, now),
          );
          expect(model.differences(store, pool, now)).toEqual([]);
        }
        store.sweep(now);
        expect(store.size).toBe(model.size(now));
      }),
      { numRuns: 40 },
    );
  });
});

/** BEP 44 as it is written, one map and no limit. */
class Model {
  readonly #items = new Map<string, { readonly item: DhtItem; at: number }>();

  put(
    item: DhtItem,
    { cas, isForged }: { readonly cas: bigint | undefined; readonly isForged: boolean },
    now: number,
  ): 'stored' | number {
    const key = formatHex(targetOf(item));
    const current = this.#live(key, now);
    if (current !== undefined && item.type === 'mutable' && current.item.type === 'mutable') {
      const { sequence, value } = current.item;
      if (cas !== undefined && cas !== sequence) return 301;
      if (item.sequence < sequence) return 302;
      if (item.sequence === sequence && formatHex(item.value) !== formatHex(value)) return 302;
    }
    if (isForged) return 206;
    this.#items.set(key, { item, at: now });
    return 'stored';
  }

  differences(store: ItemStore, pool: readonly DhtItem[], now: number): string[] {
    const targets = new Set(pool.map((item) => formatHex(targetOf(item))));
    return [...targets].filter((key) => {
      const wanted = this.#live(key, now)?.item;
      const found = store.get(Uint8Array.from(Buffer.from(key, 'hex')), now);
      return JSON.stringify(plain(wanted)) !== JSON.stringify(plain(found));
    });
  }

  size(now: number): number {
    return [...this.#items.keys()].filter((key) => this.#live(key, now) !== undefined).length;
  }

  #live(key: string, now: number): { readonly item: DhtItem; at: number } | undefined {
    const found = this.#items.get(key);
    return found !== undefined && now - found.at < ITEM_LIFETIME_MS ? found : undefined;
  }
}

function plain(item: DhtItem | undefined): unknown {
  if (item === undefined) return 'none';
  const value = formatHex(item.value);
  if (item.type === 'immutable') return value;
  return [value, String(item.sequence), formatHex(item.signature), formatHex(item.publicKey)];
}
