// A person takes over and gives back. Each press is one call of the API, becomes one decision with its reason,
// and a refusal stands beside the button in the server's words.

import { call, readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

declare global {
  interface Window {
    /** The field that had the focus in the moment in which the form appeared. */
    twostepFirstFocus: string
  }
}

test('an override asks for a reason, becomes a decision, reaches the job, and is handed back', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'steered', budgetSteps: 4_000 })
  await job.report(200)
  const run = await openRun(page, server.url, 'steered')
  await page.getByRole('button', { name: 'Override rate…' }).click()
  await expect(page).toHaveURL(/panel=control&form=override/)
  await run.details.getByRole('textbox', { name: 'Learning rate' }).fill('0.03')
  await run.details.getByRole('textbox', { name: 'Until step' }).fill('100')
  await run.details.getByRole('button', { name: 'Set the rate' }).click()
  await expect(run.details).toContainText('Until step must be a whole number above the present step, 200.')
  await expect(run.details).toContainText('Reason must not be empty')
  expect(await readDecisions(server.url, 'steered')).toHaveLength(1)

  await run.details.getByRole('textbox', { name: 'Until step' }).fill('900')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('trying new data')
  await run.details.getByRole('button', { name: 'Set 0.03 until step 900' }).click()
  await expect(run.details.getByRole('status').first()).toHaveText(
    'Sent. The job applies it at its next report.',
  )
  const made = (await readDecisions(server.url, 'steered')).at(-1)!
  expect(made).toMatchObject({ kind: 'override', status: 'applied' })
  await expect(page.locator('.say')).toContainText('Set by hand: 0.03 until step 900 (trying new data)')
  await run.marker(made.number).click()
  await expect(run.details).toContainText(made.summary)
  const { plan } = await job.report(50)
  const segment = plan.segments.find(({ fromStep, toStep }) => fromStep <= 250 && 250 < toStep)
  expect(segment).toMatchObject({ from: 0.03, to: 0.03 })

  await page.getByRole('button', { name: 'Hand back…' }).click()
  await expect(run.details).toContainText('Twostep decides again from the next report on.')
  await run.details.getByRole('button', { name: 'Hand back', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Override rate…' })).toBeVisible()
  expect((await readDecisions(server.url, 'steered')).at(-1)).toMatchObject({ kind: 'hand-back' })
  expect((await readRun(server.url, 'steered')).override).toBeNull()
  await expect(page.locator('.say')).not.toContainText('Set by hand')
})

test('a form takes the focus as it opens, and not from a field that was chosen since', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'typed' })
  await job.report(50)
  const run = await openRun(page, server.url, 'typed')
  await page.evaluate(() => {
    const look = new MutationObserver(() => {
      const reason = document.querySelector<HTMLInputElement>('#field-reason')
      if (reason === null) return
      look.disconnect()
      window.twostepFirstFocus = document.activeElement?.id ?? ''
      reason.focus()
    })
    look.observe(document, { subtree: true, childList: true })
  })
  await page.keyboard.press('o')
  await expect.poll(() => page.evaluate(() => window.twostepFirstFocus ?? null)).toBe('field-learning-rate')
  // What comes after the next picture has come.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))))
  await expect(run.details.getByRole('textbox', { name: 'Reason' })).toBeFocused()
})

test('switch now starts the anneal, and finish ends the run', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'switched', budgetSteps: 4_000 })
  await job.report(400)
  const run = await openRun(page, server.url, 'switched')
  await page.getByRole('button', { name: 'Switch now…' }).click()
  await expect(run.details).toContainText('Annealing starts at the next step and ends at step 4,000')
  await expect(run.details).toContainText('You can undo it until step 3,200.')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('enough')
  await run.details.getByRole('button', { name: 'Switch now', exact: true }).click()
  await job.report(50)
  await expect(run.headline).toHaveText(/^Annealing/)
  await expect(page.getByRole('button', { name: 'Switch now…' })).toBeHidden()
  const { phase, switchStep } = await readRun(server.url, 'switched')
  expect(phase).toBe('anneal')
  expect(switchStep).toBeGreaterThanOrEqual(400)
  const decision = (await readDecisions(server.url, 'switched')).at(-1)!
  expect(decision).toMatchObject({ kind: 'switch', phase: { from: 'large', to: 'anneal' } })
  await expect(run.marker(decision.number)).toBeVisible()

  await page.getByLabel('More actions').click()
  await page.getByRole('button', { name: 'Finish…' }).click()
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('it is over')
  await run.details.getByRole('button', { name: 'Finish the run' }).click()
  // The job asks only once the server has heard of it.
  await expect.poll(async () => (await readRun(server.url, 'switched')).phase).toBe('done')
  const { actions } = await job.report(50)
  const finish = actions.find(({ kind }) => kind === 'finish')!
  expect(finish).toBeDefined()
  await call(server.url, 'POST', '/runs/switched/telemetry', {
    clientId: 'job',
    sequence: 4,
    acknowledgements: [{ actionId: finish.id, status: 'done', step: 500, detail: '' }],
  })
  await expect(run.chip).toHaveText('Finished')
  await expect(page.getByRole('button', { name: 'Override rate…' })).toBeHidden()
})

test('pause and resume reach the job', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'paused' })
  await job.report(50)
  const run = await openRun(page, server.url, 'paused')
  await page.getByLabel('More actions').click()
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(run.chip).toHaveText('Paused')
  await expect(page.locator('main .note')).toContainText('The job waits until somebody resumes it.')
  expect((await job.report(10)).actions.map(({ kind }) => kind)).toContain('pause')
  await page.getByLabel('More actions').click()
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(run.chip).toHaveText('Running')
  expect((await job.report(10)).actions.map(({ kind }) => kind)).toContain('resume')
})

test("a refusal stands beside the button in the server's words", async ({ server, page, complaints }) => {
  complaints.allow(/status of 404/)
  const job = await startJob(server.url, { runId: 'refused' })
  await job.report(50)
  const override = { learningRate: 0.03, untilStep: 900, reason: 'a try' }
  await call(server.url, 'POST', '/runs/refused/overrides', override)
  const run = await openRun(page, server.url, 'refused', '?panel=control&form=hand-back')
  const handBack = run.details.getByRole('button', { name: 'Hand back', exact: true })
  await expect(handBack).toBeEnabled()
  // Somebody else hands it back while the form is open.
  await call(server.url, 'DELETE', '/runs/refused/overrides/current')
  await handBack.click()
  await expect(run.details.getByRole('alert')).toHaveText('run "refused" has no override in force')
})

test('a form that is open when the run ends says that nothing is left to steer', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'over' })
  await job.report(50)
  const run = await openRun(page, server.url, 'over')
  await expect(run.chip).toHaveText('Running')
  await page.keyboard.press('o')
  await expect(run.details.getByRole('textbox', { name: 'Learning rate' })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(run.details.getByRole('textbox')).toHaveCount(0)
  await page.keyboard.press('o')
  await call(server.url, 'POST', '/runs/over/commands', { kind: 'finish', reason: '' })
  await job.report(50)
  await expect(run.chip).toHaveText('Finished')
  await expect(run.details).toContainText('its plan changes no more')
  await run.details.getByRole('button', { name: 'Close' }).last().click()
  await expect(page).not.toHaveURL(/panel=control/)
})

test('advice only: no control acts on a run in advisory mode', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'advised', mode: 'advisory' })
  await job.report(50)
  const run = await openRun(page, server.url, 'advised')
  await expect(page.getByRole('radio', { name: 'Advisory' })).toBeChecked()
  await expect(run.chip).toHaveText('Running')
  await expect(page.getByRole('button', { name: 'Override rate…' })).toBeHidden()
  await page.keyboard.press('o')
  await expect(page).not.toHaveURL(/panel=control/)
})
