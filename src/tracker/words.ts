/** Words of a tracker, made fit for a sentence on a terminal. @module */

/** One line without control and direction characters, cut to `limit` characters. */
export function oneLine(text: string, limit: number): string {
  const line = text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

/** `with: <reason>`, or that there is none; completes "the tracker refused …". */
export function withReason(reason: string): string {
  return reason === '' ? 'without a reason' : `with: ${reason}`;
}

/** More of a tracker's reason or warning is not for reading. */
export const MAX_WORDS = 500;
