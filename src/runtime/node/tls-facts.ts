/** What Node knows of a secured connection. @module */

import { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../ports.ts';

/** `undefined` for a connection that is not secured. */
export function tlsFacts(socket: unknown): TlsFacts | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { issuer, valid_to: end } = socket.getPeerCertificate();
  const name = first(issuer?.CN) ?? first(issuer?.O);
  const validUntil = Date.parse(end ?? '');
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(name === undefined ? {} : { issuer: name }),
    ...(Number.isNaN(validUntil) ? {} : { validUntil }),
  };
}

/** A name may stand in a certificate several times. */
function first(name: string | readonly string[] | undefined): string | undefined {
  return typeof name === 'string' ? name : name?.[0];
}
