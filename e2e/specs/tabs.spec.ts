// Several tabs on one run, and a tab that was cut off for a while: each shows the same in the end, without a
// reload.

import type { Page } from '@playwright/test'
import { call, readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { noteConnectionBar, openRun } from '../fixtures/runPage.ts'
import { expect, lostConnection, test } from '../fixtures/test.ts'

/** A run with 100 steps on a page that is about to lose its line, and what the page says of that line. */
async function openBeforeLoss(page: Page, url: string, runId: string) {
  const job = await startJob(url, { runId })
  await job.report(100)
  const run = await openRun(page, url, runId)
  await run.reaches(100)
  return { job, run, bar: await noteConnectionBar(page) }
}

/** A decision that the page cannot hear of while its line is lost. */
async function override(url: string, runId: string, reason: string): Promise<void> {
  const wish = { learningRate: 0.02, untilStep: 1_000, reason }
  expect((await call(url, 'POST', `/runs/${runId}/overrides`, wish)).status).toBe(201)
}

test('two tabs follow the same run, and a control pressed in one is seen in the other', async ({
  server,
  context,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'shared' })
  await job.report(100)
  const one = await openRun(page, server.url, 'shared')
  const two = await openRun(await context.newPage(), server.url, 'shared')
  await job.report(100)
  await Promise.all([one.reaches(200), two.reaches(200)])
  await one.page.keyboard.press('o')
  await one.details.getByRole('textbox', { name: 'Reason' }).fill('both see it')
  await one.details.getByRole('button', { name: /^Set .* until step/ }).click()
  await expect(two.page.locator('.say')).toContainText('(both see it)')
  const { number } = (await readDecisions(server.url, 'shared')).at(-1)!
  await Promise.all([expect(one.marker(number)).toBeVisible(), expect(two.marker(number)).toBeVisible()])
  await job.report(100)
  await Promise.all([one.reaches(300), two.reaches(300)])
  await expect(two.headline).toHaveText((await one.headline.textContent()) ?? '')
})

test('a tab that was offline says so, keeps what it shows, and catches up', async ({
  server,
  context,
  page,
  complaints,
}) => {
  complaints.allow(lostConnection)
  const { job, run, bar } = await openBeforeLoss(page, server.url, 'offline')
  await expect(run.connection).toHaveText('Live')
  await context.setOffline(true)
  await bar.says(
    /^Disconnected\. Showing data up to step 100\. Training goes on\. Trying again (in \d+ s|now)\.$/m,
  )
  await job.report(250)
  await override(server.url, 'offline', 'while nobody looked')
  await job.report(250)
  expect(await run.step()).toBe(100)

  await context.setOffline(false)
  await bar.says(/^Connected\. 1 decision arrived meanwhile\.$/m)
  await run.reaches(600)
  await expect(page.locator('.say')).toContainText('(while nobody looked)')
  const { number } = (await readDecisions(server.url, 'offline')).at(-1)!
  await expect(run.marker(number)).toBeVisible()
  // No hole where the tab was cut off: the table of the chart has steps from all of the run.
  await page.getByRole('button', { name: 'Loss as a table' }).click()
  const steps = await page.getByRole('region', { name: 'Loss, table' }).locator('tbody th').allTextContents()
  expect(steps.map((text) => Number(text.replaceAll(',', ''))).some((step) => step > 150 && step < 550)).toBe(
    true,
  )
  await expect(page.getByRole('region', { name: 'Connection' })).toBeHidden()
})

test('a tab whose first attempt to connect failed is told what arrived meanwhile', async ({
  server,
  context,
  page,
  complaints,
}) => {
  complaints.allow(lostConnection)
  // The socket's code comes only after the line has gone.
  let comes = () => {}
  const gone = new Promise<void>((resolve) => {
    comes = resolve
  })
  await page.route('**/assets/esm-*.js', async (route) => {
    const response = await route.fetch()
    await gone
    await route.fulfill({ response })
  })
  const { job, run, bar } = await openBeforeLoss(page, server.url, 'late')
  await context.setOffline(true)
  comes()
  await expect(run.connection).toHaveText('Disconnected')
  await override(server.url, 'late', 'before it was connected')
  await job.report(100)
  await context.setOffline(false)
  await bar.says(/^Connected\. 1 decision arrived meanwhile\.$/m)
  await run.reaches(200)
})

test('a tab that was frozen catches up with what happened meanwhile', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'asleep' })
  await job.report(50)
  const run = await openRun(page, server.url, 'asleep')
  await run.reaches(50)
  const browser = await page.context().newCDPSession(page)
  await browser.send('Page.enable')
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' })
  for (let batch = 0; batch < 20; batch++) await job.report(50)
  await browser.send('Page.setWebLifecycleState', { state: 'active' })
  await run.reaches(1_050)
  const { decisionCount } = await readRun(server.url, 'asleep')
  await run.details.getByRole('tab', { name: 'Log' }).click()
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(
    decisionCount === 1 ? '1 decision' : `${decisionCount} decisions`,
  )
})
