// From the beginning of a navigation to the first chart with numbers, of a stored run, with nothing in the cache: on this
// machine, and over a slow line.

import type { Page } from '@playwright/test'
import { expect } from '../../../e2e/fixtures/test.ts'
import { quantilesOf } from '../thresholds.ts'
import { storedRunId } from './filled.ts'
import { lossNumbers, noteFirst } from './inPage.ts'
import { slow4g, throttle } from './network.ts'
import { test } from './part.ts'

/** Of the plot of the loss, that the first picture must have drawn on. */
const paintedShareMin = 0.002

/** Share of the first chart's pixels that are not empty. */
const paintedShare = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('figure[aria-labelledby="loss-title"] canvas') as HTMLCanvasElement
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    let painted = 0
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) painted++
    return painted / (data.length / 4)
  })

test('first chart of a stored run', async ({ asked, stored, coldPage, keep }) => {
  const times: Record<'loopback' | 'slow4g', number[]> = { loopback: [], slow4g: [] }
  const load = async (line: keyof typeof times): Promise<number> => {
    const { page, cdp } = await coldPage()
    if (line === 'slow4g') await throttle(cdp, slow4g)
    await page.addInitScript(noteFirst, lossNumbers)
    await page.goto(`${stored.url}/runs/${storedRunId}`, { waitUntil: 'commit' })
    await page.waitForFunction(() => window.benchFirstMs !== undefined)
    const ms = await page.evaluate(() => window.benchFirstMs!)
    expect(await paintedShare(page)).toBeGreaterThan(paintedShareMin)
    await page.context().close()
    return ms
  }
  // The first one finds neither server nor browser as those after it do.
  const firstOfAllMs = await load('loopback')
  for (let i = 0; i < asked.loads; i++)
    for (const line of ['loopback', 'slow4g'] as const) times[line].push(await load(line))
  const figures = { ...quantilesOf('loopback', times.loopback), ...quantilesOf('slow4g', times.slow4g) }
  keep('first', figures, { firstOfAllMs, line: slow4g, times })
})
