// What must not be overlooked stands under the headline, and an answer that the page cannot read becomes a sentence.

import { readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

test('a job that goes its own way is told, with both rates and since when', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'own-way', budgetSteps: 4_000, applies: 0.02 })
  await job.report(600)
  const run = await openRun(page, server.url, 'own-way')
  const { drift } = await readRun(server.url, 'own-way')
  expect(drift).toMatchObject({ applied: 0.02, planned: 0.1 })
  const since = drift!.sinceStep.toLocaleString('en-US')
  await expect(page.locator('main .note')).toHaveText(
    `The job applies 0.02, the plan says 0.1, since step ${since}.`,
  )
  await expect(page.locator('.facts')).not.toContainText('as recommended')
  const told = (await readDecisions(server.url, 'own-way')).find(({ kind }) => kind === 'drift')!
  await openRun(page, server.url, 'own-way', `?decision=${told.number}`)
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(/^Rate not followed at step/)
})

test('an answer of another shape is a sentence and a way out, not a broken page', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'misread' })
  await job.report(50)
  await page.route('**/api/v1/runs/misread', async (route) => {
    const response = await route.fetch()
    const summary = { ...((await response.json()) as object), phase: 'thaw' }
    await route.fulfill({ response, json: summary })
  })
  const run = await openRun(page, server.url, 'misread')
  const trouble = page.getByRole('alert', { name: 'Trouble' })
  await expect(trouble).toContainText('/phase must be warmup|large|anneal|done')
  await expect(trouble.getByRole('button', { name: 'Reload' })).toBeVisible()
  // What came over the live connection could be read, and is shown.
  await expect(run.headline).toContainText('Large step')
  await page.unroute('**/api/v1/runs/misread')
  await trouble.getByRole('button', { name: 'Reload' }).click()
  await expect(run.headline).toContainText('Large step')
  await expect(trouble).toHaveCount(0)
})

test('a page whose connection cannot be loaded shows what there is and says so', async ({
  server,
  page,
  complaints,
}) => {
  complaints.allow(/ERR_FAILED/)
  const job = await startJob(server.url, { runId: 'late-socket' })
  await job.report(50)
  await page.route('**/assets/esm-*.js', (route) => route.abort())
  const run = await openRun(page, server.url, 'late-socket')
  await run.reaches(49)
  await expect(page.getByText('The live connection could not be loaded')).toBeVisible()
  await page.unroute('**/assets/esm-*.js')
  await page.getByRole('button', { name: 'Reload' }).click()
  await expect(page.locator('header .connection')).toHaveText('Live')
  await job.report(50)
  await run.reaches(99)
})
