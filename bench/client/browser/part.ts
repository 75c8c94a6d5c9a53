// What every part is made of: its options, servers with their data, a cold page, and a place for its results.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CDPSession, Page } from '@playwright/test'
import { type Server, startServer } from '../../../e2e/fixtures/service.ts'
import { test as base } from '../../../e2e/fixtures/test.ts'
import { type ClientOptions, optionsVariable, type Part } from '../options.ts'
import type { Figures } from '../thresholds.ts'
import { fillManyRuns, fillStoredRun } from './filled.ts'

type WorkerFixtures = {
  asked: ClientOptions
  /** A server with one run of many steps. */
  stored: Server
  /** A server with many runs. */
  crowded: Server
}
type Fixtures = {
  /** A page with an empty cache, closed at the end of the test at the latest. */
  coldPage: () => Promise<{ readonly page: Page; readonly cdp: CDPSession }>
  keep: (part: Part, figures: Figures, raw: unknown) => void
}

/** A server on a folder of the data, or on a temporary one. */
async function served(
  { data }: ClientOptions,
  name: string,
  fill: (server: Server) => Promise<void>,
  use: (server: Server) => Promise<void>,
): Promise<void> {
  const home = data === '' ? mkdtempSync(join(tmpdir(), 'twostep-bench-')) : join(data, name)
  mkdirSync(home, { recursive: true })
  const server = await startServer(home)
  await fill(server)
  await use(server)
  await server.kill('SIGTERM')
  if (data === '') rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  asked: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are used from this pattern.
    async ({}, use) => {
      const text = process.env[optionsVariable]
      if (text === undefined) throw new Error('the parts are started by `npm run bench -- client`')
      await use(JSON.parse(text) as ClientOptions)
    },
    { scope: 'worker' },
  ],
  stored: [
    async ({ asked }, use) => {
      await served(asked, `steps-${asked.steps}`, ({ url }) => fillStoredRun(url, asked.steps), use)
    },
    { scope: 'worker', timeout: 0 },
  ],
  crowded: [
    async ({ asked }, use) => {
      await served(asked, `runs-${asked.runs}`, ({ url }) => fillManyRuns(url, asked.runs), use)
    },
    { scope: 'worker', timeout: 0 },
  ],
  coldPage: async ({ browser }, use) => {
    const opened: Page[] = []
    await use(async () => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
      const page = await context.newPage()
      opened.push(page)
      return { page, cdp: await context.newCDPSession(page) }
    })
    for (const page of opened) await page.context().close()
  },
  keep: async ({ asked, browser }, use) => {
    const machine = { cores: cpus().length, model: cpus()[0]?.model, loadBefore: loadavg()[0] }
    const versions = { node: process.versions.node, chromium: browser.version() }
    await use((part, figures, raw) => {
      const text = JSON.stringify({ part, ...versions, ...machine, loadAfter: loadavg()[0], figures, raw })
      writeFileSync(join(asked.out, `${part}.json`), `${text}\n`)
    })
  },
})
