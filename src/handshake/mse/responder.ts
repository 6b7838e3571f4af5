/** The side that is called. @module */

import { concatBytes } from '../../base/bytes.ts';
import { ProtocolError } from '../../base/errors.ts';
import type { Random } from '../../runtime/ports.ts';
import { PROTOCOL } from '../codec.ts';
import { EXPONENT_LENGTH, KEY_LENGTH, KeyPair, parsePublicKey } from './dh.ts';
import {
  type Agreement,
  METHODS,
  type Method,
  padding,
  passPadding,
  readUint16,
  type Steps,
  synchronise,
  uint16,
  VC_LENGTH,
  zeroPadding,
} from './negotiation.ts';
import type { Rc4 } from './rc4.ts';
import { HASH_LENGTH, SharedSecret } from './secrets.ts';

export interface AnswerOptions {
  readonly random: Random;
  /** The torrent of this {@link hiddenName}, 20 bytes, if we have it. */
  readonly find: (hidden: Uint8Array) => Uint8Array | undefined;
  /** What may follow the handshake, best first. */
  readonly methods: readonly Method[];
  /** Whether peers without encryption are let in. */
  readonly plainToo: boolean;
  /** Called before the work of a key exchange is done for a stranger; throws to refuse it. */
  readonly admit: () => void;
  readonly send: (bytes: Uint8Array) => void;
}

/**
 * Answers: tells plain handshakes from keys, gives a key, finds the torrent that is meant and chooses
 * what follows.
 *
 * A stranger costs a power of two for its key, and one more power for the secret only when it has sent
 * what only the secret can judge.
 *
 * @throws {ProtocolError} in a step, as {@link Negotiation.feed}.
 */
export function* answer(options: AnswerOptions): Steps {
  const { random, methods, send } = options;
  const key = yield* readKey(options.plainToo);
  if (key === undefined) return { disguise: 'none', hiddenBytes: 0, replay: PROTOCOL };
  const theirs = parsePublicKey(key);
  options.admit();
  const pair = new KeyPair(random.bytes(EXPONENT_LENGTH));
  send(concatBytes(pair.publicKey, padding(random)));
  const first = (yield { length: HASH_LENGTH, what: 'its request' }).slice();
  const secret = new SharedSecret(pair.sharedSecret(theirs));
  yield* synchronise(secret.mark, first);
  const infoHash = options.find(secret.mask(yield { length: HASH_LENGTH, what: 'its torrent' }));
  if (infoHash === undefined) {
    throw new ProtocolError('the peer asks for a torrent that is not here', { rule: 'MSE SKEY' });
  }
  const incoming = secret.callerCipher(infoHash);
  const outgoing = secret.calledCipher(infoHash);
  const fields = incoming.apply((yield { length: VC_LENGTH + 6, what: 'its offer' }).slice());
  const method = choose(fields, methods);
  yield* passPadding(fields, VC_LENGTH + 4, incoming);
  const size = incoming.apply((yield { length: 2, what: 'its offer' }).slice());
  send(choice(method, zeroPadding(random), outgoing));
  const hidden = readUint16(size, 0);
  return agreement(method, hidden, { infoHash, incoming, outgoing });
}

/**
 * A key, or `undefined` for a peer that begins in plain text. Byte by byte, since a plain peer may wait
 * for our answer before it has sent as much as a key is long.
 */
function* readKey(plainToo: boolean): Steps<Uint8Array | undefined> {
  const key = new Uint8Array(KEY_LENGTH);
  for (let at = 0; at < PROTOCOL.length; at++) {
    key.set(yield at === 0 ? BEGINNING : BEGUN, at);
    if (key[at] === PROTOCOL[at]) continue;
    key.set(yield { length: KEY_LENGTH - at - 1, what: 'its key' }, at + 1);
    return key;
  }
  if (plainToo) return undefined;
  throw new ProtocolError('the peer does not encrypt, and only encrypted connections are wanted', {
    rule: 'encryption required',
  });
}

const BEGINNING = { length: 1, what: 'its first byte' } as const;
const BEGUN = { length: 1, what: 'its handshake' } as const;

/** @throws {ProtocolError} no zeros where they belong, or nothing on offer that we want. */
function choose(fields: Uint8Array, methods: readonly Method[]): Method {
  if (fields.subarray(0, VC_LENGTH).some((byte) => byte !== 0)) {
    throw new ProtocolError('the verification constant is not zero', { rule: 'MSE VC' });
  }
  const offered = fields[VC_LENGTH + 3] ?? 0;
  const method = methods.find((candidate) => (offered & METHODS[candidate]) !== 0);
  if (method !== undefined) return method;
  throw new ProtocolError('the peer offers no kind of encryption that is wanted', {
    rule: 'MSE crypto_provide',
  });
}

/** ENCRYPT(VC, crypto_select, len(padD), padD) */
function choice(method: Method, pad: Uint8Array, outgoing: Rc4): Uint8Array {
  const fields = Uint8Array.of(0, 0, 0, METHODS[method]);
  return outgoing.apply(concatBytes(new Uint8Array(VC_LENGTH), fields, uint16(pad.length), pad));
}

/** The caller's first words are encrypted whatever was chosen. */
function agreement(
  method: Method,
  hidden: number,
  {
    infoHash,
    incoming,
    outgoing,
  }: { readonly infoHash: Uint8Array; readonly incoming: Rc4; readonly outgoing: Rc4 },
): Agreement {
  return method === 'plain'
    ? { disguise: 'header', hiddenBytes: hidden, infoHash, incoming }
    : { disguise: 'rc4', hiddenBytes: Number.POSITIVE_INFINITY, infoHash, incoming, outgoing };
}
