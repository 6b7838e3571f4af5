import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { descriptorsLeft } from '../../../src/runtime/node/descriptors.ts';

test.runIf(process.platform === 'linux')('each open file leaves one fewer', async () => {
  const before = descriptorsLeft() ?? 0;
  expect(before).toBeGreaterThan(0);
  await using file = await open('/dev/null');
  expect(file.fd).toBeGreaterThan(0);
  expect(descriptorsLeft()).toBe(before - 1);
});

test.runIf(process.platform !== 'linux')('unknown where the system does not tell', () => {
  expect(descriptorsLeft()).toBeUndefined();
});
