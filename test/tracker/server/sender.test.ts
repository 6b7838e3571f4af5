import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIp, parseIp } from '../../../src/base/ip.ts';
import { SenderAddress } from '../../../src/tracker/server/sender.ts';

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

test('every address that a socket writes is read back', () => {
  const reader = new SenderAddress();
  fc.assert(
    fc.property(address, (bytes) => {
      expect(reader.read(formatIp(bytes))).toEqual(bytes);
    }),
  );
});

test('whatever is read agrees with the parser of addresses', () => {
  const reader = new SenderAddress();
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 6 }), (parts) => {
      const text = parts.join('.');
      expect(reader.read(text)).toEqual(parseIp(text));
    }),
  );
});

test('the zone of a link-local address does not count', () => {
  expect(new SenderAddress().read('fe80::1%eth0')).toEqual(parseIp('fe80::1'));
});

test.each(['', 'localhost', '256.1.1.1', '1.2.3', '1.2.3.4.5', '::1%', '1.2.3.4x'])(
  '%j is no address',
  (text) => {
    const found = new SenderAddress().read(text);
    expect(found).toEqual(text === '::1%' ? parseIp('::1') : undefined);
  },
);
