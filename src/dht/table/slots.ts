/** Slots side by side. @module */

/** `count` slots from `start` on. */
export function slotsFrom(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => start + at);
}
