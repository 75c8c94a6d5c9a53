// On a phone whatever can be pressed is 44 px wide and high, in every view.

import { readDecisions, startJob } from '../fixtures/api.ts'
import { openRun, runPage } from '../fixtures/runPage.ts'
import { expectLargeTargets } from '../fixtures/targets.ts'
import { expect, test } from '../fixtures/test.ts'

test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } })

/** What comes up over the lower half of the page. */
const sheet = 'aside.sheet'

test('every target of the list, a comparison, the settings and the way to connect', async ({
  server,
  page,
}) => {
  for (const runId of ['first', 'second']) await (await startJob(server.url, { runId })).report(300)
  await page.goto(server.url)
  await expect(page.getByRole('link', { name: 'second' })).toBeVisible()
  await expectLargeTargets(page, 'list')
  await page.goto(`${server.url}/compare?runs=first,second`)
  await expect(page.getByRole('region', { name: 'Settings and results' })).toBeVisible()
  await expectLargeTargets(page, 'comparison')
  await page.goto(`${server.url}/settings`)
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
  await expectLargeTargets(page, 'settings')
  await page.goto(`${server.url}/start`)
  await expect(page.getByRole('tab').first()).toBeVisible()
  await expectLargeTargets(page, 'start')
})

test('every target of a run, its panels and its forms', async ({ server, page }) => {
  await (await startJob(server.url, { runId: 'pressed' })).report(500)
  await (await openRun(page, server.url, 'pressed')).reaches(500)
  await expectLargeTargets(page, 'run')
  for (const panel of ['what-if', 'schedule', 'log']) {
    await openRun(page, server.url, 'pressed', `?panel=${panel}`)
    await expect(page.getByRole('tabpanel')).toContainText(/\w/)
    await expectLargeTargets(page, panel)
  }
  const [first] = await readDecisions(server.url, 'pressed')
  await openRun(page, server.url, 'pressed', `?decision=${first!.number}`)
  await expect(runPage(page).details).toContainText(first!.summary)
  await expectLargeTargets(page, 'decision', sheet)
  for (const form of ['override', 'switch-now', 'branch', 'finish', 'budget', 'details', 'delete']) {
    await openRun(page, server.url, 'pressed', `?panel=control&form=${form}`)
    await expect(runPage(page).details.getByRole('button').nth(1)).toBeVisible()
    await expectLargeTargets(page, form, sheet)
  }
})
