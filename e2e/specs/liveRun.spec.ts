// A real training run, steered by the tuner's reading of that run's own signals, seen in the browser.

import type { Page } from '@playwright/test'
import type { Decision } from '../../protocol/vocabulary.ts'
import { readDecisions, readRun } from '../fixtures/api.ts'
import { shows, showsMeasured } from '../fixtures/numbers.ts'
import { openRun, runPage } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

/** What the tuner decides by itself from what it measured; the rest starts, ends, waits, or is a person's. */
const steering = ['raise', 'lower', 'switch'] as const
/** Ten digits at random are right one time in ten; a run that learnt is right nearly always. */
const accuracyMin = 0.8

const isSteering = ({ kind }: Decision) => (steering as readonly string[]).includes(kind)

test('a run is seen live, a decision made from its own signals opens with its evidence, and it finishes', async ({
  server,
  page,
  train,
}) => {
  await page.goto(server.url)
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  const trainer = train(server.url, { runId: 'digits-live', steps: 3_000 })
  // The empty page turns into the list by itself, and the list leads to the run.
  await page.getByRole('link', { name: 'digits-live' }).click()
  const run = runPage(page)
  await expect(run.chip).toHaveText('Running')
  await expect(run.headline).toHaveText(/^(Warming up|Large step|Annealing)\b.*\d/)
  await run.reaches(50)
  const seen = await run.step()
  await run.reaches(seen + 100)

  // The first thing that the tuner changes, while the run goes on.
  await trainer.line(/"event":"decision".*"kind":"(lower|raise|switch)"/)
  const first = (await readDecisions(server.url, 'digits-live')).find(isSteering)!
  await run.marker(first.number).click()
  await expect(page).toHaveURL(new RegExp(`decision=${first.number}\\b`))
  await expect(run.details).toContainText(first.summary)
  await run.details.getByRole('button', { name: 'Back to live' }).click()
  await expect(page).not.toHaveURL(/decision=/)

  const summary = await trainer.summary()
  expect((await trainer.ended).code).toBe(0)
  expect(summary.testAccuracy).toBeGreaterThan(accuracyMin)
  expect(summary.testAccuracy).toBeLessThanOrEqual(1)
  await expect(run.chip).toHaveText('Finished')
  const { headline, state, decisionCount, step } = await readRun(server.url, 'digits-live')
  expect(state).toBe('finished')
  await expect(run.headline).toHaveText(headline)
  // An anneal that overfits is cut short, so the run may end before its budget does.
  expect(step).toBe(summary.steps)
  await run.reaches(step)

  const decisions = await readDecisions(server.url, 'digits-live')
  expect(decisions.map(({ number }) => number)).toEqual(decisions.map((_, i) => i + 1))
  expect(decisions).toHaveLength(decisionCount)
  await run.details.getByRole('tab', { name: 'Log' }).click()
  await expect(run.details.getByRole('heading', { name: `${decisions.length} decisions` })).toBeVisible()
  test.info().annotations.push({
    type: 'decisions',
    description: decisions.map(({ step, kind, rule }) => `${kind} at ${step} by ${rule.id}`).join('; '),
  })

  // The last one that weighed two sides: the switch, unless the run went another way.
  const withEvidence = decisions.filter(({ test, evidence }) => test !== undefined && evidence.length > 0)
  const weighed = withEvidence.findLast(({ kind }) => kind === 'switch') ?? withEvidence.at(-1)
  expect(weighed, 'a decision of the rule that weighs staying against annealing').toBeDefined()
  await openRun(page, server.url, 'digits-live', `?decision=${weighed!.number}`)
  await expectDecisionShown(page, weighed!)
})

/** Every number of a decision on the page is the API's. */
async function expectDecisionShown(page: Page, decision: Decision): Promise<void> {
  const details = page.getByRole('complementary', { name: 'Details' })
  await expect(details).toContainText(decision.summary)
  await expect(details).toContainText(`Decision ${decision.number}, ${decision.status}`)
  const { left, right, relation, satisfied, hits } = decision.test!
  const holds = {
    '<=': left.value <= right.value,
    '>=': left.value >= right.value,
    '<': left.value < right.value,
    '>': left.value > right.value,
  }
  expect(satisfied).toBe(holds[relation])
  const sides = await details.locator('.side-of-test .measured').allInnerTexts()
  expect(sides).toHaveLength(2)
  for (const [i, { value, standardError }] of [left, right].entries())
    expect(
      showsMeasured(sides[i]!, value, standardError),
      `${sides[i]} shows ${value} ± 1.96 × ${standardError}`,
    ).toBe(true)
  const often =
    hits.of > 1 ? `Met at ${hits.met} of the last ${hits.of} probes.` : satisfied ? 'Met.' : 'Not met.'
  await expect(details.locator('.rule')).toContainText(often)

  await details.locator('summary', { hasText: 'Evidence' }).click()
  const rows = details.locator('details.evidence tbody tr')
  await expect(rows).toHaveCount(decision.evidence.length)
  for (const [i, { value, count, source }] of decision.evidence.entries()) {
    const row = rows.nth(i)
    // Keys are shown as words.
    await expect(row.locator('th')).toHaveText(/^[A-Z][\p{L} ÷,\d.-]+$/u)
    if (source.includes('-')) await expect(row.locator('th')).not.toContainText(source)
    const shown = (await row.locator('td b').textContent()) ?? ''
    const isShown = value === null ? shown === 'not measured' : shows(shown, value)
    expect(isShown, `evidence ${i}: ${shown} shows ${value}`).toBe(true)
    await expect(row).toContainText(`n = ${count.toLocaleString('en-US')}`)
  }
}
