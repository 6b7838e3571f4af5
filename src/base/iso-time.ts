/** Moments as text (ISO 8601), without the calendar of the platform. @module */

/** E.g. `2026-11-25T19:34:18.123Z`, of milliseconds since 1970-01-01 UTC, from then to 9999. */
export function formatIsoTime(ms: number): string {
  const days = Math.floor(ms / DAY);
  const rest = Math.floor(ms - days * DAY);
  const clock = [3_600_000, 60_000, 1000].map((unit) => padded(Math.floor(rest / unit) % 60, 2));
  return `${formatDay(days)}T${clock.join(':')}.${padded(rest % 1000, 3)}Z`;
}

/** Howard Hinnant's `civil_from_days`: years begin in March, so that a leap day is the last one. */
function formatDay(sinceEpoch: number): string {
  const days = sinceEpoch + DAYS_FROM_0000_03_01;
  const era = Math.floor(days / ERA);
  const dayOfEra = days - era * ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const leaps = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - 365 * yearOfEra - leaps;
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0);
  return `${padded(year, 4)}-${padded(((month + 2) % 12) + 1, 2)}-${padded(day, 2)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

const DAY = 86_400_000;
const DAYS_FROM_0000_03_01 = 719_468;
/** Days of 400 years, after which the calendar repeats. */
const ERA = 146_097;
