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

/** A secret of a URL. */
export interface Secret {
  /** The name of its parameter with `=`; empty where it stands by itself. */
  readonly before: string;
  readonly secret: string;
}

/** `url` with its secrets replaced by `***`. Text that is no URL comes back as it is. */
export function maskSecrets(url: string): string {
  return replaceSecrets(url, () => MASK);
}

/** What {@link maskSecrets} takes out. */
export function secretsIn(url: string): readonly Secret[] {
  const found: Secret[] = [];
  replaceSecrets(url, (secret) => {
    found.push(secret);
    return MASK;
  });
  return found;
}

type Replace = (secret: Secret) => string;

function replaceSecrets(url: string, replace: Replace): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is.exec(
    url,
  );
  if (match === null) return url;
  const [, scheme = '', user, host = '', path = '', query = '', fragment = ''] = match;
  const shownUser = user === undefined ? '' : `${replace({ before: '', secret: user })}@`;
  const rest = [
    replaceInPath(path, replace),
    replaceInQuery(query, replace),
    replaceInFragment(fragment, replace),
  ];
  return scheme + shownUser + host + rest.join('');
}

function replaceInPath(path: string, replace: Replace): string {
  return path
    .split('/')
    .map((part) => (KEY_LIKE.test(part) ? replace({ before: '', secret: part }) : part))
    .join('/');
}

function replaceInFragment(fragment: string, replace: Replace): string {
  const secret = fragment.slice(1);
  return KEY_LIKE.test(secret) ? `#${replace({ before: '', secret })}` : fragment;
}

function replaceInQuery(query: string, replace: Replace): string {
  return query.replace(
    /([?&;])([^=&;]*)=([^&;]*)/g,
    (whole, sign: string, name: string, secret: string) => {
      const isSecret = secret !== '' && (SECRET_NAMES.test(name) || KEY_LIKE.test(secret));
      return isSecret ? `${sign}${name}=${replace({ before: `${name}=`, secret })}` : whole;
    },
  );
}
