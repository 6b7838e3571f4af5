/** Encrypted streams over a pair of pipes whose ends tell what is queued. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../../src/base/bytes.ts';
import { NetworkError, ProtocolError, TimeoutError } from '../../../src/base/errors.ts';
import { CipherBuffers, type MseContext, MseStream } from '../../../src/handshake/index.ts';
import type { Method } from '../../../src/handshake/mse/negotiation.ts';
import { hiddenName } from '../../../src/handshake/mse/secrets.ts';
import type { ByteStream, Clock, StreamHandler } from '../../../src/runtime/ports.ts';
import { HANDMADE_KEY, seeded } from './sides.ts';
import { SKEY } from './vectors.ts';

const PROTOCOL = encodeUtf8('\x13BitTorrent protocol');

/** A clock that stands until it is moved. */
class HandClock implements Clock {
  #now = 0;
  #waiting: { readonly at: number; readonly wake: () => void }[] = [];
  now(): number {
    return this.#now;
  }
  schedule(at: number, wake: () => void): () => void {
    const entry = { at, wake };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }
  get timers(): number {
    return this.#waiting.length;
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const entry of [...this.#waiting]) {
      if (entry.at > this.#now || !this.#waiting.includes(entry)) continue;
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      entry.wake();
    }
  }
}

/** One end of a pipe: what is written waits until the test lets it through. */
class PipeEnd implements ByteStream {
  readonly local = { host: '10.0.0.1', port: 1 };
  readonly remote = { host: '10.0.0.2', port: 2 };
  readonly written: Uint8Array[] = [];
  handler: StreamHandler | undefined;
  paused = false;
  disposals = 0;
  open(handler: StreamHandler): void {
    this.handler = handler;
  }
  write(bytes: Uint8Array): void {
    if (this.disposals === 0) this.written.push(bytes);
  }
  get queuedBytes(): number {
    return this.written.reduce((sum, { length }) => sum + length, 0);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.disposals += 1;
  }
  /** Everything written so far arrives at the other end, in pieces. */
  flushTo(other: PipeEnd, piece: number): void {
    const all = concatBytes(...this.written.splice(0));
    for (let at = 0; at < all.length; at += piece) {
      // A view of a buffer that is used again, as from a socket.
      const view = all.slice(at, at + piece);
      other.handler?.data(view);
      view.fill(0xee);
    }
    this.handler?.drain();
  }
}

class Recorder implements StreamHandler {
  readonly parts: Uint8Array[] = [];
  drains = 0;
  readonly ends: (Error | undefined)[] = [];
  data(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
  }
  drain(): void {
    this.drains += 1;
  }
  closed(error?: Error): void {
    this.ends.push(error);
  }
  get bytes(): Uint8Array {
    return concatBytes(...this.parts);
  }
}

interface SceneOptions {
  readonly caller?: readonly Method[];
  readonly called?: readonly Method[];
  readonly seed?: number;
}

/** Two ends that are open and have said nothing yet. */
function scene({ caller = ['rc4'], called = ['rc4'], seed = 1 }: SceneOptions = {}) {
  const clock = new HandClock();
  const bugs: unknown[] = [];
  const contextOf = (own: number): MseContext => ({
    clock,
    random: seeded(own),
    buffers: new CipherBuffers(),
    onBug: (error) => bugs.push(error),
  });
  const [a, b] = [new PipeEnd(), new PipeEnd()];
  const hidden = hiddenName(SKEY).join();
  const left = MseStream.call(a, contextOf(seed), { infoHash: SKEY, methods: caller });
  const right = MseStream.answer(b, contextOf(seed + 1), {
    find: (name) => (name.join() === hidden ? SKEY : undefined),
    methods: called,
    plainToo: true,
    admit: () => undefined,
  });
  const heard = { left: new Recorder(), right: new Recorder() };
  const settle = (piece = 1_000): void => {
    for (let turn = 0; turn < 4; turn++) {
      a.flushTo(b, piece);
      b.flushTo(a, piece);
    }
  };
  return { clock, bugs, a, b, left, right, heard, settle };
}

function open({ left, right, heard }: ReturnType<typeof scene>): void {
  left.open(heard.left);
  right.open(heard.right);
}

describe('both ways', () => {
  const pairs = fc.constantFrom<[readonly Method[], readonly Method[], string]>(
    [['rc4'], ['rc4'], 'rc4'],
    [['plain'], ['plain', 'rc4'], 'header'],
    [['plain', 'rc4'], ['plain', 'rc4'], 'header'],
    [['plain', 'rc4'], ['rc4'], 'rc4'],
  );
  const messages = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 300_000 }).map(filled)),
    { maxLength: 6 },
  );

  test('every byte arrives as it was written, whatever was written when', () => {
    fc.assert(
      fc.property(
        fc.record({ pair: pairs, early: messages, late: messages, seed: fc.nat() }),
        fc.integer({ min: 1, max: 70_000 }),
        ({ pair: [caller, called, disguise], early, late, seed }, piece) => {
          const all = scene({ caller, called, seed });
          // First words have 16 bits for their length.
          const first = early.filter(({ length }) => length < 1_000);
          const { left, right, heard, settle, bugs } = all;
          for (const bytes of first) left.write(bytes);
          for (const bytes of early) right.write(bytes);
          open(all);
          settle(piece < 50 ? 700 : piece);
          for (const bytes of late) left.write(bytes);
          for (const bytes of late) right.write(bytes);
          settle(piece < 50 ? 700 : piece);
          expect(bugs).toEqual([]);
          expect(left.agreement?.disguise).toBe(disguise);
          expect(right.agreement?.disguise).toBe(disguise);
          expect(equal(heard.right.bytes, concatBytes(...first, ...late))).toBe(true);
          expect(equal(heard.left.bytes, concatBytes(...early, ...late))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('one byte at a time', () => {
    const all = scene();
    all.left.write(encodeUtf8('hello'));
    open(all);
    all.settle(1);
    all.right.write(encodeUtf8('world'));
    all.settle(1);
    expect(all.heard.right.bytes).toEqual(encodeUtf8('hello'));
    expect(all.heard.left.bytes).toEqual(encodeUtf8('world'));
    expect(all.clock.timers).toBe(0);
  });

  test('what is written is not changed, and nothing of it can be seen on the way', () => {
    const all = scene();
    open(all);
    all.settle();
    const text = filled(100_000);
    all.left.write(text);
    expect(text).toEqual(filled(100_000));
    const sent = concatBytes(...all.a.written);
    expect(sent.length).toBe(100_000);
    expect(sent.filter((byte, at) => byte === text[at]).length).toBeLessThan(1_000);
  });

  test('memory of what has left is used again, that of what waits is not', () => {
    const all = scene();
    open(all);
    all.settle();
    for (let turn = 0; turn < 40; turn++) {
      all.left.write(filled(65_536));
      all.left.write(filled(20_000));
      if (turn % 3 === 0) all.a.flushTo(all.b, 65_536);
    }
    all.settle(65_536);
    const expected = concatBytes(filled(65_536), filled(20_000));
    const { bytes } = all.heard.right;
    expect(bytes.length).toBe(40 * expected.length);
    for (let turn = 0; turn < 40; turn++) {
      const part = bytes.subarray(turn * expected.length, (turn + 1) * expected.length);
      expect(equal(part, expected)).toBe(true);
    }
  });

  test('a handler that writes to another encrypted stream on the spot', () => {
    const all = scene();
    open(all);
    all.settle();
    const { left, heard } = all;
    const echo = heard.left.data.bind(heard.left);
    heard.left.data = (bytes) => {
      left.write(bytes);
      echo(bytes);
    };
    all.right.write(encodeUtf8('ping'));
    all.settle();
    expect(heard.left.bytes).toEqual(encodeUtf8('ping'));
    expect(heard.right.bytes).toEqual(encodeUtf8('ping'));
  });
});

describe('back-pressure', () => {
  test('queued bytes are those below and those that wait for the handshake', () => {
    const all = scene();
    all.right.write(filled(500));
    expect(all.right.queuedBytes).toBe(500);
    open(all);
    all.settle();
    expect(all.right.queuedBytes).toBe(0);
    all.right.write(filled(70_000));
    expect(all.right.queuedBytes).toBe(70_000);
    expect(all.b.queuedBytes).toBe(70_000);
  });

  test('drains of the handshake are not told, those behind it are', () => {
    const all = scene();
    open(all);
    all.a.flushTo(all.b, 1_000);
    expect(all.heard.left.drains).toBe(0);
    all.settle();
    const before = all.heard.left.drains;
    all.left.write(filled(10));
    all.a.flushTo(all.b, 1_000);
    expect(all.heard.left.drains).toBe(before + 1);
  });

  test('pauses pass to the stream below', () => {
    const { a, left } = scene();
    left.pause();
    expect(a.paused).toBe(true);
    left.resume();
    expect(a.paused).toBe(false);
  });
});

describe('who never finishes', () => {
  test('silence ends a call after five seconds', () => {
    const all = scene();
    all.left.open(all.heard.left);
    all.clock.advance(4_999);
    expect(all.heard.left.ends).toEqual([]);
    all.clock.advance(1);
    expect(all.heard.left.ends[0]).toBeInstanceOf(TimeoutError);
    expect(all.heard.left.ends[0]?.message).toContain('its key did not come');
    expect(all.left.hasKey).toBe(false);
    expect(all.a.disposals).toBe(1);
    expect(all.clock.timers).toBe(0);
  });

  test('a stranger that drips padding is dropped after eight seconds, with a reason', () => {
    const all = scene();
    all.right.open(all.heard.right);
    all.b.handler?.data(HANDMADE_KEY);
    for (let second = 0; second < 7; second++) {
      all.clock.advance(1_000);
      for (let drop = 0; drop < 30; drop++) all.b.handler?.data(Uint8Array.of(drop));
    }
    expect(all.heard.right.ends).toEqual([]);
    all.clock.advance(1_000);
    expect(all.heard.right.ends[0]?.message).toMatch(/the end of its padding did not come/);
    expect(all.b.disposals).toBe(1);
    // Whatever comes now is for nobody.
    all.b.handler?.data(filled(10_000));
    expect(all.heard.right.parts).toEqual([]);
    expect(all.heard.right.ends.length).toBe(1);
  });

  test('a stranger that says nothing at all', () => {
    const all = scene();
    all.right.open(all.heard.right);
    all.clock.advance(8_000);
    expect(all.heard.right.ends[0]?.message).toContain('its first byte did not come');
  });

  test('one that floods is dropped at the first byte too many', () => {
    const all = scene();
    all.right.open(all.heard.right);
    all.b.handler?.data(concatBytes(HANDMADE_KEY, filled(531)));
    expect(all.heard.right.ends).toEqual([]);
    all.b.handler?.data(filled(1));
    expect(all.heard.right.ends[0]).toBeInstanceOf(ProtocolError);
    expect(all.b.disposals).toBe(1);
  });
});

describe('ends', () => {
  test('of the stream below, at every stage of the handshake', () => {
    for (let stage = 0; stage < 4; stage++) {
      const all = scene();
      open(all);
      if (stage > 0) all.a.flushTo(all.b, 1_000);
      if (stage > 1) all.b.flushTo(all.a, 1_000);
      if (stage > 2) all.a.flushTo(all.b, 1_000);
      all.a.handler?.closed();
      all.b.handler?.closed(new NetworkError('reset'));
      const [end] = all.heard.left.ends;
      expect(end).toBeInstanceOf(NetworkError);
      const missing = stage < 2 ? 'its key' : 'the end of its padding';
      expect(end?.message).toContain(`instead of sending ${missing}`);
      // The side that is called has agreed when the request is there.
      expect(all.heard.right.ends[0]?.message).toMatch(
        stage < 3 ? /^reset, before (?:its|the) / : /^reset$/,
      );
      expect(all.clock.timers).toBe(0);
    }
  });

  test('behind the handshake they are passed on as they are', () => {
    const all = scene();
    open(all);
    all.settle();
    all.a.handler?.closed();
    all.b.handler?.closed(new NetworkError('reset'));
    expect(all.heard.left.ends).toEqual([undefined]);
    expect(all.heard.right.ends).toEqual([new NetworkError('reset')]);
  });

  test('after a disposal nothing is told or sent, and twice is fine', async () => {
    const all = scene();
    open(all);
    await all.left[Symbol.asyncDispose]();
    await all.left[Symbol.asyncDispose]();
    const sent = all.a.written.length;
    all.left.write(filled(5));
    all.a.handler?.data(filled(200));
    all.a.handler?.closed();
    expect(all.a.written.length).toBe(sent);
    expect(all.heard.left).toMatchObject({ parts: [], ends: [], drains: 0 });
    all.clock.advance(60_000);
    expect(all.heard.left.ends).toEqual([]);
  });

  test('a handler that disposes in the middle of what arrives gets nothing more', () => {
    const all = scene();
    open(all);
    let calls = 0;
    all.heard.right.data = () => {
      calls += 1;
      void all.right[Symbol.asyncDispose]();
    };
    // The protocol's name is one part, what stands behind it another.
    all.b.handler?.data(concatBytes(PROTOCOL, filled(48)));
    all.b.handler?.data(filled(48));
    expect(calls).toBe(1);
    expect(all.b.disposals).toBe(1);
  });

  test('a bug in a handler is told, and is no fault of the peer', () => {
    const all = scene();
    all.heard.right.data = () => {
      throw new RangeError('a bug');
    };
    open(all);
    all.b.handler?.data(concatBytes(PROTOCOL, filled(48)));
    expect(all.bugs).toEqual([new RangeError('a bug')]);
  });
});

test('plain peers pass with all that they sent', () => {
  for (const cut of [1, 7, 20, 21, 68]) {
    const all = scene();
    all.right.open(all.heard.right);
    const bytes = concatBytes(PROTOCOL, filled(60));
    for (let at = 0; at < bytes.length; at += cut) {
      all.b.handler?.data(bytes.slice(at, at + cut));
    }
    expect(all.heard.right.bytes).toEqual(bytes);
    expect(all.right.agreement?.disguise).toBe('none');
    const answer = filled(9);
    all.right.write(answer);
    // Passed on untouched and uncopied.
    expect(all.b.written[0]).toBe(answer);
  }
});

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31) ^ (at >> 8));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
