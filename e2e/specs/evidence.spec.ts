// The figures of a decision of a real run: the rates that the search tried, and what other rules would have cost.

import { expectAccessible } from '../fixtures/accessibility.ts'
import { readDecisions } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

test('the search is told as lanes, and other rules as costs and curves', async ({ server, page, train }) => {
  const trainer = train(server.url, { runId: 'weighed', steps: 1_200 })
  await trainer.summary()
  await trainer.ended
  const decisions = await readDecisions(server.url, 'weighed')
  const armsOf = ({ evidence }: (typeof decisions)[number]) =>
    evidence.filter(({ signal }) => signal === 'arm')
  const searched = decisions.find((decision) => armsOf(decision).length > 0)!
  const run = await openRun(page, server.url, 'weighed', `?decision=${searched.number}`)
  await expect(run.details.getByRole('heading', { name: 'Rates that were tried' })).toBeVisible()
  await expect(run.details.locator('.lane:not(.lane-axis)')).toHaveCount(armsOf(searched).length)
  await expect(run.details.locator('.lane-best')).toHaveCount(1)
  await expect(run.details.locator('.lane').first()).toContainText(/steps \d+ to \d+|left at step \d+/)

  const weighed = decisions.findLast(({ counterfactuals }) =>
    counterfactuals.some(({ finalLoss }) => finalLoss !== undefined),
  )!
  await openRun(page, server.url, 'weighed', `?decision=${weighed.number}`)
  const canvas = page.getByRole('slider', { name: 'Learning rate: cursor' }).locator('canvas')
  const heightOf = async () => (await canvas.boundingBox())!.height
  const before = await heightOf()
  await expect(run.details.locator('.strip-own')).toContainText('This run')
  await expect(run.details).toContainText(/Costs: final loss expected of an anneal from there/)
  await run.details.getByRole('button', { name: 'Draw curves' }).click()
  await expect.poll(heightOf).toBeGreaterThan(before)
  await expectAccessible(page, 'curves of other rules')
  await run.details.getByRole('button', { name: 'Hide curves' }).click()
  await expect.poll(heightOf).toBe(before)
})
