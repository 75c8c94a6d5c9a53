// The parts of `npm run bench -- client`, one after the other; bench/client/main.ts starts this.

import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: '.',
  testMatch: '*.bench.ts',
  globalSetup: '../../../e2e/fixtures/browserForRun.ts',
  outputDir: '../../../test-results',
  reporter: 'list',
  workers: 1,
  timeout: 0,
  expect: { timeout: 60_000 },
  use: { viewport: { width: 1440, height: 900 }, actionTimeout: 60_000, navigationTimeout: 60_000 },
})
