// Approve mode on the page: the decision that waits is shown with its evidence and two buttons, and the answer becomes a
// record. A job that reports only its loss is asked for its fallback anneal at 75 % of the budget.

import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { call, type Job, readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

async function waitingJob(url: string, runId: string): Promise<{ job: Job; number: number }> {
  const job = await startJob(url, { runId, budgetSteps: 2_000, mode: 'approve' })
  await job.report(1_520)
  const { awaitingDecision } = await readRun(url, runId)
  expect(awaitingDecision).not.toBeNull()
  return { job, number: awaitingDecision! }
}

test('a switch waits for a person, who approves it', async ({ server, page }) => {
  const { job, number } = await waitingJob(server.url, 'asked')
  const run = await openRun(page, server.url, 'asked')
  await expect(run.chip).toHaveText('Waiting for you')
  await expect(run.headline).toContainText(`decision ${number}, to start annealing, awaits approval`)
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(/^Asked to anneal at step 1,5\d\d$/)
  await expect(run.details).toContainText('Without an answer the anneal starts at step 1,800.')
  await expect(run.details).toContainText(/Expires at step 1,\d\d\d: in \d+ steps/)
  await expect(page).toHaveTitle(/^Waits for you: asked/)
  await expectAccessible(page, 'a decision that waits')
  await page.keyboard.press('a')
  await expect(run.details.getByRole('button', { name: 'Approve' })).toBeFocused()
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('looks right')
  await run.details.getByRole('button', { name: 'Approve' }).click()
  await expect(run.chip).toHaveText('Running')
  await expect(run.headline).toHaveText(/^Annealing since step 1,520/)
  await expect(run.details.getByRole('button', { name: 'Approve' })).toBeHidden()
  await expect(run.details).toContainText('Approved by hand (looks right).')
  expect((await readDecisions(server.url, 'asked')).at(-1)).toMatchObject({
    kind: 'switch',
    status: 'approved',
    answers: number,
  })
  const { plan } = await job.report(10)
  expect(plan.segments[0]).toMatchObject({ phase: 'anneal', toStep: 2_000, to: 0 })
})

test('on a phone one press brings the question up, over the charts', async ({ server, page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  const { number } = await waitingJob(server.url, 'pocket')
  const run = await openRun(page, server.url, 'pocket')
  const approve = run.details.getByRole('button', { name: 'Approve' })
  await expect(approve).not.toBeInViewport()
  await page.getByRole('button', { name: 'Answer…' }).click()
  await expect(approve).toBeInViewport()
  await expect(page).toHaveURL(new RegExp(`decision=${number}$`))
  await expectNoSidewaysScroll(page, 'a decision that waits, 390 px')
  await approve.click()
  await expect(page.getByRole('button', { name: 'Answer…' })).toBeHidden()
})

test('a person rejects it, and a later answer is refused in words', async ({ server, page, complaints }) => {
  complaints.allow(/status of 409/)
  const { number } = await waitingJob(server.url, 'refused')
  const run = await openRun(page, server.url, 'refused')
  await run.details.getByRole('button', { name: 'Reject' }).click()
  await expect(run.details).toContainText('Say why you reject it')
  expect((await readRun(server.url, 'refused')).awaitingDecision).toBe(number)
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('too early')
  await run.details.getByRole('button', { name: 'Reject' }).click()
  await expect(run.chip).toHaveText('Running')
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(/^Refused to anneal/)
  await page.goto(`${server.url}/runs/refused?decision=${number}`)
  await expect(run.details).toContainText('It was rejected at step 1,520')
  const late = await call(server.url, 'POST', `/runs/refused/decisions/${number}/approve`, {})
  expect(late.status).toBe(409)
  expect((await readRun(server.url, 'refused')).phase).toBe('large')
})
