import { defineConfig } from 'vitest/config'

// Unit and property tests beside the files they test; browser tests are e2e/ and run by Playwright.
export default defineConfig({
  test: {
    include: ['{protocol,tuner,trainer,server,client,bench,deploy}/**/*.test.{ts,tsx}'],
    environment: 'node',
    globalSetup: ['server/testing/postgresSetup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test file is a process of its own: TensorFlow.js keeps its backend in module state.
    pool: 'forks',
  },
})
