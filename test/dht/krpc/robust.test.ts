import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import { decode, faultRule } from '../../../src/bencode/index.ts';
import {
  decodeMessage,
  KRPC_ERROR,
  type KrpcMessage,
  KrpcWriter,
} from '../../../src/dht/krpc/index.ts';
import { bytes } from '../../bencode/values.ts';
import { anyMessage } from './messages.ts';
import { BEP_5, EXTENSIONS } from './vectors.ts';

const VECTORS = [...BEP_5, ...EXTENSIONS];
const PACKETS = VECTORS.map(({ packet }) => bytes(packet));
const writer = new KrpcWriter();

/** The message, or the error that may be thrown; any other is thrown on. */
function outcome(packet: Uint8Array): KrpcMessage | ProtocolError {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

/** Whatever comes in: what is taken for a message can be written and is then taken for the same. */
function judge(packet: Uint8Array): KrpcMessage | ProtocolError {
  const result = outcome(packet);
  if (result instanceof ProtocolError) {
    expect(result.offset ?? 0).toBeLessThanOrEqual(packet.length);
  } else if (result.type === 'malformed') {
    expect([KRPC_ERROR.protocol, KRPC_ERROR.unknownMethod]).toContain(result.code);
  } else {
    expect(decodeMessage(writer.encode(result).slice())).toEqual(result);
  }
  return result;
}

test('whatever can be sent is received as it was sent', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(decodeMessage(writer.encode(message))).toEqual(message);
    }),
    { numRuns: 2000 },
  );
});

test('what is sent is canonical bencode', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const packet = writer.encode(message);
      expect(decode(packet, { strict: true }).raw).toEqual(packet);
    }),
    { numRuns: 1000 },
  );
});

describe('a message that breaks off is refused', () => {
  test.each(VECTORS)('$name', ({ packet }) => {
    const whole = bytes(packet);
    for (let end = 0; end < whole.length; end++) {
      expect(() => decodeMessage(whole.subarray(0, end))).toThrow(ProtocolError);
    }
  });
});

test('any message that breaks off is refused, where it ends', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), (message, cut) => {
      const whole = writer.encode(message);
      const result = outcome(whole.slice(0, cut % whole.length));
      expect(result).toBeInstanceOf(ProtocolError);
    }),
    { numRuns: 1000 },
  );
});

test('arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (packet) => {
      judge(packet);
    }),
    { numRuns: 5000 },
  );
});

test('arbitrary text of the grammar', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^d(?:[dlie]|\d{1,2}:|1:[aertqvy]|2:id|i\d+e){0,40}$/),
      (text) => {
        judge(bytes(text));
      },
    ),
    { numRuns: 5000 },
  );
});

const byte = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...bytes('dlie0123456789:-')) },
  { weight: 1, arbitrary: fc.nat(255) },
);
/** A change at some place: another byte, one byte less, one byte more. */
const edits = fc.array(fc.tuple(fc.nat(0xffff), byte, fc.constantFrom(0, 1, 2)), {
  minLength: 1,
  maxLength: 4,
});
const damaged = fc.tuple(fc.nat(PACKETS.length - 1), edits).map(([which, changes]) => {
  const result = [...(PACKETS[which] ?? [])];
  for (const [where, value, how] of changes) {
    const at = where % result.length;
    if (how === 0) result.splice(at, 1, value);
    else if (how === 1) result.splice(at, 1);
    else result.splice(at, 0, value);
  }
  return Uint8Array.from(result);
});

test('50,000 damaged packets', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(damaged, (packet) => {
      const result = judge(packet);
      const kind = result instanceof ProtocolError ? result.rule : result.type;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns: 50_000 },
  );
  // The changes reach every part of the decoder: the rarest of these comes about a hundred times.
  for (const kind of ['query', 'response', 'error', 'malformed', 'BEP 3 bencode']) {
    expect(seen.get(kind)).toBeGreaterThan(9);
  }
  for (const part of ['transaction', 'type', 'response']) {
    expect(seen.get(`BEP 5 ${part}`)).toBeGreaterThan(9);
  }
}, 60_000);

describe('the grammar is that of src/bencode', () => {
  const REPEATED = [faultRule('duplicate-key'), faultRule('negative-zero')];

  /** What src/bencode says to a dictionary; repeated keys and -0 are taken here, as libtorrent does. */
  function isDictionary(packet: Uint8Array): boolean | undefined {
    try {
      const options = { maxDepth: 10, maxTokens: 500, fullDecode: false };
      return decode(packet, options).kind === 'dictionary';
    } catch (error) {
      if (error instanceof ProtocolError) return REPEATED.includes(error.rule) ? undefined : false;
      throw error;
    }
  }

  function compare(packet: Uint8Array): void {
    const theirs = isDictionary(packet);
    if (theirs === undefined) return;
    const result = outcome(packet);
    const ours = !(result instanceof ProtocolError && result.rule === 'BEP 3 bencode');
    expect([formatHex(packet), ours]).toEqual([formatHex(packet), theirs]);
  }

  test('for damaged packets', () => {
    fc.assert(fc.property(damaged, compare), { numRuns: 20_000 });
  }, 60_000);

  test('for text of the grammar', () => {
    const part = fc.constantFrom(
      'd',
      'l',
      'i1e',
      'i-0',
      '0:',
      '1:',
      '1:a',
      '2:bc',
      'e',
      'e',
      'e',
      '7',
      ':',
    );
    const text = fc.array(part, { maxLength: 30 }).map((parts) => bytes(`d${parts.join('')}`));
    fc.assert(fc.property(text, compare), { numRuns: 20_000 });
  }, 60_000);
});
