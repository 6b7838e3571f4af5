/** What is known of every piece of a torrent. @module */

/** States of a piece, a byte each. */
export const PIECE = {
  /** Not looked at yet. */
  open: 0,
  good: 1,
  bad: 2,
  /** Some of its bytes are not there, so that nobody can say. */
  missing: 3,
  /** Nobody asked. */
  left: 4,
} as const;

/** How many pieces are in a state. */
export function countPieces(states: Uint8Array, state: number): number {
  let count = 0;
  for (const each of states) if (each === state) count++;
  return count;
}
