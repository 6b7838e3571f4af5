/** Passkeys: what private trackers know their members by, as part of the announce URL. @module */

/** 16 to 128 letters, digits, `-` and `_`. */
export function isPasskey(text: string): boolean {
  return /^[\w-]{16,128}$/.test(text);
}

/**
 * The passkey in path and query of an announce URL: `/PASSKEY/announce` or `?passkey=PASSKEY`;
 * `undefined` when there is none. Whether it is known is another question.
 */
export function passkeyOf(target: string): string | undefined {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const first = path.split('/', 2)[1] ?? '';
  // Its first part is a passkey only when something follows: `/announce-of-my-tracker` is none.
  if (path.length > first.length + 1 && isPasskey(first)) return first;
  const query = question < 0 ? '' : target.slice(question + 1);
  const asked = query.split('&').find((pair) => pair.startsWith(PARAMETER));
  const passkey = asked?.slice(PARAMETER.length) ?? '';
  return isPasskey(passkey) ? passkey : undefined;
}

const PARAMETER = 'passkey=';
