// How the end-to-end tests run: which browser, how many at a time, where the remains of a failure are kept.
// It starts nothing itself: each test starts the server, the lamp and the browsers that it needs (fixtures/).

import { defineConfig } from '@playwright/test';

const artefacts = '../artefacts/playwright';

export default defineConfig({
  testDir: 'tests',
  globalSetup: './fixtures/require-server.ts',
  outputDir: `${artefacts}/results`,

  // A retry would hide exactly what these tests look for: values that are lost or come twice once in a while.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  forbidOnly: !!process.env.CI,

  // The suite ends, whatever happens: one expectation, one test, all of them. Nothing is shown by how soon it is, so that
  // these are far from what a busy machine needs: with five times the work that it can do, the longest test took two and a
  // half minutes (of three times this, see `test.slow`), all of them twelve.
  expect: { timeout: 30_000 },
  timeout: 180_000,
  globalTimeout: 25 * 60_000,

  reporter: [['list'], ['html', { outputFolder: `${artefacts}/report`, open: 'never' }]],

  use: {
    launchOptions: {
      // Debian's Chromium where it is given, else the one that `npx playwright install chromium` fetched.
      executablePath: process.env.LUXWIRE_CHROMIUM || undefined,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-domain-reliability',
        '--no-pings',
      ],
    },
    locale: 'en-GB',
    timezoneId: 'Europe/Amsterdam',
    colorScheme: 'light',
    actionTimeout: 30_000,
    // The trace has the film of the test too. A video of its own would need Playwright's build of ffmpeg, which a
    // machine with Debian's Chromium does not have.
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },

  projects: [
    { name: 'page', testIgnore: 'latency.spec.ts' },
    // Measured when nothing else runs, and without the cost of recording a trace.
    { name: 'latency', testMatch: 'latency.spec.ts', dependencies: ['page'], use: { trace: 'off' } },
  ],
});
