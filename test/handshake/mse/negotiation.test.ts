import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8, formatHex } from '../../../src/base/bytes.ts';
import { NetworkError, ProtocolError } from '../../../src/base/errors.ts';
import { decodeHandshake } from '../../../src/handshake/index.ts';
import { KeyPair, parsePublicKey } from '../../../src/handshake/mse/dh.ts';
import type { Method, Negotiation } from '../../../src/handshake/mse/negotiation.ts';
import { hiddenName, SharedSecret } from '../../../src/handshake/mse/secrets.ts';
import {
  called,
  caller,
  FIRST_WORDS,
  HANDMADE_KEY,
  handmadeAnswer,
  handmadeCall,
  type Side,
  seeded,
  takeSent,
} from './sides.ts';
import { ANSWER, CALL, EXPONENT, hex, PUBLIC_KEY, SKEY } from './vectors.ts';

const PROTOCOL = encodeUtf8('\x13BitTorrent protocol');

/** The recorded side: its exponent is known, its paddings are empty. */
const recorded = { uint32: () => 0, bytes: (length: number) => EXPONENT.subarray(0, length) };

describe('recorded handshakes', () => {
  test('what both sides derive', () => {
    const pair = new KeyPair(EXPONENT);
    const secret = new SharedSecret(pair.sharedSecret(parsePublicKey(PUBLIC_KEY)));
    expect(secret.mark).toEqual(CALL.mark);
    expect(hiddenName(SKEY)).toEqual(CALL.hiddenName);
    const other = new SharedSecret(pair.sharedSecret(parsePublicKey(ANSWER.publicKey)));
    expect(other.mark).toEqual(ANSWER.mark);
    expect(other.mask(CALL.hiddenName)).toEqual(ANSWER.request);
    expect(other.mask(ANSWER.request)).toEqual(CALL.hiddenName);
    expect(other.calledCipher(SKEY).apply(new Uint8Array(8))).toEqual(ANSWER.hiddenZeros);
  });

  test('we are called', () => {
    const { negotiation, sent } = called({ random: recorded });
    const input = concatBytes(PUBLIC_KEY, CALL.rest);
    const taken = negotiation.feed(input);
    expect(sent[0]).toEqual(PUBLIC_KEY);
    const { agreement } = negotiation;
    expect(agreement).toMatchObject({ disguise: 'rc4', infoHash: SKEY });
    const words = agreement?.incoming?.apply(input.slice(taken)) ?? new Uint8Array(0);
    const handshake = decodeHandshake(words);
    expect(handshake.infoHash).toEqual(SKEY);
    expect(handshake.peerId.bytes).toEqual(encodeUtf8(CALL.peerId));
  });

  test('we call', () => {
    const { negotiation, sent } = caller({ random: recorded });
    expect(sent).toEqual([PUBLIC_KEY]);
    const input = concatBytes(ANSWER.publicKey, ANSWER.rest);
    const taken = negotiation.feed(input);
    expect(sent[1]?.subarray(0, 40)).toEqual(concatBytes(ANSWER.mark, ANSWER.request));
    expect(negotiation.agreement?.disguise).toBe('rc4');
    const words = negotiation.agreement?.incoming?.apply(input.slice(taken)) ?? PROTOCOL;
    expect(decodeHandshake(words.subarray(0, 68)).peerId.bytes).toEqual(encodeUtf8(ANSWER.peerId));
  });
});

describe('two sides', () => {
  const methods = fc.constantFrom<readonly Method[]>(
    ['plain'],
    ['rc4'],
    ['plain', 'rc4'],
    ['rc4', 'plain'],
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });

  const seeds = fc.tuple(fc.nat(), fc.nat());

  test('agree whatever their paddings, however their bytes are cut', () => {
    fc.assert(
      fc.property(fc.tuple(methods, methods), cuts, seeds, ([offered, wanted], sizes, [a, b]) => {
        const expected = wanted.find((method) => offered.includes(method));
        fc.pre(expected !== undefined);
        const left = caller({ methods: offered, random: seeded(a) });
        const right = called({ methods: wanted, random: seeded(b) });
        const request = takeSent(left);
        expect(feedCut(right.negotiation, request, sizes)).toBe(request.length);
        const key = takeSent(right);
        expect(feedCut(left.negotiation, key, sizes)).toBe(key.length);
        const offer = takeSent(left);
        const taken = feedCut(right.negotiation, concatBytes(offer, Uint8Array.of(1, 2)), sizes);
        const words = offer.slice(taken);
        expect(right.negotiation.agreement?.incoming?.apply(words)).toEqual(FIRST_WORDS);
        const choice = takeSent(right);
        // What stands behind the handshake is not touched.
        expect(feedCut(left.negotiation, concatBytes(choice, new Uint8Array(9)), sizes)).toBe(
          choice.length,
        );
        const disguise = expected === 'rc4' ? 'rc4' : 'header';
        expect(left.negotiation.agreement?.disguise).toBe(disguise);
        expect(right.negotiation.agreement?.disguise).toBe(disguise);
        expect(left.hasKey).toBe(true);
        expectSameStreams(left, right);
      }),
      { numRuns: 60 },
    );
  });

  test('every prefix of what comes is waited with, and only the whole is an agreement', () => {
    const { caller: fromCaller, called: fromCalled } = conversation();
    for (const [side, input] of [
      [called, fromCaller],
      [caller, fromCalled],
    ] as const) {
      const fresh = side().negotiation;
      for (let at = 0; at < input.length - 1; at++) {
        expect(fresh.feed(input.subarray(at, at + 1))).toBe(1);
        expect(fresh.agreement).toBeUndefined();
        expect(fresh.waitingFor).not.toBe('nothing');
      }
      fresh.feed(input.subarray(input.length - 1));
      expect(fresh.agreement).toBeDefined();
      expect(fresh.feed(Uint8Array.of(1, 2, 3))).toBe(0);
      for (let end = 0; end < input.length; end += 7) {
        const { negotiation } = side();
        expect(negotiation.feed(input.subarray(0, end))).toBe(end);
        expect(negotiation.agreement).toBeUndefined();
      }
    }
  });

  test('keys and paddings are never the same twice', () => {
    const random = seeded(9);
    const [first, second] = [takeSent(caller({ random })), takeSent(caller({ random }))];
    expect(formatHex(first.subarray(0, 96))).not.toBe(formatHex(second.subarray(0, 96)));
    expect(first.length).not.toBe(second.length);
  });
});

describe('arbitrary bytes', () => {
  test('the side that is called takes 628 of them at most', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 700 }), cutsOf(), (bytes, sizes) => {
        const side = called();
        const outcome = attempt(() => feedCut(side.negotiation, bytes, sizes));
        if (outcome.error !== undefined) expect(outcome.error).toBeInstanceOf(ProtocolError);
        else expect(bytes.length).toBeLessThan(628);
        expect(side.sent.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  test('the side that calls takes 616 of them at most', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 700 }), cutsOf(), (bytes, sizes) => {
        const side = caller();
        const outcome = attempt(() => feedCut(side.negotiation, bytes, sizes));
        if (outcome.error !== undefined) expect(outcome.error).toBeInstanceOf(ProtocolError);
        else expect(bytes.length).toBeLessThan(616);
      }),
      { numRuns: 50 },
    );
  });

  test('one byte spoilt anywhere is a broken rule or a wait, and no failure of ours', () => {
    const { caller: fromCaller, called: fromCalled } = conversation();
    for (const [side, input] of [
      [called, fromCaller],
      [caller, fromCalled],
    ] as const) {
      for (let at = 0; at < input.length; at += 5) {
        const spoilt = input.slice();
        spoilt[at] = (spoilt[at] ?? 0) ^ 0x10;
        const { error } = attempt(() => side().negotiation.feed(spoilt));
        expect(error === undefined || error instanceof ProtocolError).toBe(true);
      }
    }
  });
});

describe('limits of the side that is called', () => {
  const answering = (handmade: Parameters<typeof handmadeCall>[1], options = {}): Side => {
    const side = called(options);
    side.negotiation.feed(HANDMADE_KEY);
    side.negotiation.feed(handmadeCall(takeSent(side), handmade));
    return side;
  };
  const refusal = (handmade: Parameters<typeof handmadeCall>[1], options = {}): unknown =>
    attempt(() => answering(handmade, options)).error;

  test.each([0, 1, 511, 512])('%i bytes of padding before the mark', (padding) => {
    expect(answering({ padding }).negotiation.agreement?.infoHash).toEqual(SKEY);
  });
  test('513 bytes of padding are too many', () => {
    expect(refusal({ padding: 513 })).toMatchObject({ rule: 'MSE padding length' });
  });
  test('512 bytes of padding behind the offer', () => {
    expect(answering({ innerPadding: 512 }).negotiation.agreement?.infoHash).toEqual(SKEY);
  });
  test.each([513, 65_535])('%i bytes of padding behind the offer are refused unseen', (said) => {
    expect(refusal({ saidPadding: said })).toMatchObject({ rule: 'MSE padding length' });
  });
  test('first words may be as long as can be said, and none of them is kept', () => {
    const words = new Uint8Array(65_535);
    const { negotiation } = answering({ words, bits: Uint8Array.of(0, 0, 0, 1) });
    expect(negotiation.agreement).toMatchObject({ disguise: 'header', hiddenBytes: 65_535 });
  });
  test('a constant that is none', () => {
    const constant = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
    expect(refusal({ constant })).toMatchObject({ rule: 'MSE VC' });
  });
  test('a torrent that is not here', () => {
    const infoHash = new Uint8Array(20).fill(9);
    expect(refusal({ infoHash })).toMatchObject({ rule: 'MSE SKEY' });
  });
  test.each([
    ['nothing', [0, 0, 0, 0], ['plain', 'rc4']],
    ['plain where RC4 is wanted', [0, 0, 0, 1], ['rc4']],
    ['what nobody knows', [0, 0, 1, 4], ['plain', 'rc4']],
  ])('%s on offer', (_name, bits, methods) => {
    expect(refusal({ bits: Uint8Array.from(bits) }, { methods })).toMatchObject({
      rule: 'MSE crypto_provide',
    });
  });
  test('further kinds on offer are passed over', () => {
    const { negotiation } = answering({ bits: Uint8Array.of(0x80, 0, 1, 0xff) });
    expect(negotiation.agreement?.disguise).toBe('header');
  });
  test('a degenerate key costs nothing and gets no answer', () => {
    const side = called({ admit: () => expect.unreachable() });
    expect(attempt(() => side.negotiation.feed(new Uint8Array(96))).error).toBeInstanceOf(
      ProtocolError,
    );
    expect(side.sent).toEqual([]);
  });
  test('who is not admitted gets no answer', () => {
    const side = called({
      admit: () => {
        throw new NetworkError('no more');
      },
    });
    expect(attempt(() => side.negotiation.feed(HANDMADE_KEY)).error).toBeInstanceOf(NetworkError);
    expect(side.sent).toEqual([]);
  });
});

describe('limits of the side that calls', () => {
  const calling = (handmade: Parameters<typeof handmadeAnswer>[1], options = {}): Side => {
    const side = caller(options);
    const key = takeSent(side);
    side.negotiation.feed(HANDMADE_KEY);
    side.negotiation.feed(handmadeAnswer(key, handmade));
    return side;
  };
  const refusal = (handmade: Parameters<typeof handmadeAnswer>[1], options = {}): unknown =>
    attempt(() => calling(handmade, options)).error;

  test.each([0, 1, 511, 512])('%i bytes of padding before the constant', (padding) => {
    expect(calling({ padding }).negotiation.agreement?.disguise).toBe('rc4');
  });
  test('513 bytes of padding are too many', () => {
    expect(refusal({ padding: 513 })).toMatchObject({ rule: 'MSE padding length' });
  });
  test('512 bytes of padding behind the choice', () => {
    expect(calling({ innerPadding: 512 }).negotiation.agreement?.disguise).toBe('rc4');
  });
  test('513 bytes of padding behind the choice are refused unseen', () => {
    expect(refusal({ saidPadding: 513 })).toMatchObject({ rule: 'MSE padding length' });
  });
  test.each([
    ['nothing', [0, 0, 0, 0]],
    ['both', [0, 0, 0, 3]],
    ['another', [0, 0, 0, 4]],
    ['RC4 and something in front', [1, 0, 0, 2]],
  ])('%s is no choice', (_name, bits) => {
    expect(refusal({ bits: Uint8Array.from(bits) })).toMatchObject({ rule: 'MSE crypto_select' });
  });
  test('plain is no choice where RC4 alone was offered', () => {
    expect(refusal({ bits: Uint8Array.of(0, 0, 0, 1) }, { methods: ['rc4'] })).toMatchObject({
      rule: 'MSE crypto_select',
    });
  });
  test('an answer in plain text is known by its first bytes', () => {
    const side = caller();
    expect(() => side.negotiation.feed(PROTOCOL)).toThrow('answers in plain text');
    expect(side.hasKey).toBe(false);
  });
  test('a degenerate key is no key', () => {
    const side = caller();
    expect(() => side.negotiation.feed(new Uint8Array(96).fill(255))).toThrow(ProtocolError);
    expect(side.hasKey).toBe(false);
  });
});

describe('peers that begin in plain text', () => {
  test('are let in with their first bytes', () => {
    const { negotiation, sent } = called();
    expect(negotiation.feed(concatBytes(PROTOCOL, Uint8Array.of(5)))).toBe(20);
    expect(negotiation.agreement).toEqual({ disguise: 'none', hiddenBytes: 0, replay: PROTOCOL });
    expect(sent).toEqual([]);
  });
  test('are refused where encryption is required', () => {
    const { negotiation } = called({ plainToo: false });
    expect(() => negotiation.feed(PROTOCOL)).toThrow('only encrypted connections are wanted');
  });
  test('a key may begin like a handshake, up to its last letter', () => {
    for (let same = 0; same < PROTOCOL.length; same++) {
      const key = concatBytes(PROTOCOL.subarray(0, same), new Uint8Array(96 - same).fill(0x77));
      const { negotiation, sent } = called();
      expect(negotiation.feed(key)).toBe(96);
      expect(sent.length).toBe(1);
    }
  });
});

/** Feeds pieces of the sizes, over and over; how much was taken. */
function feedCut(negotiation: Negotiation, bytes: Uint8Array, sizes: readonly number[]): number {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const piece = bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    const taken = negotiation.feed(piece);
    at += taken;
    if (taken < piece.length) break;
  }
  return at;
}

function cutsOf(): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });
}

/** All bytes of both sides up to the agreement, of sides made without options. */
function conversation(): { readonly caller: Uint8Array; readonly called: Uint8Array } {
  const [left, right] = [caller({ firstWords: () => new Uint8Array(0) }), called()];
  const request = takeSent(left);
  right.negotiation.feed(request);
  const key = takeSent(right);
  left.negotiation.feed(key);
  const offer = takeSent(left);
  right.negotiation.feed(offer);
  return { caller: concatBytes(request, offer), called: concatBytes(key, takeSent(right)) };
}

function attempt(work: () => unknown): { readonly error?: unknown } {
  try {
    work();
    return {};
  } catch (error) {
    return { error };
  }
}

/** What one side encrypts the other one reads, both ways. */
function expectSameStreams(left: Side, right: Side): void {
  const [a, b] = [left.negotiation.agreement, right.negotiation.agreement];
  const text = hex('00112233445566778899');
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const sent = from?.outgoing?.apply(text.slice()) ?? text.slice();
    if (from?.outgoing !== undefined) expect(to?.incoming?.apply(sent)).toEqual(text);
    else expect(to?.outgoing).toBeUndefined();
  }
}
