import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { sha1, sha256 } from '../../src/base/sha.ts';

test('agrees with OpenSSL', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(formatHex(sha1(bytes))).toBe(createHash('sha1').update(bytes).digest('hex'));
      expect(formatHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
    }),
  );
});
