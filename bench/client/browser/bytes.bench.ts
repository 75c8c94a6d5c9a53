// What comes over the wire until a stored run's first picture stands, and what the built page weighs.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { builtPath } from '../../../e2e/fixtures/program.ts'
import { storedRunId } from './filled.ts'
import { noteFirst } from './inPage.ts'
import { noteReceived } from './network.ts'
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

test('bytes of the first picture', async ({ stored, coldPage, keep }) => {
  const { page, cdp } = await coldPage()
  const received = await noteReceived(cdp)
  await page.addInitScript(noteFirst, 'figure[aria-labelledby="loss-title"] .chart-head b')
  await page.goto(`${stored.url}/runs/${storedRunId}`)
  await page.waitForFunction(() => window.benchFirstMs !== undefined)
  await page.waitForLoadState('networkidle')
  const { answers, messages } = received
  const bytesOf = (pattern: RegExp) =>
    sumOf(answers.filter(({ url }) => pattern.test(url)).map(({ bytes }) => bytes))
  const series = bytesOf(/\/series[/?]/) + sumOf(messages.map(seriesBytes))
  const loaded = answers.flatMap(({ url }) => /\/assets\/([^?]+)$/.exec(url)?.[1] ?? []).filter(isCode)
  const figures = {
    seriesKb: series / bytesPerKb,
    dataKb: (bytesOf(/\/api\//) + sumOf(messages.map(({ length }) => length))) / bytesPerKb,
    firstViewKb: sumOf(loaded.map(gzipBytes)) / bytesPerKb,
    bundleKb: sumOf(readdirSync(assets).filter(isCode).map(gzipBytes)) / bytesPerKb,
  }
  keep('bytes', figures, { answers, messages: messages.map(({ length }) => length) })
})
