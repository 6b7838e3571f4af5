/** Text from outside, fit for a terminal. @module */

/** Control characters, and marks that turn the direction of what is around them. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line without control characters: nothing in it can move the cursor or change colours. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '␣');
}
