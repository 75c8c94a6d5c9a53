// What comes over the wire until a stored run's first picture stands, and what the built page weighs.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from '@playwright/test'
import { builtPath } from '../../../e2e/fixtures/program.ts'
import { storedRunId } from './filled.ts'
import { firstRow, lossNumbers, noteFirst } from './inPage.ts'
import { noteReceived, slow4g, throttle } from './network.ts'
import { test } from './part.ts'

const bytesPerKb = 1_000
const assets = builtPath('dist/client/assets')

const gzipBytes = (name: string): number => gzipSync(readFileSync(join(assets, name))).length
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)
const isCode = (name: string) => /\.(js|css)$/.test(name)

/** Bytes of the series in a message of the socket, which goes uncompressed. */
function seriesBytes(message: string): number {
  const text = message.slice(Math.max(0, message.indexOf('[')))
  try {
    const [given] = (JSON.parse(text) as { series?: unknown }[]).filter((part) => part?.series !== undefined)
    return given === undefined ? 0 : JSON.stringify(given.series).length
  } catch {
    return 0
  }
}

/** The built files that were there when the first picture was: over a slow line, as what comes after it would be counted else. */
const filesBefore = (page: Page) =>
  page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter((entry) => (entry as PerformanceResourceTiming).responseEnd <= window.benchFirstMs!)
      .flatMap(({ name }) => /\/assets\/([^?]+)$/.exec(name)?.[1] ?? []),
  )

test('bytes of the first picture', async ({ stored, coldPage, keep }) => {
  const load = async (path: string, selector: string) => {
    const { page, cdp } = await coldPage()
    await throttle(cdp, slow4g)
    const received = await noteReceived(cdp)
    await page.addInitScript(noteFirst, selector)
    await page.goto(`${stored.url}${path}`)
    await page.waitForFunction(() => window.benchFirstMs !== undefined)
    const code = (await filesBefore(page)).filter(isCode)
    await page.waitForLoadState('networkidle')
    return { ...received, code, kb: sumOf(code.map(gzipBytes)) / bytesPerKb }
  }
  const list = await load('/', firstRow)
  const run = await load(`/runs/${storedRunId}`, lossNumbers)
  const { answers, messages } = run
  const bytesOf = (pattern: RegExp) =>
    sumOf(answers.filter(({ url }) => pattern.test(url)).map(({ bytes }) => bytes))
  const figures = {
    seriesKb: (bytesOf(/\/series[/?]/) + sumOf(messages.map(seriesBytes))) / bytesPerKb,
    dataKb: (bytesOf(/\/api\//) + sumOf(messages.map(({ length }) => length))) / bytesPerKb,
    listViewKb: list.kb,
    runViewKb: run.kb,
    bundleKb: sumOf(readdirSync(assets).filter(isCode).map(gzipBytes)) / bytesPerKb,
  }
  const raw = { answers, messages: messages.map(({ length }) => length), list: list.code, run: run.code }
  keep('bytes', figures, raw)
})
