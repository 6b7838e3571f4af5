/** Headers as bip wants them. @module */

import type { IncomingMessage } from 'node:http';

/** Names in lower case; repeated ones joined by `, `. */
export function plainHeaders({ headers }: IncomingMessage): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return plain;
}
