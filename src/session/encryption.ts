/** Which connections of a session are encrypted, and how: between a fresh stream and its introduction. @module */

import { equalBytes, formatHex } from '../base/bytes.ts';
import { NetworkError } from '../base/errors.ts';
import {
  CipherBuffers,
  hiddenName,
  type Method,
  type MseContext,
  MseStream,
} from '../handshake/index.ts';
import type { ByteStream, Millis, Runtime } from '../runtime/ports.ts';

/**
 * `off`: plain connections only. `require`: RC4 only, both ways. `prefer`: peers of all kinds are let in;
 * who is called is called with an encrypted handshake first, and if it does not answer to that, on a new
 * connection without. That is the order of libtorrent, Transmission and aria2. What follows an encrypted
 * handshake is RC4 only where the other side insists, as with libtorrent: RC4 costs nearly as much CPU
 * as all the rest of a download (test/bench/download.ts), and hides little from who measures sizes and times.
 */
export type EncryptionMode = 'off' | 'prefer' | 'require';

/** How to begin a call: with the handshake of BEP 3, or with that of MSE before it. */
export type Opening = 'plain' | 'encrypted';

/**
 * Key exchanges a second for strangers who call, each about half a millisecond of work, in the long run
 * and at once after a rest.
 */
const MAX_KEYS_PER_SECOND = 100;
const MAX_KEYS_AT_ONCE = 100;

export class Encryption {
  readonly mode: EncryptionMode;
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  readonly #onBug: (error: unknown) => void;
  readonly #buffers = new CipherBuffers();
  /** Infohashes by the hex of their hidden names. */
  readonly #torrents = new Map<string, Uint8Array>();
  /** When all key exchanges so far would have been done at the rate allowed. */
  #keysUntil: Millis = 0;

  constructor(
    runtime: Pick<Runtime, 'clock' | 'random'>,
    mode: EncryptionMode,
    onBug: (error: unknown) => void,
  ) {
    this.#runtime = runtime;
    this.mode = mode;
    this.#onBug = onBug;
  }

  /** Who calls for this torrent (20 bytes) under its hidden name is understood. */
  addTorrent(infoHash: Uint8Array): void {
    this.#torrents.set(formatHex(hiddenName(infoHash)), infoHash);
  }

  /** How to call a peer, in the order to be tried; `worked` is what led to it before. */
  openings(worked: Opening | undefined): readonly [Opening, Opening?] {
    if (this.mode === 'off') return ['plain'];
    if (this.mode === 'require') return ['encrypted'];
    return worked === 'plain' ? ['plain', 'encrypted'] : ['encrypted', 'plain'];
  }

  /** A stream to a peer that we call for the torrent (20 bytes). */
  call(stream: ByteStream, opening: Opening, infoHash: Uint8Array): ByteStream {
    if (opening === 'plain') return stream;
    return MseStream.call(stream, this.#context, { infoHash, methods: this.#methods });
  }

  /** A stream to a peer that has called us. */
  answer(stream: ByteStream): ByteStream {
    if (this.mode === 'off') return stream;
    return MseStream.answer(stream, this.#context, {
      find: (hidden) => this.#torrents.get(formatHex(hidden)),
      methods: this.#methods,
      plainToo: this.mode === 'prefer',
      admit: () => this.#admit(),
    });
  }

  get #methods(): readonly Method[] {
    return this.mode === 'require' ? ['rc4'] : ['plain', 'rc4'];
  }

  get #context(): MseContext {
    const { clock, random } = this.#runtime;
    return { clock, random, buffers: this.#buffers, onBug: this.#onBug };
  }

  /** @throws {NetworkError} when strangers have cost enough for now. */
  #admit(): void {
    const now = this.#runtime.clock.now();
    const each = 1000 / MAX_KEYS_PER_SECOND;
    const from = Math.max(now, this.#keysUntil);
    if (from - now > each * (MAX_KEYS_AT_ONCE - 1)) {
      throw new NetworkError('too many peers want to exchange keys at once');
    }
    this.#keysUntil = from + each;
  }
}

/** What notes say behind the name of a peer: how the connection is hidden, nothing when it is not. */
export function encryptionNote(stream: ByteStream): string {
  const disguise = stream instanceof MseStream ? stream.agreement?.disguise : undefined;
  if (disguise === undefined || disguise === 'none') return '';
  return disguise === 'rc4' ? ', encrypted with RC4' : ', with an encrypted handshake';
}

/** Is the torrent (20 bytes) the one that the peer named under encryption, if it did? */
export function isTorrentOf(stream: ByteStream, infoHash: Uint8Array): boolean {
  const named = stream instanceof MseStream ? stream.agreement?.infoHash : undefined;
  return named === undefined || equalBytes(named, infoHash);
}

/** Whether a call that failed may do better with the other opening: the peer did not know this one. */
export function mayReopen(stream: ByteStream, error: Error): boolean {
  if (stream instanceof MseStream) return !stream.hasKey;
  return error instanceof NetworkError;
}
