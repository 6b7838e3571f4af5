/** Seconds since 1970 as ISO 8601 and back, without asking any clock. @module */

import { type CivilDate, dateOf, daysOf } from '../../src/base/civil-date.ts';

const DAY = 86_400;
/** The end of year 9999: later times have no form of four digits. */
export const LAST_SECOND = 253_402_300_799;

/** `2009-02-13T23:31:30Z`; `undefined` beyond the year 9999. `seconds` is whole and not negative. */
export function formatIsoTime(seconds: number): string | undefined {
  if (seconds > LAST_SECOND) return undefined;
  const { year, month, day } = dateOf(Math.floor(seconds / DAY));
  const rest = seconds % DAY;
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${time.map((value) => pad(value, 2)).join(':')}Z`;
}

const ISO_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|([+-])(\d\d):?(\d\d))?)?$/i;

/**
 * Whole seconds since 1970 of a date, or a date with a time and perhaps an offset; UTC unless it
 * says else. `undefined` for anything else. Negative before 1970.
 */
export function parseIsoTime(text: string): number | undefined {
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  const field = (at: number): number => Number(match[at] ?? 0);
  const date = { year: field(1), month: field(2), day: field(3) };
  const days = daysOf(date);
  const isTime = field(4) < 24 && field(5) < 60 && field(6) < 60 && field(8) < 24 && field(9) < 60;
  if (!isTime || !isSame(dateOf(days), date)) return undefined;
  const offset = (field(8) * 60 + field(9)) * (match[7] === '-' ? -60 : 60);
  return days * DAY + field(4) * 3600 + field(5) * 60 + field(6) - offset;
}

function isSame(one: CivilDate, other: CivilDate): boolean {
  return one.year === other.year && one.month === other.month && one.day === other.day;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
