// From an input over the charts of a stored run to what they show: until anything true is drawn of the steps that were asked
// for, and until the samples of just these steps are drawn.

import type { Page } from '@playwright/test'
import { quantilesOf } from '../thresholds.ts'
import { storedRunId } from './filled.ts'
import { chartTimes, noteCharts } from './inPage.ts'
import { test } from './part.ts'

const rounds = 10

type Input = { readonly name: string; readonly make: (page: Page) => Promise<void> }

/** One round: in, to the sides, and further in. `0` shows the whole run again between rounds. */
const inputs: readonly Input[] = [
  { name: 'wheel in', make: (page) => turned(page, 0, -240) },
  { name: 'key in', make: (page) => page.keyboard.press('+') },
  { name: 'key pan', make: (page) => page.keyboard.press('Alt+ArrowRight') },
  { name: 'wheel pan', make: (page) => page.mouse.wheel(120, 0) },
  { name: 'drag', make: dragged },
  { name: 'key pan close', make: (page) => page.keyboard.press('Alt+ArrowLeft') },
  { name: 'wheel out', make: (page) => turned(page, 0, 120) },
]

async function turned(page: Page, x: number, y: number): Promise<void> {
  await page.keyboard.down('Control')
  await page.mouse.wheel(x, y)
  await page.keyboard.up('Control')
}

async function dragged(page: Page): Promise<void> {
  const plot = (await page.locator('.plot[role=slider] .plot-surface').first().boundingBox())!
  const y = plot.y + plot.height / 2
  await page.mouse.move(plot.x + 0.4 * plot.width, y)
  await page.mouse.down()
  await page.mouse.move(plot.x + 0.6 * plot.width, y, { steps: 3 })
  await page.mouse.up()
}

test('zoom and pan over a stored run', async ({ stored, coldPage, keep }) => {
  const { page } = await coldPage()
  await page.addInitScript(noteCharts)
  await page.goto(`${stored.url}/runs/${storedRunId}`)
  const plot = page.locator('.plot[role=slider]').first()
  await plot.locator('canvas').waitFor()
  const taken: { input: string; answerMs: number; dataMs: number }[] = []
  for (let round = -1; round < rounds; round++) {
    await plot.focus()
    await page.keyboard.press('0')
    await page.waitForURL((url) => !url.searchParams.has('from'))
    await plot.locator('.plot-surface').hover()
    for (const { name, make } of inputs) {
      await make(page)
      // Rests are over once it has been answered.
      const handle = await page.waitForFunction(chartTimes)
      await page.waitForTimeout(500)
      const times = await page.evaluate(chartTimes)
      await handle.dispose()
      // The first round meets code that has not been compiled.
      if (round >= 0 && times !== null) taken.push({ input: name, ...times })
    }
  }
  const answer = taken.map(({ answerMs }) => answerMs)
  const data = taken.map(({ dataMs }) => dataMs)
  keep('zoom', { ...quantilesOf('answer', answer), ...quantilesOf('data', data) }, { n: taken.length, taken })
})
