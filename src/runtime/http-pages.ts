/** Small pages that a program shows of itself: numbers for other programs. @module */

import type { HttpIncoming, HttpReply } from './ports.ts';

/** Pages by their path. */
export type Pages = ReadonlyMap<string, () => HttpReply>;

/** Nobody keeps them, or takes them for something else than what they say they are. */
export const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;

/** The page that is asked for, whatever the query; else a 404 that names those that are there. */
export function answerPage(pages: Pages, { target }: Pick<HttpIncoming, 'target'>): HttpReply {
  const mark = target.indexOf('?');
  const page = pages.get(mark < 0 ? target : target.slice(0, mark));
  if (page !== undefined) return page();
  const names = [...pages.keys()];
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return { ...textPage(`there are ${list}\n`), status: 404 };
}

export function textPage(body: string, type: string = PLAIN): HttpReply {
  return { headers: { ...PAGE_HEADERS, 'content-type': type }, body };
}

export function jsonPage(document: object): HttpReply {
  return textPage(`${JSON.stringify(document)}\n`, 'application/json');
}

const PLAIN = 'text/plain; charset=utf-8';
