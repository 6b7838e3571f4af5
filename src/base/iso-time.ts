/** Moments as text (ISO 8601), without the calendar of the platform. @module */

import { dateOf } from './civil-date.ts';

/** E.g. `2026-11-25T19:34:18.123Z`, of milliseconds since 1970-01-01 UTC, from then to 9999. */
export function formatIsoTime(ms: number): string {
  const days = Math.floor(ms / DAY);
  const rest = Math.floor(ms - days * DAY);
  const clock = [3_600_000, 60_000, 1000].map((unit) => padded(Math.floor(rest / unit) % 60, 2));
  return `${formatDay(days)}T${clock.join(':')}.${padded(rest % 1000, 3)}Z`;
}

function formatDay(sinceEpoch: number): string {
  const { year, month, day } = dateOf(sinceEpoch);
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

const DAY = 86_400_000;
