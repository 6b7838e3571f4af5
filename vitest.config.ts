import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Everything but the tests against other programs: unit, property, simulation, command, architecture. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', '**/node_modules/**'],
    // Colours and paths of the machine are no business of a test.
    env: { NO_COLOR: '1' },
    testTimeout: 20_000,
    // Modules are loaded by Node itself: what is loaded already then needs no time, and the
    // simulated world may take an import for a promise like any other.
    experimental: { viteModuleRunner: false },
  },
});

export default config;
