/**
 * How clients write their version behind their letters in Azureus style ids (BEP 20).
 *
 * @module
 */

/**
 * Reads a version from the characters behind the letters, one character for each byte: the four that
 * BEP 20 means for it and whatever follows. `undefined` when there is none to be read.
 */
export type VersionReader = (text: string) => string | undefined;

/** Names of {@link VERSION_STYLES}. */
export type VersionStyle =
  | 'four'
  | 'three'
  | 'tagged'
  | 'two'
  | 'one'
  | 'none'
  | 'twoTwo'
  | 'twoTwoShort'
  | 'utorrent'
  | 'transmission'
  | 'ktorrent'
  | 'oneThree'
  | 'build'
  | 'oneOneTwo'
  | 'oneTwoOne'
  | 'bitlord'
  | 'xfplay'
  | 'plain';

/** By the sources that `client-tables.ts` names; each with an example of an id and what it means. */
export const VERSION_STYLES: Readonly<Record<VersionStyle, VersionReader>> = {
  /** `-AZ5760-`: 5.7.6.0. */
  four: (text) => dotted(text, 4),
  /** `-lt0D80-`: 0.13.8. */
  three: (text) => dotted(text, 3),
  /** `-LT2080-`: 2.0.8, and with a tag that is not 0 `-LT1234-`: 1.2.3.4. */
  tagged: (text) => dotted(text, text[3] === '0' ? 3 : 4),
  /** `-MG21..-`: 2.1. */
  two: (text) => dotted(text, 2),
  /** `-FL51..-`: 5, and what follows is not known. */
  one: (text) => dotted(text, 1),
  none: () => undefined,
  /** `-BC0171-`: 1.71. */
  twoTwo: (text) => numbered(/^(\d\d)(\d\d)/.exec(text), (_, minor = '') => minor),
  /** `-WW0102-`: 1.2. */
  twoTwoShort: (text) => numbered(/^(\d\d)(\d\d)/.exec(text), (_, minor) => `${Number(minor)}`),
  /** `-UT355W-`: 3.5.5 of Windows, `-UT341B-`: a beta, `-UW1110Q`: 1.1.10. */
  utorrent: readUtorrent,
  /** `-TR0072-`: 0.72, `-TR3000-`: 3.00, `-TR4060-`: 4.0.6, `-TR400B-`: a beta. */
  transmission: readTransmission,
  /** `-KT33D1-`: 3.3 dev 1, `-KT22R1-`: 2.2 RC 1. */
  ktorrent: readKtorrent,
  /** `-BB0123-`: 0.123. */
  oneThree: (text) => firstOf(/^(\d)(\d{3})/.exec(text), '.'),
  /** `-BR0332-`: 0.3 (32). */
  build: (text) => {
    const [, major, minor, build] = /^(\d)(\d)(\d\d)/.exec(text) ?? [];
    return major === undefined ? undefined : `${major}.${minor} (${build})`;
  },
  /** `-CT1334-`: 1.3.34. */
  oneOneTwo: (text) => firstOf(/^(\d)(\d)(\d\d)/.exec(text), '.'),
  /** `-PI0120-`: 0.12.0. */
  oneTwoOne: (text) => firstOf(/^(\d)(\d\d)(\d)/.exec(text), '.'),
  /** `-BL246326`: 2.4.6-326. */
  bitlord: (text) => {
    const build = /^\d{3}(\d{3})/.exec(text)?.[1];
    return build === undefined ? undefined : `${dotted(text, 3)}-${build}`;
  },
  /** `-XF9990-`: 9.9.9, `-XF9992-`: 9.9.92. */
  xfplay: (text) =>
    text[3] === '0' ? dotted(text, 3) : firstOf(/^(\d)(\d)(\d\d)/.exec(text), '.'),
  /** `-ML2.7.2-`: as it stands. */
  plain: (text) => /^[\d.]+(?=-)/.exec(text)?.[0],
};

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What one character counts: 0 to 9, `A` is 10, `a` is 36; `undefined` for others. */
export function digitOf(character: string): number | undefined {
  const value = ALPHABET.indexOf(character);
  return character.length === 1 && value >= 0 ? value : undefined;
}

/** Up to `count` characters as numbers with dots between, as far as they are such. */
function dotted(text: string, count: number): string | undefined {
  const parts: number[] = [];
  for (const character of text.slice(0, count)) {
    const part = digitOf(character);
    if (part === undefined) break;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : parts.join('.');
}

/** The groups of a match with `between` between them. */
function firstOf(match: RegExpExecArray | null, between: string): string | undefined {
  return match?.slice(1).join(between);
}

/** The first group as a number, a dot, and what `rest` makes of the groups. */
function numbered(
  match: RegExpExecArray | null,
  rest: (...groups: (string | undefined)[]) => string,
): string | undefined {
  if (match === null) return undefined;
  const [, ...groups] = match;
  return `${Number(groups[0])}.${rest(...groups)}`;
}

/** What the letter behind a version says of it. */
function grade(letter: string | undefined): string {
  if (letter === 'b' || letter === 'B') return ' beta';
  if (letter === 'd' || letter === 'D') return ' debug';
  return letter === 'x' || letter === 'X' || letter === 'Z' ? ' dev' : '';
}

function readUtorrent(text: string): string | undefined {
  const digits = /^[0-9a-f]{3}/i.exec(text)?.[0];
  if (digits === undefined) return undefined;
  const [major, minor, tiny] = Array.from(digits, (digit) => Number.parseInt(digit, 16));
  // A longer number takes the place of the dash.
  const long = text[4] === '-' ? undefined : /^..(\d\d)/.exec(text)?.[1];
  return long === undefined
    ? `${major}.${minor}.${tiny}${grade(text[3])}`
    : `${major}.${minor}.${Number(long)}${grade(text[4])}`;
}

function readTransmission(text: string): string | undefined {
  const [whole = '', last] = /^\d[0-9A-Za-z]{2}([0-9A-Za-z])/.exec(text) ?? [];
  if (whole === '') return undefined;
  if (/^000\d/.test(whole)) return `0.${last}`;
  if (/^00\d\d/.test(whole)) return `0.${whole.slice(2)}`;
  if (/^[0-3]\d\d/.test(whole)) return `${whole[0]}.${whole.slice(1, 3)}${grade(last)}`;
  return `${dotted(whole, 3)}${grade(last)}`;
}

function readKtorrent(text: string): string | undefined {
  const [, kind = '', number] = /^..([BDR])(\d)/.exec(text) ?? [];
  if (number === undefined) return dotted(text, 3);
  const grades: Readonly<Record<string, string>> = { B: 'beta', D: 'dev', R: 'RC' };
  return `${dotted(text, 2)} ${grades[kind]} ${number}`;
}
