import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  encodePieceHeader,
  MESSAGE,
  Outbox,
  type WireHandler,
  WireParser,
} from '../../src/peer/index.ts';

/** Writes down every call. */
class Recorder implements WireHandler {
  readonly calls: string[] = [];
  /** Where blocks go; `undefined` drops them. */
  readonly keep: boolean;
  #target: Uint8Array | undefined;
  constructor(keep = true) {
    this.keep = keep;
  }
  keepAlive(): void {
    this.calls.push('keepAlive');
  }
  plain(id: number): void {
    this.calls.push(`plain ${id}`);
  }
  piece(id: number, piece: number): void {
    this.calls.push(`piece ${id} ${piece}`);
  }
  block(id: number, piece: number, begin: number, length: number): void {
    this.calls.push(`block ${id} ${piece} ${begin} ${length}`);
  }
  bitfield(field: Uint8Array): void {
    this.calls.push(`bitfield ${field.join()}`);
  }
  port(port: number): void {
    this.calls.push(`port ${port}`);
  }
  extended(id: number, payload: Uint8Array): void {
    this.calls.push(`extended ${id} ${payload.join()}`);
  }
  blockStart(piece: number, begin: number, length: number): Uint8Array | undefined {
    this.#target = this.keep ? new Uint8Array(length) : undefined;
    this.calls.push(`start ${piece} ${begin} ${length}`);
    return this.#target;
  }
  blockEnd(piece: number, begin: number, length: number, stored: boolean): void {
    this.calls.push(`end ${piece} ${begin} ${length} ${stored} ${this.#target?.join() ?? ''}`);
  }
}

type Send = (box: Outbox) => void;
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const messages: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .constantFrom<Send>(
      (box) => box.keepAlive(),
      (box) => box.plain('choke'),
      (box) => box.plain('haveAll'),
      (box) => box.plain('notInterested'),
    )
    .map(wire),
  fc
    .tuple(fc.constantFrom('have' as const, 'suggest' as const, 'allowedFast' as const), uint32)
    .map(([name, piece]) => wire((box) => box.piece(name, piece))),
  fc
    .tuple(
      fc.constantFrom('request' as const, 'cancel' as const, 'reject' as const),
      uint32,
      uint32,
      uint32,
    )
    .map(([name, piece, begin, length]) => wire((box) => box.block(name, piece, begin, length))),
  fc.uint8Array({ maxLength: 50 }).map((field) => wire((box) => box.bitfield(field))),
  fc
    .tuple(fc.nat(255), fc.uint8Array({ maxLength: 60 }))
    .map(([id, payload]) => wire((box) => box.extended(id, payload))),
  fc.nat(0xffff).map((port) => wire((box) => box.port(port))),
  fc
    .tuple(uint32, uint32, fc.uint8Array({ minLength: 1, maxLength: 70 }))
    .map(([piece, begin, data]) => join(encodePieceHeader(piece, begin, data.length), data)),
  // A message that nobody knows.
  fc
    .uint8Array({ maxLength: 30 })
    .map((data) => join(Uint8Array.of(0, 0, 0, data.length + 1, 99), data)),
);

function wire(send: Send): Uint8Array {
  const box = new Outbox();
  send(box);
  return box.take();
}
function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
function parse(bytes: Uint8Array, cuts: readonly number[] = []): string[] {
  const recorder = new Recorder();
  const parser = new WireParser(recorder);
  let at = 0;
  for (const cut of cuts) {
    parser.feed(bytes.subarray(at, at + cut));
    at += cut;
  }
  parser.feed(bytes.subarray(at));
  return recorder.calls;
}

test('the same calls come out for every way of cutting the input', () => {
  fc.assert(
    fc.property(
      fc.array(messages, { maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }),
      (parts, cuts) => {
        const bytes = join(...parts);
        const whole = parse(bytes);
        expect(parse(bytes, cuts)).toEqual(whole);
        expect(parse(bytes, Array<number>(bytes.length).fill(1))).toEqual(whole);
      },
    ),
  );
});

test('every kind of message arrives with its numbers', () => {
  const bytes = join(
    wire((box) => box.keepAlive()),
    wire((box) => box.plain('unchoke')),
    wire((box) => box.piece('have', 0xfffffffe)),
    wire((box) => box.block('request', 1, 2, 16_384)),
    wire((box) => box.bitfield(Uint8Array.of(0x80))),
    wire((box) => box.port(6881)),
    wire((box) => box.extended(3, Uint8Array.of(1, 2))),
    encodePieceHeader(4, 5, 2),
    Uint8Array.of(8, 9),
  );
  expect(parse(bytes)).toEqual([
    'keepAlive',
    `plain ${MESSAGE.unchoke}`,
    `piece ${MESSAGE.have} 4294967294`,
    `block ${MESSAGE.request} 1 2 16384`,
    'bitfield 128',
    'port 6881',
    'extended 3 1,2',
    'start 4 5 2',
    'end 4 5 2 true 8,9',
  ]);
});

test('a block that nobody wants is skipped to its last byte', () => {
  const recorder = new Recorder(false);
  const parser = new WireParser(recorder);
  parser.feed(
    join(
      encodePieceHeader(1, 0, 3),
      Uint8Array.of(1, 2, 3),
      wire((box) => box.keepAlive()),
    ),
  );
  expect(recorder.calls).toEqual(['start 1 0 3', 'end 1 0 3 false ', 'keepAlive']);
});

test('a block that is dropped on the way is skipped to its last byte, and nothing else is', () => {
  const recorder = new Recorder();
  const parser = new WireParser(recorder);
  const data = new Uint8Array(10).fill(7);
  const block = join(encodePieceHeader(1, 16384, data.length), data);
  parser.feed(block.subarray(0, 17));
  parser.dropBlock();
  parser.feed(block.subarray(17));
  expect(recorder.calls).toEqual(['start 1 16384 10', 'end 1 16384 10 false 7,7,7,7,0,0,0,0,0,0']);
  parser.dropBlock();
  parser.feed(block);
  expect(recorder.calls.at(-1)).toBe('end 1 16384 10 true 7,7,7,7,7,7,7,7,7,7');
  const bitfield = Uint8Array.of(0, 0, 0, 2, MESSAGE.bitfield, 0xa0);
  parser.feed(bitfield.subarray(0, 5));
  parser.dropBlock();
  parser.feed(bitfield.subarray(5));
  expect(recorder.calls.at(-1)).toBe('bitfield 160');
});

test('nothing is told after stop, not even what was fed in the same chunk', () => {
  const calls: string[] = [];
  const recorder = new (class extends Recorder {
    override plain(id: number): void {
      calls.push(`plain ${id}`);
      parser.stop();
    }
  })();
  const parser = new WireParser(recorder);
  parser.feed(
    join(
      wire((box) => box.plain('choke')),
      wire((box) => box.plain('unchoke')),
    ),
  );
  expect(calls).toEqual(['plain 0']);
});

describe('lengths that no message has are refused before anything is stored', () => {
  const cases: readonly [string, number[]][] = [
    ['choke with a payload', [0, 0, 0, 2, 0]],
    ['have of 4 bytes', [0, 0, 0, 4, 4]],
    ['request of 12 bytes', [0, 0, 0, 12, 6]],
    ['piece without data', [0, 0, 0, 9, 7]],
    ['piece of 128 KiB and one byte', [0, 2, 0, 10, 7]],
    ['port of one byte', [0, 0, 0, 2, 9]],
    ['extended without an id', [0, 0, 0, 1, 20]],
    ['extended of 1 MiB', [0, 16, 0, 0, 20]],
    ['bitfield of 512 KiB while the number of pieces is unknown', [0, 8, 0, 0, 5]],
    ['unknown message of 4 GiB', [255, 255, 255, 255, 99]],
  ];
  test.each(cases)('%s', (_name, bytes) => {
    expect(() => parse(Uint8Array.from(bytes))).toThrow(ProtocolError);
  });
  test('a bitfield longer than the torrent has pieces', () => {
    const parser = new WireParser(new Recorder(), { limits: { bitfield: 3 } });
    parser.feed(Uint8Array.of(0, 0, 0, 3, 5, 1, 2));
    expect(() => parser.feed(Uint8Array.of(0, 0, 0, 4, 5))).toThrow('expected at most 3');
  });
});

test('arbitrary bytes give calls or a ProtocolError, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});
