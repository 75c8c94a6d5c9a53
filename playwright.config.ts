// Browser tests of the built product. `npm test` builds first; each test starts its own server on a free port
// with its own folder. Two at a time: a training run keeps a core busy.

import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e/specs',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  // A shared machine can pause a page for seconds; what fails once and then passes is reported as flaky.
  retries: 1,
  forbidOnly: process.env.CI !== undefined,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    // Recording a trace doubles the time; `npx playwright test --trace on` asks for one.
    trace: 'off',
    screenshot: 'only-on-failure',
  },
})
