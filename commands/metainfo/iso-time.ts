/** Seconds since 1970 as ISO 8601, without asking any clock. @module */

const DAY = 86_400;
/** Days of 400 years: the Gregorian calendar repeats itself. */
const DAYS_PER_ERA = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH = 719_468;
/** The end of year 9999: later times have no form of four digits. */
const LAST_SECOND = 253_402_300_799;

/** `2009-02-13T23:31:30Z`; `undefined` beyond the year 9999. `seconds` is whole and not negative. */
export function formatIsoTime(seconds: number): string | undefined {
  if (seconds > LAST_SECOND) return undefined;
  const { year, month, day } = dateOf(Math.floor(seconds / DAY));
  const rest = seconds % DAY;
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${time.map((value) => pad(value, 2)).join(':')}Z`;
}

/** Howard Hinnant's `civil_from_days`: years begin in March, so that leap days come last. */
function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted % DAYS_PER_ERA;
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
