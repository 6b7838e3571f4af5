import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests against real clients on loopback: real time, real ports, so one file at a time. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    globalSetup: ['test/interop/setup.ts'],
    fileParallelism: false,
    maxConcurrency: 4,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

export default config;
