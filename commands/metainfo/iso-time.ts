/** Seconds since 1970 as ISO 8601 and back, without asking any clock. @module */

const DAY = 86_400;
/** Days of 400 years: the Gregorian calendar repeats itself. */
const DAYS_PER_ERA = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH = 719_468;
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

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function isSame(one: CivilDate, other: CivilDate): boolean {
  return one.year === other.year && one.month === other.month && one.day === other.day;
}

/** Howard Hinnant's `days_from_civil`, the inverse of {@link dateOf} for dates that there are. */
function daysOf({ year, month, day }: CivilDate): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearOfEra * 365 + leapDays + dayOfYear - EPOCH;
}

/** Howard Hinnant's `civil_from_days`: years begin in March, so that leap days come last. */
function dateOf(days: number): CivilDate {
  const shifted = days + EPOCH;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
