/** Fields that a torrent may have and that are left out when they are something else. @module */

import type { BencodeKind } from '../bencode/index.ts';
import type { Fields } from './attributes.ts';
import type { Warnings } from './report.ts';

/** What may stand under a key. */
type Kinds = Readonly<Record<string, readonly BencodeKind[]>>;

/** Beside the info dictionary (BEP 3, 5, 12, 17, 19, 38). */
export const ROOT_KINDS: Kinds = {
  announce: ['bytes'],
  'announce-list': ['list'],
  collections: ['list'],
  comment: ['bytes'],
  'created by': ['bytes'],
  'creation date': ['integer'],
  httpseeds: ['list', 'bytes'],
  nodes: ['list'],
  similar: ['list'],
  'url-list': ['list', 'bytes'],
};

/** In the info dictionary (BEP 27, 38, 39); what it cannot do without is refused elsewhere. */
export const INFO_KINDS: Kinds = {
  collections: ['list'],
  private: ['integer'],
  similar: ['list'],
  source: ['bytes'],
  'update-url': ['bytes'],
};

/** Warns of fields that are nothing that could be read. */
export function noteMalformed(fields: Fields, kinds: Kinds, warnings: Warnings): void {
  for (const [key, permitted] of Object.entries(kinds)) {
    const kind = fields.get(key)?.kind;
    if (kind === undefined || permitted.includes(kind)) continue;
    warnings.add('malformed-field', `\`${key}\` is no ${permitted.join(' or ')}; left out`);
  }
}
