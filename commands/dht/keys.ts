/**
 * Secret keys in files: made, and read in the forms that others write. Nothing here says what is in
 * them.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8, equalBytes, formatHex, parseHex } from '../../src/base/bytes.ts';
import { StorageError, UsageError } from '../../src/base/errors.ts';
import { parseBase64 } from '../../src/bencode/index.ts';
import { publicKeyOf } from '../../src/dht/index.ts';
import type { Context } from '../cli/context.ts';
import { inputName, readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';

/** A key that may sign. */
export interface SigningKey {
  readonly secretKey: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Reads the key in the file at `path` (`-`: standard input): 32 or 64 bytes, as they are (libtorrent's
 * `dht_put`) or in hex, or a PKCS #8 file in PEM (OpenSSL).
 *
 * @throws {UsageError} when it is none; {StorageError} when it cannot be read.
 */
export async function readKey(context: Context, path: string): Promise<SigningKey> {
  const bytes = await readInput(context, path, { maxBytes: MAX_KEY_FILE });
  const secretKey = fromText(decodeUtf8(bytes)?.trim() ?? '') ?? bytes;
  try {
    return { secretKey, publicKey: publicKeyOf(secretKey) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `--key: there is no Ed25519 key in ${printable(inputName(path))}: it is to hold 32 or 64 bytes, as they are or in hex, or a PKCS #8 key in PEM`,
    );
  }
}

/**
 * Makes a key and writes it to a new file at `path`, in hex, for its owner alone.
 *
 * @throws {StorageError} `BIP_EXISTS` when there is something at `path`.
 */
export async function makeKey({ runtime }: Context, path: string): Promise<SigningKey> {
  const secretKey = runtime.random.bytes(SEED_BYTES);
  try {
    await runtime.files.writeSecret(path, encodeUtf8(`${formatHex(secretKey)}\n`));
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'BIP_EXISTS') throw error;
    throw new StorageError(
      `--new-key: ${printable(path)} exists already, and keys are never written over; --key uses it`,
      { code: 'BIP_EXISTS', cause: error },
    );
  }
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}

function fromText(text: string): Uint8Array | undefined {
  if (text.startsWith(PEM_BEGIN)) return fromPem(text);
  return text.length === 2 * SEED_BYTES || text.length === 4 * SEED_BYTES
    ? parseHex(text)
    : undefined;
}

/** The seed in a key of PKCS #8 (RFC 8410 §7): behind an envelope that is the same for all. */
function fromPem(text: string): Uint8Array | undefined {
  const der = parseBase64(text.replaceAll(/-----[A-Z ]+-----|\s/g, '')) ?? new Uint8Array(0);
  const seedAt = ENVELOPE_AT + ENVELOPE.length;
  if (!equalBytes(der.subarray(ENVELOPE_AT, seedAt), ENVELOPE)) return undefined;
  const seed = der.slice(seedAt, seedAt + SEED_BYTES);
  return seed.length === SEED_BYTES ? seed : undefined;
}

/** The algorithm, 1.3.101.112, and the beginnings of two strings of bytes, one in the other. */
const ENVELOPE = Uint8Array.of(0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
/** Behind the beginning of the whole and its version. */
const ENVELOPE_AT = 5;
const PEM_BEGIN = '-----BEGIN PRIVATE KEY-----';
const SEED_BYTES = 32;
const MAX_KEY_FILE = 4096;
