/** Sequence numbers: 16 bits on the wire, plain integers that only grow inside. @module */

const SPAN = 0x1_0000;
const HALF = 0x8000;

/** The integer nearest to `near` that is `wire` modulo 2^16. */
export function unwrapSequence(wire: number, near: number): number {
  return near + ((((wire - near + HALF) % SPAN) + SPAN) % SPAN) - HALF;
}

/** As it goes on the wire; `sequence` may be any integer, negative ones too. */
export function wireSequence(sequence: number): number {
  return ((sequence % SPAN) + SPAN) % SPAN;
}
