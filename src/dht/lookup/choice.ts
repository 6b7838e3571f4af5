/** Which of the nodes that answered count as the closest to a target. @module */

import type { Candidate } from './candidate.ts';

/**
 * Counts those that answered, nearest first. Whoever chooses ids freely can be nearer than all others,
 * and alone with a target, so that at most half of the k are such as long as there are others: nodes
 * whose ids follow from their addresses (BEP 42). These are looked for among twice as many.
 */
export class Tally {
  readonly #k: number;
  #all = 0;
  #chosen = 0;
  #insecure = 0;

  constructor(k: number) {
    this.#k = k;
  }

  /** Counts the next one. Returns whether it is one of the k, unless there are too few others. */
  add({ isSecure }: Candidate): boolean {
    this.#all++;
    if (!isSecure && this.#insecure >= this.#k / 2) return false;
    if (!isSecure) this.#insecure++;
    this.#chosen++;
    return true;
  }

  /** Whether nobody farther can be one of the k. */
  get isFull(): boolean {
    return this.#chosen >= this.#k || this.#all >= 2 * this.#k;
  }
}

/** The k closest of nodes that answered; both nearest first. */
export function closestOf(answered: readonly Candidate[], k: number): Candidate[] {
  const tally = new Tally(k);
  const chosen: Candidate[] = [];
  const others: Candidate[] = [];
  for (const candidate of answered) {
    if (tally.isFull) break;
    (tally.add(candidate) ? chosen : others).push(candidate);
  }
  const all = new Set([...chosen, ...others.slice(0, k - chosen.length)]);
  return answered.filter((candidate) => all.has(candidate));
}
