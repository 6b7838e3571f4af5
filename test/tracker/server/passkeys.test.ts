import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPasskey, passkeyOf } from '../../../src/tracker/server/passkeys.ts';

const KEY = '0123456789abcdef-_XY';

test.each([
  [`/${KEY}/announce`, KEY],
  [`/${KEY}/`, KEY],
  [`/${KEY}/announce?x=1`, KEY],
  [`/announce?passkey=${KEY}`, KEY],
  [`/announce?a=b&passkey=${KEY}&c=d`, KEY],
  [`/?passkey=${KEY}`, KEY],
  [`?passkey=${KEY}`, KEY],
  [`/${KEY}/announce?passkey=another-passkey-xyz`, KEY],
  [`/${KEY}`, undefined],
  [`${KEY}/announce`, undefined],
  ['/announce', undefined],
  ['/short/announce', undefined],
  ['/announce?passkey=short', undefined],
  [`/announce?xpasskey=${KEY}`, undefined],
  [`/announce/${KEY}`, undefined],
  ['', undefined],
  ['?', undefined],
])('%s', (target, passkey) => {
  expect(passkeyOf(target)).toBe(passkey);
});

test('any text has a passkey or none', () => {
  fc.assert(
    fc.property(fc.string(), (target) => {
      const passkey = passkeyOf(target);
      expect(passkey === undefined || isPasskey(passkey)).toBe(true);
    }),
  );
});
