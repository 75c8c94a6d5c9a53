// Browser tests of the built product. `npm test` builds first; each test starts its own server on a free port
// with its own folder. Two at a time: a training run keeps a core busy.

import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e/specs',
  globalSetup: './e2e/fixtures/browserForRun.ts',
  outputDir: 'test-results',
  // Of the carried browser alone, so that no name of a system is needed; `npm run pictures` makes them anew.
  snapshotPathTemplate: '{testDir}/../pictures/{arg}{ext}',
  fullyParallel: true,
  workers: 2,
  // A test that fails once and then passes has found a fault.
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    // A press or a page that never comes is told where it happens, not by the test's own limit.
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    viewport: { width: 1440, height: 900 },
    // Recording a trace doubles the time; `npx playwright test --trace on` asks for one.
    trace: 'off',
    screenshot: 'only-on-failure',
  },
})
