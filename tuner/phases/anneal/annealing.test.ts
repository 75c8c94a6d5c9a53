// Whole runs whose held-out loss turns up in the anneal, or falls on: what is cut short, and what is kept.

import { describe, expect, it } from 'vitest'
import { annealSqueezeShare } from '../../constants.ts'
import {
  allCapabilities,
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const switchStep = 1_000
const budgetSteps = 6_000
// Little noise and a rate set by hand: no race, no guard, and a person's switch, so that only the anneal is judged.
const job: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.02,
  traceSigma: 1,
  capabilities: allCapabilities.filter((capability) => capability !== 'averagedWeights'),
  commands: { [switchStep]: { kind: 'switch-now', reason: '', by: 'test' } },
}
/** From step 2,000 on every step memorises. */
const heldOutExtra = (step: number) => Math.max(0, step - 2_000) / 20_000
const cuts = (run: SyntheticResult) => run.decisions.filter(({ rule }) => rule.id === 'anneal-watch')

describe('an anneal that memorises', () => {
  const run = syntheticRun({ ...job, heldOutExtra })
  const [cut] = cuts(run)

  it('is cut short a few probes after held-out loss has turned, and says from where to where it rose', () => {
    expect(cuts(run)).toHaveLength(1)
    expect(cut?.kind).toBe('lower')
    expect(cut?.step).toBeGreaterThan(2_000)
    expect(cut?.step).toBeLessThan(3_000)
    expect(cut?.summary).toMatch(
      /^The anneal is cut short at step [\d,]+ and ends at [\d,]+ instead of 6,000, from the weights of step [\d,]+: held-out loss of the averaged weights has risen from [\d.]+ to [\d.]+, so more steps would only memorise\.$/,
    )
    expect(cut?.test).toMatchObject({ relation: '>', satisfied: true })
  })

  it('then takes .04 to .08 of the steps so far, down to 0, and ends the run', () => {
    const steps = run.state.step - cut!.step
    expect(steps).toBeLessThanOrEqual(2 * annealSqueezeShare * cut!.step + 1)
    expect(steps).toBeGreaterThan(annealSqueezeShare * 1_500)
    expect(run.state.lifecycle).toBe('finished')
    expect(run.learningRates.at(-1)).toBeLessThan(run.learningRates[cut!.step]! / 10)
  })

  it('goes on from the weights of the lowest averaged loss, with the rate that they had', () => {
    const asked = run.log.filter((entry) => entry.kind === 'acknowledgement')
    expect(asked.length).toBeGreaterThan(3)
    const back = Number(/from the weights of step ([\d,]+)/.exec(cut!.summary)![1]!.replace(',', ''))
    expect(back).toBeGreaterThan(1_500)
    expect(back).toBeLessThan(cut!.step)
    expect(run.learningRates[cut!.step]).toBeCloseTo(run.learningRates[back]!, 3)
  })

  it('goes on from the present weights where the job keeps none', () => {
    const capabilities = job.capabilities!.filter((capability) => capability !== 'checkpoint')
    const without = syntheticRun({ ...job, heldOutExtra, capabilities })
    expect(cuts(without)[0]?.summary).not.toContain('from the weights')
    expect(without.state).toMatchObject({ lifecycle: 'finished' })
    expect(without.state.step).toBeLessThan(4_000)
    for (let step = switchStep + 1; step < without.learningRates.length; step++)
      expect(without.learningRates[step]).toBeLessThanOrEqual(without.learningRates[step - 1]! + 1e-12)
  })

  it('says so where the weights could not be restored', () => {
    const failed = syntheticRun({ ...job, heldOutExtra, restores: 'failed' })
    expect(cuts(failed).map(({ summary }) => summary)[1]).toBe(
      'The earlier weights could not be restored: the anneal is cut short from the present ones.',
    )
    expect(failed.state).toMatchObject({ lifecycle: 'finished', awaitedRestore: null })
  })

  it('is left alone where its end is near anyway', () => {
    const late = syntheticRun({ ...job, budgetSteps: 2_200, heldOutExtra })
    expect(cuts(late)).toEqual([])
    expect(late.state.step).toBe(2_200)
  })
})

describe('an anneal that goes on falling', () => {
  it('is never cut short, and ends with the budget', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const run = syntheticRun({ ...job, seed })
      expect(cuts(run)).toEqual([])
      expect(run.state).toMatchObject({ lifecycle: 'finished', step: budgetSteps })
      expect(decisionsOf(run, 'finish')[0]?.summary).toMatch(
        /the last weights are kept|averaged weights are kept/,
      )
    }
  })
})

describe('the weights kept at the end', () => {
  it('are the best of the anneal where the last ones are plainly worse', () => {
    // Held-out loss jumps near the end: too late to be cut short.
    const jump = (step: number) => (step > budgetSteps - 150 ? 0.5 : 0)
    const run = syntheticRun({ ...job, heldOutExtra: jump })
    const [finish] = decisionsOf(run, 'finish')
    expect(finish?.summary).toMatch(
      /^Finished at step 6,000: held-out loss [\d.]+; the weights of step [\d,]+ are kept, as the last ones have [\d.]+\.$/,
    )
    expect(run.state.keptLoss).toBeLessThan(0.3)
    expect(run.keptLoss).toBeLessThan(0.3)
  })

  it('are the last ones where the best checkpoint could not be made', () => {
    const jump = (step: number) => (step > budgetSteps - 150 ? 0.5 : 0)
    const capabilities = job.capabilities!.filter((capability) => capability !== 'checkpoint')
    const run = syntheticRun({ ...job, capabilities, heldOutExtra: jump })
    expect(decisionsOf(run, 'finish')[0]?.summary).toContain('the last weights are kept')
  })
})
