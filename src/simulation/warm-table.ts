/** Fills a routing table as it would be after a long time. @module */

import { compareBytes } from '../base/bytes.ts';
import type { Contact, RoutingTable } from '../dht/index.ts';
import type { Millis } from '../runtime/ports.ts';
import type { SeededRandom } from '../runtime/sim/index.ts';

/**
 * Lets a table hear answers of some nodes in every distance from it. `known` are all nodes, in the
 * order of their ids.
 */
export function warmTable(
  table: RoutingTable,
  known: readonly Contact[],
  { random, now }: { readonly random: SeededRandom; readonly now: Millis },
): void {
  let from = 0;
  let to = known.length;
  for (let depth = 0; depth < 160 && to - from > 0; depth++) {
    const border = borderAt(known, { from, to }, table.ownId, depth);
    const bit = bitOf(table.ownId, depth);
    const [start, end] = bit === 1 ? [from, border] : [border, to];
    for (const contact of someOf(known, { from: start, to: end }, random, roomAt(depth))) {
      table.answered(contact, RTT_MS, now);
    }
    [from, to] = bit === 1 ? [border, to] : [from, border];
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function bitOf(id: Uint8Array, depth: number): number {
  return ((id[depth >>> 3] ?? 0) >>> (7 - (depth & 7))) & 1;
}

/** Where in the span, of ids with the first `depth` bits of `own`, those begin whose next bit is 1. */
function borderAt(
  known: readonly Contact[],
  { from, to }: Span,
  own: Uint8Array,
  depth: number,
): number {
  const first = new Uint8Array(own.length);
  for (let bit = 0; bit < depth; bit++) {
    first[bit >>> 3] = (first[bit >>> 3] ?? 0) | (bitOf(own, bit) << (7 - (bit & 7)));
  }
  first[depth >>> 3] = (first[depth >>> 3] ?? 0) | (1 << (7 - (depth & 7)));
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const id = known[middle]?.id;
    if (id !== undefined && compareBytes(id, first) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** At most `count` of a span, without order: all of a short one, one out of each part of a long one. */
function* someOf(
  known: readonly Contact[],
  { from, to }: Span,
  random: SeededRandom,
  count: number,
): Generator<Contact> {
  const length = to - from;
  const picks = Math.min(count, length);
  for (let pick = 0; pick < picks; pick++) {
    const start = from + Math.floor((length * pick) / picks);
    const end = from + Math.floor((length * (pick + 1)) / picks);
    const contact = known[start + random.below(end - start)];
    if (contact !== undefined) yield contact;
  }
}

/** The first buckets of routing tables have more room. */
function roomAt(depth: number): number {
  return Math.max(8, 128 >> depth);
}

const RTT_MS = 100;
