// Why the rule switches: whole runs whose held-out loss turns up, or follows the training loss only in part.

import { describe, expect, it } from 'vitest'
import { memorisingRatio, shortAnnealShare } from '../estimators/memorising.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { foldValleyProbe, initialSignals, type SignalsState } from '../signals/signals.ts'
import { switchStepOf } from '../state.ts'
import { normals, random } from '../testing/random.ts'
import { runState } from '../testing/runState.ts'
import {
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../testing/syntheticRun.ts'
import { hitsNeeded, hitsWindow, isRising, riseDeviations } from './rule.ts'

const capabilities = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const
const blind = ['microBatchNorms', 'lineProbe'] as const
const budgetSteps = 3_000
const keysOf = (run: SyntheticResult) => run.decisions.map(({ reason }) => reason.key)

/** Signals after probes of these averaged losses. */
const probed = (losses: readonly number[]): SignalsState =>
  losses.reduce(
    (state, loss, index) =>
      foldValleyProbe(
        state,
        {
          kind: 'valley',
          step: index,
          set: 'held-out',
          examples: 512,
          seconds: 0,
          raw: { loss: loss + 0.1 },
          averaged: [{ windowSteps: 10, loss }],
        },
        index + 1,
      ),
    initialSignals(null),
  )
const rises = (losses: readonly number[], change: Parameters<typeof runState>[0] = {}) =>
  isRising(runState({ ...change, seen: { signals: probed(losses) } }), riseDeviations)

describe('a rising held-out loss', () => {
  const draw = normals(random(4))
  const turning = Array.from({ length: 20 }, (_, i) => 1 + (i < 10 ? 0 : 0.05 * (i - 10)) + 0.005 * draw())

  it('is seen at sixteen probes, and not where none are of held-out data', () => {
    expect(rises(turning)).toBe(true)
    expect(rises(turning.slice(0, 10))).toBe(false)
    expect(rises(turning, { options: { capabilities: blind } })).toBe(false)
  })

  it(`needs ${valleyProbesNeeded} probes of the present weights, however clear it is`, () => {
    const signals = probed(turning)
    const rising = (count: number) => {
      const valley = { ...signals.valley, count }
      return isRising(runState({ seen: { signals: { ...signals, valley } } }), riseDeviations)
    }
    expect([valleyProbesNeeded, valleyProbesNeeded - 1].map(rising)).toEqual([true, false])
  })

  it('leaves probes out that are not finite', () => {
    const level = Array.from({ length: 20 }, (_, i) => 1 + (i % 2) / 100)
    expect(rises(level.with(18, Number.NaN).with(19, Number.POSITIVE_INFINITY))).toBe(false)
  })
})

describe('a run that overfits', () => {
  const options = { budgetSteps, learningRate: 0.02, traceSigma: 1, capabilities }
  // From step 600 on the held-out loss rises by .004 a probe, many times its scatter.
  const heldOutExtra = (step: number) => Math.max(0, step - 600) / 24_000

  it('switches at once, anneals over half of the steps so far at most, and finishes early with the reason', () => {
    for (const seed of [1, 2, 3]) {
      const run = syntheticRun({ seed, ...options, heldOutExtra })
      const [decision] = decisionsOf(run, 'switch')
      expect(decision).toMatchObject({ rule: { id: 'rise' }, reason: { key: 'anneal-overfitting' } })
      const { step } = decision!
      expect(step).toBeLessThan(1_700)
      const end = step + Math.ceil(0.5 * step)
      expect(decision?.reason.values.toStep).toBeLessThanOrEqual(end)
      expect(run.state.lifecycle).toBe('finished')
      expect(run.state.seen.step).toBeLessThanOrEqual(end)
      expect(run.state.seen.step).toBeGreaterThan(step)
      expect(run.learningRates).toHaveLength(run.state.seen.step)
    }
  })

  it('and the same run without the rise goes on far longer', () => {
    const run = syntheticRun({ seed: 1, ...options })
    expect(switchStepOf(run.state.course)).toBeGreaterThan(2_000)
    expect(run.state.seen.step).toBe(budgetSteps)
  })

  it('goes back to the averaged weights of the lowest level, where the job keeps them', () => {
    const run = syntheticRun({
      seed: 1,
      ...options,
      capabilities: [...capabilities, 'checkpoint'],
      rateLimits: { min: 0.02, max: 0.02 },
      heldOutExtra,
    })
    const [decision] = decisionsOf(run, 'switch')
    expect(decision?.reason.key).toBe('anneal-overfitting')
    const back = run.asked.filter((action) => action.kind === 'restore')
    expect(back).toMatchObject([{ checkpoint: 'lowest', rewindData: false, atStep: decision?.step }])
    const kept = run.asked.filter((action) => action.kind === 'checkpoint' && action.checkpoint === 'lowest')
    expect(kept.at(-1)).toMatchObject({ weights: 'averaged' })
  })

  it('is not called so by the training loss: without held-out data nothing is known of it', () => {
    const risingLoss = (step: number, loss: number) => loss + Math.max(0, step - 600) / 24_000
    const run = syntheticRun({ seed: 1, ...options, capabilities: blind, reportedLoss: risingLoss })
    expect(keysOf(run)).not.toContain('anneal-overfitting')
    expect(keysOf(run)).not.toContain('anneal-memorising')
  })
})

const memorising: Omit<SyntheticOptions, 'seed'> = {
  budgetSteps,
  learningRate: 0.02,
  floor: 0.02,
  traceSigma: 2,
  capabilities,
}
/** Takes about this much of each e-fold of the steps off what is learned. */
const kept = (loss: number) => (step: number) => loss * Math.log(1 + step / 50)
const ratioOfSwitch = (run: SyntheticResult) =>
  decisionsOf(run, 'switch')[0]?.evidence.find(({ signal }) => signal === 'memorising')
/** End of a short anneal from a step on. */
const shortEnd = (step: number) => step + Math.ceil(shortAnnealShare * step)

describe('a run of whose learning little reaches held-out data', () => {
  it.each([1, 2, 4])('anneals at two such probes of three, finishes early, and says why: seed %i', (seed) => {
    const run = syntheticRun({ seed, ...memorising, heldOutExtra: kept(0.008) })
    const [decision] = decisionsOf(run, 'switch')
    expect(decision).toMatchObject({
      rule: { id: 'memorising' },
      reason: { key: 'anneal-memorising' },
      test: {
        key: 'memorising',
        relation: '<',
        satisfied: true,
        right: { value: memorisingRatio },
        hits: { met: expect.toSatisfy((met) => met >= hitsNeeded), of: hitsWindow },
      },
    })
    const { trainingFall, heldOutFall, sinceStep } = decision!.reason.values
    expect(trainingFall).toBeGreaterThan(heldOutFall!)
    expect(sinceStep).toBeLessThan(decision!.step)
    expect(ratioOfSwitch(run)?.value).toBeLessThan(memorisingRatio)
    const { step } = decision!
    expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: shortEnd(step) } })
    expect(run.learningRates.at(-1)).toBeLessThan(0.002)
  })

  it('is told a person who must approve it, with the step at which it would end', () => {
    const run = syntheticRun({ seed: 1, ...memorising, mode: 'approve', heldOutExtra: kept(0.006) })
    const asked = decisionsOf(run, 'switch').find(({ status }) => status === 'awaiting-approval')
    expect(asked?.reason).toMatchObject({
      key: 'anneal-memorising',
      values: { toStep: shortEnd(asked!.step) },
    })
  })

  it('keeps its end when the budget is raised', () => {
    const heldOutExtra = kept(0.006)
    const { step } = decisionsOf(syntheticRun({ seed: 1, ...memorising, heldOutExtra }), 'switch')[0]!
    const command = { kind: 'set-budget', budgetSteps: 6_000, reason: '', by: 'test' } as const
    const run = syntheticRun({ seed: 1, ...memorising, heldOutExtra, commands: { [step + 100]: command } })
    expect(run.state.seen.step).toBe(shortEnd(step))
  })
})

describe('a run without a budget of whose learning little reaches held-out data', () => {
  const open = { seed: 1, ...memorising, budgetSteps: null, stepCount: 6_000 }

  it('anneals at the third such probe in a row, over .4 of the steps so far, and shows that test', () => {
    const run = syntheticRun({ ...open, heldOutExtra: kept(0.01) })
    const [decision, ...others] = decisionsOf(run, 'switch')
    expect(others).toEqual([])
    expect(decision).toMatchObject({
      reason: { key: 'anneal-memorising' },
      test: { key: 'memorising', satisfied: true, hits: { met: 3, of: 3 } },
    })
    const { step } = decision!
    expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: shortEnd(step) } })
  })

  it('ends because going on is not worth it where all of it reaches them', () => {
    expect(decisionsOf(syntheticRun(open), 'switch')).toMatchObject([{ reason: { key: 'anneal-tolerance' } }])
  })
})

describe('a run of whose learning all reaches held-out data', () => {
  it.each([1, 4, 40])('anneals to the end of the budget: noise %d', (traceSigma) => {
    const run = syntheticRun({ seed: 1, ...memorising, traceSigma })
    expect(keysOf(run)).not.toContain('anneal-memorising')
    expect(keysOf(run)).not.toContain('cut-memorising')
    expect(run.state.seen.step).toBe(budgetSteps)
  })

  it('is not judged without held-out losses', () => {
    const run = syntheticRun({ seed: 1, ...memorising, capabilities: blind, heldOutExtra: kept(0.006) })
    expect(keysOf(run)).not.toContain('anneal-memorising')
    expect(ratioOfSwitch(run)).toBeUndefined()
  })
})
