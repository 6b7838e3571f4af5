/**
 * Secrets in URLs are not shown unless asked for (`--reveal`): whoever has the passkey of a tracker
 * can act as its owner.
 *
 * Masked is what stands where secrets stand: a user and password before `@`; values of parameters
 * named like keys (`passkey=`, `token=`, …); and any part of the path, value or fragment of 16 characters and
 * more that reads like no word: letters and digits mixed, or hex.
 *
 * @module
 */

const MASK = '***';

const SECRET_NAMES =
  /^(?:.*(?:pass|key|token|secret|auth|signature|credential).*|sig|pid|pk|user|uid|userid|username)$/i;

/** Values like this are keys wherever they stand. */
const KEY_LIKE = /^(?:(?=.*\d)(?=.*[a-z])[\w-]{16,}|[0-9a-f]{16,})$/i;

/** `url` with its secrets replaced by `***`. Text that is no URL comes back as it is. */
export function maskSecrets(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is.exec(
    url,
  );
  if (match === null) return url;
  const [, scheme = '', user, host = '', path = '', query = '', fragment = ''] = match;
  const shownUser = user === undefined ? '' : `${MASK}@`;
  return scheme + shownUser + host + maskPath(path) + maskQuery(query) + maskFragment(fragment);
}

function maskPath(path: string): string {
  return path
    .split('/')
    .map((part) => (KEY_LIKE.test(part) ? MASK : part))
    .join('/');
}

function maskFragment(fragment: string): string {
  return KEY_LIKE.test(fragment.slice(1)) ? `#${MASK}` : fragment;
}

function maskQuery(query: string): string {
  return query.replace(
    /([?&;])([^=&;]*)=([^&;]*)/g,
    (whole, before: string, name: string, value: string) =>
      value !== '' && (SECRET_NAMES.test(name) || KEY_LIKE.test(value))
        ? `${before}${name}=${MASK}`
        : whole,
  );
}
