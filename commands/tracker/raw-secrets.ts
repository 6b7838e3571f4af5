/** Bytes of exchanges without the secrets that tracker URLs put into them. @module */

import type { ExchangeFacts, RawExchange } from '../../src/tracker/index.ts';
import { type Secret, secretsIn } from '../cli/secrets.ts';

/** The same bytes, and as many of them, with `*` for each byte of a secret. */
export function maskRaw(
  raw: RawExchange,
  { tracker, facts }: { readonly tracker: string; readonly facts: ExchangeFacts },
): RawExchange {
  const targets = facts.transport.startsWith('http') ? raw.sent.map(textOf) : [];
  const secrets = [
    ...[tracker, ...facts.redirects].flatMap(secretsIn),
    // Redirects may bring secrets of their own.
    ...targets.flatMap((target) => secretsIn(`http://host${target}`).filter(isForeign)),
  ];
  const mask = (bytes: Uint8Array): Uint8Array => withoutSecrets(bytes, secrets);
  return { sent: raw.sent.map(mask), received: raw.received.map(mask) };
}

/** No parameter of an announce, which bip made up for this one. */
function isForeign({ before }: Secret): boolean {
  return !OURS.has(before);
}

function withoutSecrets(bytes: Uint8Array, secrets: readonly Secret[]): Uint8Array {
  let text = textOf(bytes);
  for (const { before, secret } of secrets) {
    text = text.replaceAll(`${before}${secret}`, `${before}${'*'.repeat(secret.length)}`);
  }
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One character for each byte. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const OURS: ReadonlySet<string> = new Set(['key=', 'peer_id=', 'info_hash=', 'trackerid=']);
