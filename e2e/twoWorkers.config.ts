// A small run of its own for e2e/specs/emptyMachine.spec.ts: two workers that start their browsers at once.

import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: '.',
  testMatch: 'twoWorkers.ts',
  globalSetup: './fixtures/browserForRun.ts',
  reporter: 'list',
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
})
