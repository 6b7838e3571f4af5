/** Both sides of the handshake for tests: bip's, and handmade ones that may break its rules. @module */

import { concatBytes, encodeUtf8 } from '../../../src/base/bytes.ts';
import { KeyPair, parsePublicKey } from '../../../src/handshake/mse/dh.ts';
import { type CallOptions, call } from '../../../src/handshake/mse/initiator.ts';
import { Negotiation } from '../../../src/handshake/mse/negotiation.ts';
import { type AnswerOptions, answer } from '../../../src/handshake/mse/responder.ts';
import { hiddenName, SharedSecret } from '../../../src/handshake/mse/secrets.ts';
import type { Random } from '../../../src/runtime/ports.ts';
import { SKEY } from './vectors.ts';

export const FIRST_WORDS: Uint8Array = encodeUtf8('first words');

/** Numbers that follow from the seed; paddings are as long as `padding` says, if it does. */
export function seeded(seed: number, padding?: number): Random {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return {
    uint32: () => padding ?? next(),
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
  };
}

/** One side and what it has sent. */
export interface Side {
  readonly negotiation: Negotiation;
  readonly sent: Uint8Array[];
  hasKey: boolean;
}

export function caller(options: Partial<CallOptions> = {}): Side {
  const sent: Uint8Array[] = [];
  const side: { hasKey: boolean } = { hasKey: false };
  const steps = call({
    random: seeded(1),
    infoHash: SKEY,
    methods: ['plain', 'rc4'],
    firstWords: () => FIRST_WORDS,
    send: (bytes) => sent.push(bytes),
    onKey: () => {
      side.hasKey = true;
    },
    ...options,
  });
  return Object.assign(side, { negotiation: new Negotiation(steps), sent });
}

export function called(options: Partial<AnswerOptions> = {}): Side {
  const sent: Uint8Array[] = [];
  const name = hiddenName(SKEY).join();
  const steps = answer({
    random: seeded(2),
    find: (hidden) => (hidden.join() === name ? SKEY : undefined),
    methods: ['plain', 'rc4'],
    plainToo: true,
    admit: () => undefined,
    send: (bytes) => sent.push(bytes),
    ...options,
  });
  return { negotiation: new Negotiation(steps), sent, hasKey: false };
}

/** What a handmade side sends, each part as it likes. */
export interface Handmade {
  /** Bytes of the padding behind the key. */
  readonly padding?: number;
  /** Bytes of the padding inside of what is encrypted, and what is said of it. */
  readonly innerPadding?: number;
  readonly saidPadding?: number;
  readonly constant?: Uint8Array;
  /** crypto_provide or crypto_select: 4 bytes. */
  readonly bits?: Uint8Array;
  readonly infoHash?: Uint8Array;
  readonly words?: Uint8Array;
}

const pair = new KeyPair(seeded(3).bytes(20));
/** The key of the handmade side. */
export const HANDMADE_KEY: Uint8Array = pair.publicKey;

/** All that a handmade caller sends behind its key, to a side that has sent `theirs`. */
export function handmadeCall(theirs: Uint8Array, handmade: Handmade = {}): Uint8Array {
  const { padding = 0, innerPadding = 0, saidPadding = innerPadding } = handmade;
  const { infoHash = SKEY, words = new Uint8Array(0) } = handmade;
  const secret = new SharedSecret(pair.sharedSecret(parsePublicKey(theirs.subarray(0, 96))));
  const fields = concatBytes(
    handmade.constant ?? new Uint8Array(8),
    handmade.bits ?? Uint8Array.of(0, 0, 0, 3),
    Uint8Array.of(saidPadding >> 8, saidPadding),
    new Uint8Array(innerPadding),
    Uint8Array.of(words.length >> 8, words.length),
    words,
  );
  return concatBytes(
    new Uint8Array(padding).fill(0x20),
    secret.mark,
    secret.mask(hiddenName(infoHash)),
    secret.callerCipher(infoHash).apply(fields),
  );
}

/** All that a handmade called side sends behind its key, to a side that has sent `theirs`. */
export function handmadeAnswer(theirs: Uint8Array, handmade: Handmade = {}): Uint8Array {
  const { padding = 0, innerPadding = 0, saidPadding = innerPadding } = handmade;
  const secret = new SharedSecret(pair.sharedSecret(parsePublicKey(theirs.subarray(0, 96))));
  const fields = concatBytes(
    handmade.constant ?? new Uint8Array(8),
    handmade.bits ?? Uint8Array.of(0, 0, 0, 2),
    Uint8Array.of(saidPadding >> 8, saidPadding),
    new Uint8Array(innerPadding),
  );
  return concatBytes(new Uint8Array(padding).fill(0x20), secret.calledCipher(SKEY).apply(fields));
}

/** What a side has sent, and what it sends from now on. */
export function takeSent({ sent }: Side): Uint8Array {
  return concatBytes(...sent.splice(0));
}
