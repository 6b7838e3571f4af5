import { describe, expect, test } from 'vitest';
import { parseIp } from '../../../src/base/ip.ts';
import { Access, type AccessLists } from '../../../src/tracker/server/access.ts';
import { parseAllowList, parseDenyList } from '../../../src/tracker/server/lists.ts';

const LISTED = new Uint8Array(20).fill(0xaa);
const OTHER = new Uint8Array(20).fill(0xbb);
const PASSKEY = 'a-passkey-of-a-member';

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

const HOME = ip('192.0.2.1');
const denied = parseDenyList('198.51.100.0/24\n2001:db8::/32');

/** What another thread makes of the lists. */
function access(lists: AccessLists): Access {
  return new Access(structuredClone(lists));
}

describe('access', () => {
  test('without lists everything is served', () => {
    expect(new Access().refuses(OTHER, HOME, undefined)).toBeUndefined();
    expect(new Access().needsPasskey).toBe(false);
  });

  test('only what is on the list', () => {
    const some = access({ allow: parseAllowList('aa'.repeat(20)).handle });
    expect(some.refuses(LISTED, HOME, undefined)).toBeUndefined();
    expect(some.refuses(OTHER, HOME, undefined)).toBe('not-listed');
  });

  test('an empty list serves nothing', () => {
    expect(access({ allow: parseAllowList('').handle }).refuses(LISTED, HOME, undefined)).toBe(
      'not-listed',
    );
  });

  test('what is denied is not served, even when it is allowed', () => {
    const list = parseAllowList('aa'.repeat(20)).handle;
    expect(access({ deny: list }).refuses(LISTED, HOME, undefined)).toBe('not-listed');
    expect(access({ deny: list }).refuses(OTHER, HOME, undefined)).toBeUndefined();
    expect(access({ allow: list, deny: list }).refuses(LISTED, HOME, undefined)).toBe('not-listed');
  });

  test.each([
    ['198.51.100.7', 'address-denied'],
    ['198.51.101.7', undefined],
    ['2001:db8::7', 'address-denied'],
    ['2001:db9::7', undefined],
  ] as const)('from %s: %s', (from, refusal) => {
    const some = access({ denyNetworks: denied.networks.handle });
    expect(some.refuses(OTHER, ip(from), undefined)).toBe(refusal);
    expect(some.refusesSender(ip(from), undefined)).toBe(refusal);
  });

  test('private mode knows its members', () => {
    const some = access({ passkeys: new Set([PASSKEY]) });
    expect(some.needsPasskey).toBe(true);
    expect(some.refuses(OTHER, HOME, PASSKEY)).toBeUndefined();
    expect(some.refuses(OTHER, HOME, 'a-passkey-of-nobody')).toBe('passkey');
    expect(some.refuses(OTHER, HOME, undefined)).toBe('passkey');
  });

  test('who is not served learns nothing about the lists', () => {
    const some = access({
      allow: parseAllowList('').handle,
      denyNetworks: denied.networks.handle,
      passkeys: new Set([PASSKEY]),
    });
    expect(some.refuses(LISTED, ip('198.51.100.7'), PASSKEY)).toBe('address-denied');
    expect(some.refuses(LISTED, HOME, undefined)).toBe('passkey');
    expect(some.refuses(LISTED, HOME, PASSKEY)).toBe('not-listed');
  });
});
