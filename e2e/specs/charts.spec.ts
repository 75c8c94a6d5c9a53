// The charts under a pointer and under keys: one cursor for all, a drag zooms, a press opens a decision.

import type { Locator, Page } from '@playwright/test'
import { call, readDecisions, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

/** The point over a chart at a share of its plot's width. */
async function pointAt(page: Page, chart: string, share: number): Promise<{ x: number; y: number }> {
  const surface = page.getByRole('slider', { name: `${chart}: cursor` }).locator('.plot-surface')
  const { x, y, width, height } = (await surface.boundingBox())!
  return { x: x + share * width, y: y + height / 2 }
}

const stepOf = async (cursor: Locator) => Number(await cursor.getAttribute('aria-valuenow'))

test('the pointer moves one cursor over all charts, a drag zooms, a double press shows the whole run again', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'charted', budgetSteps: 2_000 })
  await job.report(1_000)
  const run = await openRun(page, server.url, 'charted')
  await run.reaches(1_000)
  const rate = page.getByRole('slider', { name: 'Learning rate: cursor' })
  const quarter = await pointAt(page, 'Loss', 0.25)
  await page.mouse.move(quarter.x, quarter.y)
  await expect.poll(() => stepOf(rate)).toBeGreaterThan(490)
  expect(await stepOf(rate)).toBeLessThan(510)
  await expect(rate).toHaveAttribute('aria-valuetext', /^step (49\d|50\d), applied 0\.1/)
  // Over the ribbon, and over the loss and the rate: what a job does not measure takes no panel.
  await expect(page.locator('.crosshair')).toHaveCount(3)

  const half = await pointAt(page, 'Loss', 0.5)
  await page.mouse.down()
  await page.mouse.move(half.x, half.y, { steps: 4 })
  await expect(page.locator('.selection')).toHaveCount(1)
  await page.mouse.up()
  await expect(page).toHaveURL(/from=(49\d|50\d)&to=(99\d|100\d)/)
  await expect(page.locator('.selection')).toHaveCount(0)
  // A drag is no press: no decision was opened by it.
  await expect(page).not.toHaveURL(/decision=/)
  expect(Number(await rate.getAttribute('aria-valuemin'))).toBeGreaterThan(490)
  await page.mouse.dblclick(half.x, half.y)
  await expect(page).not.toHaveURL(/from=/)
  await page.mouse.move(5, 5)
  await expect(page.locator('.crosshair')).toHaveCount(0)
})

test('a press on the line of a decision opens it, and so do the keys', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'pressed', budgetSteps: 2_000 })
  await job.report(1_000)
  const override = { learningRate: 0.03, untilStep: 1_500, reason: 'a try' }
  await call(server.url, 'POST', '/runs/pressed/overrides', override)
  await job.report(500)
  const run = await openRun(page, server.url, 'pressed')
  await run.reaches(1_500)
  const { number } = (await readDecisions(server.url, 'pressed')).find(({ kind }) => kind === 'override')!
  const line = await pointAt(page, 'Learning rate', 0.5)
  await page.mouse.click(line.x + 4, line.y)
  await expect(page).toHaveURL(new RegExp(`decision=${number}$`))
  await run.details.getByRole('button', { name: 'Back to live' }).click()
  await expect(page).not.toHaveURL(/decision=/)

  await page.mouse.move(5, 5)
  await run.cursor.focus()
  await page.keyboard.press('Home')
  expect(await run.step()).toBe(0)
  await page.keyboard.press('End')
  expect(await run.step()).toBe(2_000)
  await page.keyboard.press('ArrowLeft')
  while ((await run.step()) > 1_000) await page.keyboard.press('ArrowLeft')
  expect(await run.step()).toBe(1_000)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(new RegExp(`decision=${number}$`))
  await page.keyboard.press('v')
  await expect(page.getByRole('region', { name: 'Loss, table' })).toBeVisible()
})
