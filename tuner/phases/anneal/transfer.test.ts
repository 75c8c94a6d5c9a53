// Finishing early where a run memorises: whole synthetic runs whose held-out loss follows the training loss only in part.

import { describe, expect, it } from 'vitest'
import { transferMin } from '../../constants.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../../testing/syntheticRun.ts'

const budgetSteps = 3_000
const options: Omit<SyntheticOptions, 'seed'> = {
  budgetSteps,
  learningRate: 0.02,
  floor: 0.02,
  traceSigma: 1,
  capabilities: ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'],
}
/** Takes about this much of each e-fold of the steps off what is learned. */
const kept = (loss: number) => (step: number) => loss * Math.log(1 + step / 50)
const memorises = 'would mostly memorise'
const transferOfSwitch = (run: ReturnType<typeof syntheticRun>) =>
  decisionsOf(run, 'switch')[0]?.evidence.find(({ signal }) => signal === 'transfer')

describe('a run of whose learning little reaches held-out data', () => {
  it.each([1, 2])('switches when the rule says so and finishes early, and says why: seed %i', (seed) => {
    const run = syntheticRun({ seed, ...options, heldOutExtra: kept(0.006) })
    const [decision] = decisionsOf(run, 'switch')
    expect(decision?.summary).toMatch(
      /staying still gains no more than annealing .* and since step [\d,]+ training loss has fallen by [\d.]+ % and held-out loss (by [\d.]+ %|has not fallen), so a longer anneal would mostly memorise\.$/,
    )
    expect(decision?.rule.id).toBe('marginal-cost')
    expect(transferOfSwitch(run)?.value).toBeLessThan(transferMin)
    const { step } = decision!
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: step + Math.ceil(0.4 * step) })
    expect(run.learningRates.at(-1)).toBeLessThan(0.002)
    // It is short as it is, and is not questioned.
    expect(decisionsOf(run, 'undo')).toEqual([])
  })

  it('may show that only in the anneal, which is then cut short from the rate that it has', () => {
    const run = syntheticRun({ seed: 3, ...options, heldOutExtra: kept(0.01) })
    expect(decisionsOf(run, 'switch')[0]?.summary).not.toContain(memorises)
    const [cut] = decisionsOf(run, 'lower')
    expect(cut?.summary).toContain(memorises)
    expect(cut?.rule).toEqual({ id: 'memorising', version: 1 })
    expect(cut?.test).toMatchObject({ relation: '<', satisfied: true })
    expect(cut?.test?.left.value).toBeLessThan(transferMin)
    const { step } = cut!
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: step + Math.ceil(0.4 * step) })
    // 1 − √z begins steeply: its first step takes 4.6 % off.
    expect(run.learningRates[step]! / run.learningRates[step - 1]!).toBeGreaterThan(0.95)
  })

  it('is told a person who must approve it, with the step at which it would end', () => {
    const run = syntheticRun({ seed: 1, ...options, mode: 'approve', heldOutExtra: kept(0.006) })
    const asked = decisionsOf(run, 'switch').find(({ status }) => status === 'awaiting-approval')
    const { step } = asked!
    const end = (step + Math.ceil(0.4 * step)).toLocaleString('en')
    expect(asked?.summary).toContain(`to ${end} awaits approval`)
    expect(asked?.summary).toContain(memorises)
  })

  it('keeps its end when the budget is raised', () => {
    const heldOutExtra = kept(0.006)
    const { step } = decisionsOf(syntheticRun({ seed: 1, ...options, heldOutExtra }), 'switch')[0]!
    const command = { kind: 'set-budget', budgetSteps: 6_000, reason: '', by: 'test' } as const
    const run = syntheticRun({ seed: 1, ...options, heldOutExtra, commands: { [step + 100]: command } })
    expect(run.state.step).toBe(step + Math.ceil(0.4 * step))
  })
})

describe('a run without a budget of whose learning little reaches held-out data', () => {
  const open = { seed: 1, ...options, budgetSteps: null, stepCount: 6_000 }

  it('anneals at the third such probe in a row, over .4 of the steps so far, and shows that test', () => {
    const run = syntheticRun({ ...open, heldOutExtra: kept(0.006) })
    const [decision, ...others] = decisionsOf(run, 'switch')
    expect(others).toEqual([])
    expect(decision?.summary).toMatch(
      /^Annealing from step [\d,]+ to [\d,]+: since step [\d,]+ training loss has fallen by .* so a longer anneal would mostly memorise\.$/,
    )
    expect(decision?.test).toMatchObject({ relation: '<', satisfied: true })
    const { step } = decision!
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: step + Math.ceil(0.4 * step) })
  })

  it('goes on where all of it reaches them', () => {
    expect(decisionsOf(syntheticRun(open), 'switch')).toEqual([])
  })
})

describe('a run of whose learning all reaches held-out data', () => {
  it.each([1, 4, 40])('anneals to the end of the budget: noise %d', (traceSigma) => {
    const run = syntheticRun({ seed: 1, ...options, traceSigma })
    for (const { summary } of run.decisions) expect(summary).not.toContain(memorises)
    expect(run.state.step).toBe(budgetSteps)
  })

  it('is not judged without held-out losses', () => {
    const capabilities = ['microBatchNorms', 'lineProbe'] as const
    const run = syntheticRun({ seed: 1, ...options, capabilities, heldOutExtra: kept(0.006) })
    for (const { summary } of run.decisions) expect(summary).not.toContain(memorises)
    expect(transferOfSwitch(run)).toBeUndefined()
  })
})
