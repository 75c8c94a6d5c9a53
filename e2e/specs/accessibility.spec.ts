// Both pages in all their states under axe, light and dark, wide and narrow; and no sideways scroll on a phone.

import type { Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { readDecisions, startJob } from '../fixtures/api.ts'
import { openRun, runPage } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

const schemes = ['light', 'dark'] as const
const widths = [1440, 390] as const
const narrowest = 320

/** Checks what the page shows now in every look; leaves it wide and light. */
async function expectGoodEverywhere(page: Page, where: string): Promise<void> {
  for (const width of [...widths, narrowest]) {
    await page.setViewportSize({ width, height: 900 })
    if (width < 1000) await expectNoSidewaysScroll(page, `${where}, ${width} px`)
    if (width === narrowest) continue
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme })
      await expectAccessible(page, `${where}, ${width} px, ${colorScheme}`)
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
}

test('the list of runs: empty, filled, nothing found, and the key list', async ({ server, page }) => {
  await page.goto(server.url)
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  await expectGoodEverywhere(page, 'empty list')
  await (await startJob(server.url, { runId: 'a-run-with-a-rather-long-name-of-its-own-2026-11-24' })).report(
    800,
  )
  await startJob(server.url, { runId: 'second', project: 'a project', budgetSteps: null })
  await expect(page.getByRole('link', { name: 'second' })).toBeVisible()
  await expectGoodEverywhere(page, 'list of runs')
  await page.getByRole('searchbox').fill('nothing')
  await expectGoodEverywhere(page, 'nothing found')
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
  await expectGoodEverywhere(page, 'key list')
})

test('the page of a run that is running, with its forms and its log', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'running' })
  await job.report(500)
  const run = await openRun(page, server.url, 'running')
  await run.reaches(500)
  await expectGoodEverywhere(page, 'running')
  await page.keyboard.press('o')
  await run.details.getByRole('textbox', { name: 'Until step' }).fill('1')
  await run.details.getByRole('button', { name: 'Set the rate' }).click()
  await expect(run.details).toContainText('Reason must not be empty')
  await expectGoodEverywhere(page, 'override form with errors')
  await page.keyboard.press('Escape')
  await openRun(page, server.url, 'running', '?panel=control&form=switch-now')
  await expectGoodEverywhere(page, 'switch form')
  await openRun(page, server.url, 'running', '?panel=log&y.loss=log')
  await page.getByRole('button', { name: 'Loss as a table' }).click()
  await expect(page.getByRole('region', { name: 'Loss, table' })).toBeVisible()
  await expectGoodEverywhere(page, 'log and table')
})

test('the page of a real run that is finished, with its evidence open', async ({ server, page, train }) => {
  const trainer = train(server.url, { runId: 'finished', steps: 1_200 })
  await trainer.summary()
  await trainer.ended
  const run = await openRun(page, server.url, 'finished')
  await expect(run.chip).toHaveText('Finished')
  await expectGoodEverywhere(page, 'finished')
  const weighed = (await readDecisions(server.url, 'finished')).findLast(
    ({ test, evidence }) => test !== undefined && evidence.length > 0,
  )
  expect(weighed).toBeDefined()
  await openRun(page, server.url, 'finished', `?decision=${weighed!.number}`)
  await runPage(page).details.locator('summary', { hasText: 'Evidence' }).click()
  await expectGoodEverywhere(page, 'decision with its evidence')
})
