// The server dies without warning in the middle of a real run and comes back: training goes on meanwhile, and
// in the end nothing is missing, nothing is there twice, and every decision follows from the stored log.

import { readRun } from '../fixtures/api.ts'
import { expectNothingLostOrDoubled, expectReplayIdentical } from '../fixtures/laws.ts'
import { noteConnectionBar, openRun } from '../fixtures/runPage.ts'
import { expect, lostConnection, test } from '../fixtures/test.ts'

const steps = 2_000

test('a server killed in the middle of a run loses nothing, and the page catches up by itself', async ({
  home,
  serve,
  train,
  page,
  complaints,
}) => {
  complaints.allow(lostConnection)
  const first = await serve()
  const trainer = train(first.url, { runId: 'digits-outage', steps })
  await trainer.line(/"event":"decision"/)
  const run = await openRun(page, first.url, 'digits-outage')
  await run.reaches(300)
  await page.evaluate(() => document.body.setAttribute('data-loaded-once', ''))

  const bar = await noteConnectionBar(page)
  expect((await first.kill('SIGKILL')).signal).toBe('SIGKILL')
  const sign = page.locator('header .connection')
  await expect(sign).toHaveText('Disconnected')
  await trainer.line(/"event":"notice".*cannot be reached/)
  const known = await run.step()

  const second = await serve(first.port)
  await trainer.line(/"event":"notice".*answers again/)
  await bar.says(/^Connected\./m)
  await expect(sign).toHaveText('Live')
  await run.reaches(known + 1)

  // Where the trainer says that it ended: an anneal that overfits is cut short, before the budget.
  const { steps: trained } = await trainer.summary()
  expect((await trainer.ended).code).toBe(0)
  await expect(run.chip).toHaveText('Finished')
  await run.reaches(trained)
  await expect(page.locator('body')).toHaveAttribute('data-loaded-once', '')
  await expectNothingLostOrDoubled(second.url, 'digits-outage', trained)
  // Each decision once, those made while the page was cut off too.
  await run.details.getByRole('tab', { name: 'Log' }).click()
  const { decisionCount } = await readRun(second.url, 'digits-outage')
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(`${decisionCount} decisions`)
  await expectReplayIdentical(home, second, 'digits-outage')
})
