// Whole runs whose held-out loss turns up in the anneal, or falls on: what is cut short, what is kept, what goes on as it was.

import { describe, expect, it } from 'vitest'
import type { Command } from '../../../protocol/vocabulary.ts'
import { tune } from '../../index.ts'
import {
  allCapabilities,
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const switchStep = 1_000
const budgetSteps = 6_000
const switchNow: Command = { kind: 'switch-now', reason: '', by: 'test' }
// Little noise and a given rate: no race, no guard, and a person's switch, so that only the anneal is judged.
const job: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.02,
  traceSigma: 1,
  capabilities: allCapabilities.filter(
    (capability) => capability !== 'averagedWeights' && capability !== 'rewind',
  ),
  commands: { [switchStep]: switchNow },
}
/** From step 2,000 on every step memorises. */
const heldOutExtra = (step: number) => Math.max(0, step - 2_000) / 20_000
const cuts = (run: SyntheticResult) => run.decisions.filter(({ rule }) => rule.id === 'rise')
const withoutCheckpoint = job.capabilities!.filter((capability) => capability !== 'checkpoint')

describe('an anneal that memorises', () => {
  const run = syntheticRun({ ...job, heldOutExtra })
  const [cut] = cuts(run)

  it('is cut short a few probes after held-out loss has turned, and says from where to where it rose', () => {
    expect(cuts(run)).toHaveLength(1)
    expect(cut).toMatchObject({ kind: 'lower', reason: { key: 'cut-rise', values: { before: budgetSteps } } })
    expect(cut?.step).toBeGreaterThan(2_000)
    expect(cut?.step).toBeLessThan(3_000)
    const { from, to } = cut!.reason.values
    expect(to).toBeGreaterThan(from!)
    expect(cut?.test).toMatchObject({
      key: 'rise',
      relation: '>',
      satisfied: true,
      left: { value: to },
      right: { value: from },
    })
  })

  it('then takes .04 to .08 of the steps at the best level, down to 0, and ends the run', () => {
    const steps = run.state.seen.step - cut!.step
    const { keptStep, toStep } = cut!.reason.values
    expect(steps).toBeLessThanOrEqual(0.08 * keptStep! + 1)
    expect(steps).toBeGreaterThanOrEqual(0.04 * keptStep!)
    expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: toStep } })
    expect(run.learningRates.at(-1)).toBeLessThan(run.learningRates[cut!.step]! / 10)
  })

  it('goes on from the weights of the lowest averaged loss, with the rate that they had', () => {
    const { keptStep } = cut!.reason.values
    expect(keptStep).toBeGreaterThan(switchStep)
    expect(keptStep).toBeLessThan(cut!.step)
    expect(run.asked.filter(({ kind }) => kind === 'restore')).toMatchObject([{ checkpoint: 'lowest' }])
    expect(run.learningRates[cut!.step]).toBeCloseTo(run.learningRates[keptStep!]!, 3)
  })

  it('goes on from the present weights where the job keeps none', () => {
    const without = syntheticRun({ ...job, heldOutExtra, capabilities: withoutCheckpoint })
    expect(cuts(without)[0]?.reason.values.keptStep).toBeNull()
    expect(without.state.lifecycle).toBe('finished')
    expect(without.state.seen.step).toBeLessThan(4_000)
    for (let step = switchStep + 1; step < without.learningRates.length; step++)
      expect(without.learningRates[step]).toBeLessThanOrEqual(without.learningRates[step - 1]! + 1e-12)
  })

  it('says so where the weights could not be restored', () => {
    const failed = syntheticRun({ ...job, heldOutExtra, restores: 'failed' })
    expect(cuts(failed).map(({ reason }) => reason.key)).toEqual(['cut-rise', 'kept-not-restored'])
    expect(failed.state.lifecycle).toBe('finished')
    expect(failed.state.trajectory.awaited).toBeNull()
  })

  it('is left alone where its end is near anyway', () => {
    const late = syntheticRun({ ...job, budgetSteps: 2_200, heldOutExtra })
    expect(cuts(late)).toEqual([])
    expect(late.state.seen.step).toBe(2_200)
  })
})

describe('an anneal that goes on falling', () => {
  it('is never cut short, and ends with the budget', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const run = syntheticRun({ ...job, seed })
      expect(cuts(run)).toEqual([])
      expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: budgetSteps } })
      expect(decisionsOf(run, 'finish')[0]?.reason.key).toMatch(/^finished-(last|averaged)$/)
    }
  })

  it('tells at its end what was promised at the switch, and what was reached', () => {
    const run = syntheticRun({ ...job, commands: {}, capabilities: allCapabilities })
    const [decision] = decisionsOf(run, 'switch')
    const [finish] = decisionsOf(run, 'finish')
    expect(decision?.promised?.value).toBeGreaterThan(0.1)
    expect(finish?.promised).toEqual(decision?.promised)
    expect(finish?.reached).toBe(finish?.reason.values.loss)
    expect(Math.abs(finish!.reached! - finish!.promised!.value)).toBeLessThan(0.02)
  })

  it('without held-out data ends with its last report, and reaches nothing that is known', () => {
    const run = syntheticRun({ ...job, capabilities: [] })
    const [finish] = decisionsOf(run, 'finish')
    expect(finish).toMatchObject({ step: budgetSteps, reason: { key: 'annealed' } })
    expect(finish?.reached).toBeUndefined()
    expect(run.asked.filter(({ kind }) => kind === 'probe')).toEqual([])
  })

  it('ends one block late where the last probe never comes', () => {
    const { state, log } = syntheticRun({ ...job, budgetSteps: 2_000, stepCount: 1_999 })
    expect(state.course.kind).toBe('anneal')
    const step = Array.from({ length: 40 }, (_, i) => state.seen.step + i)
    const samples = { kind: 'samples', columns: { step, loss: step.map(() => 0.2) } } as const
    const { decisions } = tune(state, { ...samples, number: log.length + 1, receivedAt: '' })
    // A block of 2,000 steps is ten long.
    expect(decisions).toMatchObject([{ kind: 'finish', step: 2_010, reason: { key: 'annealed' } }])
  })
})

describe('the switch', () => {
  // At no probe: the guard is as it was.
  const at = 1_010
  const held: SyntheticOptions = {
    ...job,
    budgetSteps: 3_000,
    traceSigma: 0.05,
    commands: { [at]: switchNow },
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'momentum'],
  }
  const stateAt = (options: Partial<SyntheticOptions>, stepsAfter: number) =>
    syntheticRun({ ...held, stepCount: at + stepsAfter, ...options })

  it.each([0, 0.5, 0.9])('leaves the guard what it has seen: momentum %d', (momentum) => {
    const [before, after] = [stateAt({ momentum, commands: {} }, 0), stateAt({ momentum }, 0)].map(
      ({ state }) => state.seen.guard,
    )
    expect(before!.levels.length).toBeGreaterThan(4)
    expect(after).toEqual(before)
  })

  it.each([0, 0.5, 0.9])('makes no jump of the rate, and keeps the momentum as given: %d', (momentum) => {
    const { learningRates, state } = stateAt({ momentum }, 20)
    expect(learningRates[at]).toBe(learningRates[at - 1])
    expect(state.plan.segments.every((segment) => segment.momentum === momentum)).toBe(true)
  })

  it('forgets the gaps of the large rate, which say nothing of the regime at a lower one', () => {
    const averaging = { capabilities: allCapabilities, rateLimits: { min: 0.02, max: 0.02 } }
    const gaps = (commands: SyntheticOptions['commands'] & object) =>
      stateAt({ ...averaging, commands }, 0).state.seen.signals.gap.count
    expect(gaps({})).toBeGreaterThan(0)
    expect(gaps({ [at]: switchNow })).toBe(0)
  })
})
