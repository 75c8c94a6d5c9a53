// The trainer dies without warning: nobody can know that, so the run is stale, not failed. A new process goes on
// from the last checkpoint on disk.

import { readRun } from '../fixtures/api.ts'
import { expectOneGapAtMost, expectReplayIdentical } from '../fixtures/laws.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

const steps = 900
const minutes = 60_000

test('a killed trainer leaves a stale run, and --resume finishes it', async ({
  home,
  server,
  train,
  page,
}) => {
  const options = { runId: 'digits-resumed', steps }
  const killed = train(server.url, options)
  await killed.line(/"event":"decision"/)
  const run = await openRun(page, server.url, 'digits-resumed')
  await run.reaches(300)
  expect((await killed.kill('SIGKILL')).signal).toBe('SIGKILL')
  await expect(run.chip).toHaveText('Running')

  server.setAhead(4 * minutes)
  await expect(run.chip).toHaveText(/^Stale, \d+ s$/)
  await expect(page.locator('main .note')).toHaveText(
    /^No telemetry for .*\. The job follows its last plan: /,
  )
  const stale = await readRun(server.url, 'digits-resumed')
  expect(stale.state).toBe('stale')
  expect(stale.step).toBeLessThan(steps)
  await page.goto(server.url)
  await expect(page.getByRole('row', { name: /digits-resumed/ })).toContainText('Stale')

  const resumed = train(server.url, { ...options, resume: true })
  // Where the trainer says that it ended: an anneal that overfits is cut short, before the budget.
  const { steps: trained } = await resumed.summary()
  expect((await resumed.ended).code).toBe(0)
  await openRun(page, server.url, 'digits-resumed')
  await expect(run.chip).toHaveText('Finished')
  await expectOneGapAtMost(server.url, 'digits-resumed', { steps: trained, gapStepsMax: 200 })
  // The replay stops the server, which the page would rightly complain of.
  await page.close()
  await expectReplayIdentical(home, server, 'digits-resumed')
})
