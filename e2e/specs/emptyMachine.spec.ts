// Browser tests on a machine that has never seen them: nothing is found that an earlier run has left, and nothing is
// left for a later one.

import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { builtPath, startProgram } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/test.ts'

const playwright = 'node_modules/@playwright/test/cli.js'
const config = 'e2e/twoWorkers.config.ts'

test('two runs at once, of two workers each, start their browsers from one empty temporary folder and leave it empty', async ({
  home,
  programs,
}) => {
  const temporary = join(home, 'temporary')
  mkdirSync(temporary)
  const runs = ['first', 'second'].map((name) => {
    const args = ['test', '--config', builtPath(config), '--output', join(home, name, 'results')]
    const environment = {
      TMPDIR: temporary,
      HOME: join(home, name),
      // Playwright keeps what it has compiled in the temporary folder unless told otherwise.
      PLAYWRIGHT_TRANSFORM_CACHE_DIR: join(home, name, 'compiled'),
    }
    return programs.add(startProgram(playwright, args, { folder: home, environment }))
  })
  for (const run of runs) {
    expect((await run.ended).code, run.out() + run.err()).toBe(0)
    expect(run.out()).toContain('Running 2 tests using 2 workers')
    expect(run.out()).toMatch(/^ *2 passed/m)
  }
  expect(readdirSync(temporary)).toEqual([])
})
