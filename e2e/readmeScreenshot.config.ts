// `npm run screenshot`: takes the README's pictures from a real run of the built product.

import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: '.',
  testMatch: 'readmeScreenshot.ts',
  globalSetup: './fixtures/browserForRun.ts',
  outputDir: '../test-results',
  reporter: 'list',
  timeout: 600_000,
  expect: { timeout: 60_000 },
  use: { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
})
