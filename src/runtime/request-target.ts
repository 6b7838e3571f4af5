/** What requests over HTTP name. @module */

/**
 * Path and query of a request target. Of one in absolute form, which servers have to take too
 * (RFC 9112 §3.2.2), it is what follows the authority; anything else stays as it is.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const [before] = /^https?:\/\/[^/?#]*/i.exec(target) ?? [];
  if (before === undefined) return target;
  const rest = target.slice(before.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
