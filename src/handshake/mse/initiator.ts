/** The side that calls. @module */

import { concatBytes, equalBytes } from '../../base/bytes.ts';
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
  type Steps,
  synchronise,
  uint16,
  VC_LENGTH,
  zeroPadding,
} from './negotiation.ts';
import type { Rc4 } from './rc4.ts';
import { hiddenName, SharedSecret } from './secrets.ts';

export interface CallOptions {
  readonly random: Random;
  /** 20 bytes: the torrent that we call for, which the other side has to know. */
  readonly infoHash: Uint8Array;
  /** What may follow the handshake. */
  readonly methods: readonly Method[];
  /** What we want to say first: it goes along with the handshake (IA). Asked once; at most 65,535 bytes. */
  readonly firstWords: () => Uint8Array;
  readonly send: (bytes: Uint8Array) => void;
  /** The other side's key is there: it speaks the protocol. */
  readonly onKey: () => void;
}

/**
 * Calls: sends a key, names the torrent under the shared secret, and finds out what the other side chose.
 *
 * @throws {ProtocolError} in a step, as {@link Negotiation.feed}.
 */
export function* call(options: CallOptions): Steps {
  const { random, infoHash, methods, send } = options;
  const pair = new KeyPair(random.bytes(EXPONENT_LENGTH));
  send(concatBytes(pair.publicKey, padding(random)));
  const secret = new SharedSecret(pair.sharedSecret(parsePublicKey(yield* readKey())));
  options.onKey();
  const outgoing = secret.callerCipher(infoHash);
  const incoming = secret.calledCipher(infoHash);
  send(concatBytes(secret.mark, secret.mask(hiddenName(infoHash)), offer(options, outgoing)));
  const mark = incoming.apply(new Uint8Array(VC_LENGTH));
  yield* synchronise(mark, (yield { length: VC_LENGTH, what: 'its answer' }).slice());
  const fields = incoming.apply((yield { length: 6, what: 'its choice' }).slice());
  const method = chosen(fields, methods);
  yield* passPadding(fields, 4, incoming);
  return agreement(method, { incoming, outgoing });
}

/** The key, or a peer that answers in plain text at once. */
function* readKey(): Steps<Uint8Array> {
  const key = new Uint8Array(KEY_LENGTH);
  const what = 'its key';
  key.set(yield { length: PROTOCOL.length, what });
  if (equalBytes(key.subarray(0, PROTOCOL.length), PROTOCOL)) {
    throw new ProtocolError('the peer answers in plain text', { rule: 'MSE public key' });
  }
  key.set(yield { length: KEY_LENGTH - PROTOCOL.length, what }, PROTOCOL.length);
  return key;
}

/** ENCRYPT(VC, crypto_provide, len(PadC), PadC, len(IA)), ENCRYPT(IA) */
function offer({ random, methods, firstWords }: CallOptions, outgoing: Rc4): Uint8Array {
  const provided = methods.reduce((bits, method) => bits | METHODS[method], 0);
  const pad = zeroPadding(random);
  const words = firstWords();
  return outgoing.apply(
    concatBytes(
      new Uint8Array(VC_LENGTH),
      Uint8Array.of(0, 0, 0, provided),
      uint16(pad.length),
      pad,
      uint16(words.length),
      words,
    ),
  );
}

/** @throws {ProtocolError} when it is none of those offered, or not a single one. */
function chosen(fields: Uint8Array, methods: readonly Method[]): Method {
  const [a = 0, b = 0, c = 0, bits = 0] = fields;
  const method = methods.find((candidate) => METHODS[candidate] === bits);
  if (method !== undefined && (a | b | c) === 0) return method;
  throw new ProtocolError('the peer chose a kind of encryption that was not offered', {
    rule: 'MSE crypto_select',
  });
}

function agreement(
  method: Method,
  { incoming, outgoing }: { readonly incoming: Rc4; readonly outgoing: Rc4 },
): Agreement {
  return method === 'plain'
    ? { disguise: 'header', hiddenBytes: 0 }
    : { disguise: 'rc4', hiddenBytes: Number.POSITIVE_INFINITY, incoming, outgoing };
}
