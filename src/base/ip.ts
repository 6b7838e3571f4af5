/** IPv4 and IPv6 addresses as bytes (4 or 16) and as text (dotted; RFC 5952). @module */

/** The 4 or 16 bytes of a literal address, without brackets; `undefined` for anything else, names included. */
export function parseIp(text: string): Uint8Array<ArrayBuffer> | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Text of 4 or 16 bytes; IPv6 in the canonical form of RFC 5952 §4, without brackets. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length !== 4) return formatIpv6(bytes);
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** 4 or 6 for a literal address, `undefined` for a name. */
export function ipFamily(text: string): 4 | 6 | undefined {
  const bytes = parseIp(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? 4 : 6;
}

/** By hand, twice as fast as by expressions: messages of the DHT are full of them. */
function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== DOT) return undefined;
    const start = at;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (!isOctet(value, at - start)) return undefined;
    bytes[part] = value;
  }
  return at === text.length ? bytes : undefined;
}

/** Up to 255, and without needless zeros in front. */
function isOctet(value: number, digits: number): boolean {
  if (value > 255) return false;
  return digits === (value < 10 ? 1 : value < 100 ? 2 : 3);
}

const DOT = 0x2e;
const ZERO = 0x30;

function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of `a:b:c`; the last group may be dotted when `dottedEnd`. */
function parseGroups(text: string, dottedEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >>> 8, value & 0xff);
      continue;
    }
    const dotted = dottedEnd && at === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0),
  );
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  const gap = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (start + length < groups.length && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
