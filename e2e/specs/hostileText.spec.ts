// Whatever a job or a person writes is shown as text, never read as markup: names, projects, tags, frameworks,
// settings, reasons, searches. (`complaints` fails the test on a dialog, a script error or a policy violation.)

import { call, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

const hostile = '<img src=x onerror=alert(1)>'
const script = '"><script>alert(2)</script>'

test('text from outside is shown as it is', async ({ server, page, complaints }) => {
  // The last page asked for is one that does not exist.
  complaints.allow(/status of 404/)
  const response = await page.goto(server.url)
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  const job = await startJob(server.url, {
    runId: 'hostile',
    name: hostile,
    project: script,
    tags: [hostile],
  })
  await job.report(100)
  await expect(page.getByRole('link', { name: hostile, exact: true })).toBeVisible()
  await expect(page.getByRole('row').nth(1)).toContainText(script)
  await page.getByRole('searchbox').fill(hostile)
  await expect(page.getByRole('link', { name: hostile, exact: true })).toBeVisible()
  await page.getByRole('searchbox').fill(`${hostile}!`)
  await expect(page.getByRole('main')).toContainText(`No run matches “${hostile}!”.`)

  const run = await openRun(page, server.url, 'hostile')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(hostile)
  await expect(page).toHaveTitle(`${hostile} · Twostep`)
  const body = { learningRate: 0.05, untilStep: 500, reason: `${hostile}${script}` }
  expect((await call(server.url, 'POST', '/runs/hostile/overrides', body)).status).toBe(201)
  await expect(page.locator('.say')).toContainText(body.reason)
  await expect(run.chip).toHaveText('Running')
  await run.details.getByRole('tab', { name: 'Log' }).click()
  await run.details.getByRole('button', { name: /^Set by hand/ }).click()
  await expect(run.details).toContainText('Set by hand at step')
  await page.goto(`${server.url}/runs/${encodeURIComponent(hostile)}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(hostile)
  expect(await page.locator('main img, main script').count()).toBe(0)
})
