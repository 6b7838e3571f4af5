/** In which order the zones of the id space are asked. @module */

import { Dice } from '../dice.ts';
import { ID_BYTES } from '../distance.ts';

/** All 2^`bits` zones, `bits` 0 to {@link MAX_ZONE_BITS}, in an order that is drawn by `seed` (Fisher and Yates). */
export function zoneOrder(bits: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: 2 ** bits }, (_, at) => at);
  const dice = new Dice(seed);
  for (let end = order.length; end > 1; end--) {
    const at = dice.below(end);
    const last = order[end - 1] ?? 0;
    order[end - 1] = order[at] ?? 0;
    order[at] = last;
  }
  return order;
}

/** An id, 20 bytes, that begins with the `bits` bits of `zone` and has zeros behind them. */
export function prefixOf(zone: number, bits: number): Uint8Array {
  const id = new Uint8Array(ID_BYTES);
  const top = bits === 0 ? 0 : (zone << (32 - bits)) >>> 0;
  id[0] = top >>> 24;
  id[1] = (top >>> 16) & 0xff;
  return id;
}

/** 65,536 zones: with 200 nodes each, 13 million nodes. */
export const MAX_ZONE_BITS = 16;
