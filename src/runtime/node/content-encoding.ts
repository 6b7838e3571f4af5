/** Unpacks bodies of HTTP, to a limit. @module */

import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { NetworkError } from '../../base/errors.ts';
import { systemCode } from './system-error.ts';

const unpackers = {
  gzip: promisify(gunzip),
  zlib: promisify(inflate),
  raw: promisify(inflateRaw),
};

/**
 * The plain body; at most `maxBytes` are ever unpacked, so that a bomb costs no more than that.
 *
 * @throws {NetworkError} of code `BIP_HTTP` for broken data or an encoding nobody asked for.
 */
export async function unpackBody(
  body: Uint8Array,
  encoding: string,
  maxBytes: number,
): Promise<Uint8Array | 'too large'> {
  const format = formatOf(body, encoding.trim().toLowerCase());
  if (format === 'identity' || body.length === 0) return body;
  try {
    return await unpackers[format](body, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') return 'too large';
    throw new NetworkError(`the answer is broken: it is no valid ${encoding}`, {
      code: 'BIP_HTTP',
      cause: error,
    });
  }
}

function formatOf(body: Uint8Array, encoding: string): 'identity' | keyof typeof unpackers {
  switch (encoding) {
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      // RFC 9110 §8.4.1.2: it means zlib, but some servers send the bare stream.
      return ((body[0] ?? 0) & 0x0f) === 8 ? 'zlib' : 'raw';
    default:
      throw new NetworkError(`the answer is packed by ${encoding}, which was not asked for`, {
        code: 'BIP_HTTP',
      });
  }
}
