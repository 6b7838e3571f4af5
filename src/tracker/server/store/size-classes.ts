/**
 * Sizes of chunks: 1, 2, 3, 4, 6, 8, 12, 16, … units, so that little is spare, and how many peers
 * of a family fit into each.
 *
 * @module
 */

import { PEER_ID_WORDS, RECORD, UNIT_WORDS } from './layout.ts';

/** More peers than these are found by an index in their chunk, fewer by looking at each. */
const MAX_LINEAR = 40;

export interface FamilyShape {
  /** Word of a record where the words of the family begin. */
  readonly field: number;
  /** Words of a peer that are looked at often: address, then port (high half) and tick of its last announce. */
  readonly hot: number;
  /** Bytes of an address. */
  readonly addressLength: number;
  /** By class: how many peers fit. */
  readonly capacity: Int32Array;
  /** By class: slots of the index, a power of two; 0 for chunks without one. */
  readonly slots: Int32Array;
  /** The largest class that the arena could ever hold. */
  readonly maxClass: number;
}

/** Units of chunks of a class. */
export function unitsOf(sizeClass: number): number {
  if (sizeClass === 0) return 1;
  return sizeClass % 2 === 1 ? 2 ** ((sizeClass + 1) / 2) : 3 * 2 ** (sizeClass / 2 - 1);
}

/** Chunks of a family in an arena of so many units. */
export function familyShape(family: 4 | 6, arenaUnits: number): FamilyShape {
  const hot = family === 4 ? 2 : 5;
  const classes: { capacity: number; slots: number }[] = [];
  for (let sizeClass = 0; unitsOf(sizeClass) <= arenaUnits; sizeClass++) {
    classes.push(chunkShape(unitsOf(sizeClass) * UNIT_WORDS, hot + PEER_ID_WORDS));
  }
  return {
    field: family === 4 ? RECORD.four : RECORD.six,
    hot,
    addressLength: family === 4 ? 4 : 16,
    capacity: Int32Array.from(classes, ({ capacity }) => capacity),
    slots: Int32Array.from(classes, ({ slots }) => slots),
    maxClass: classes.length - 1,
  };
}

/** The index is filled by three quarters at most. */
function chunkShape(words: number, perPeer: number): { capacity: number; slots: number } {
  const linear = Math.floor(words / perPeer);
  if (linear <= MAX_LINEAR) return { capacity: linear, slots: 0 };
  let slots = 1;
  while (slots * 3 < Math.floor((words - slots) / perPeer) * 4) slots *= 2;
  return { capacity: Math.floor((words - slots) / perPeer), slots };
}
