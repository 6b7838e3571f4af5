import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIsoTime } from '../../src/base/iso-time.ts';

test('every moment reads as the platform writes it', () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (ms) => {
      expect(formatIsoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '1970-01-01T00:00:00.000Z',
  '2000-02-29T23:59:59.999Z',
  '2024-02-29T00:00:00.001Z',
  '2100-02-28T12:00:00.000Z',
  '2100-03-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
])('%s', (text) => {
  expect(formatIsoTime(Date.parse(text))).toBe(text);
});
