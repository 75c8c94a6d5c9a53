// Why it is not yet time: one key for each thing that is wanting, on whole runs and on single states.

import { describe, expect, it } from 'vitest'
import type { Capability, Decision } from '../../../protocol/vocabulary.ts'
import { type TunerState, tune } from '../../index.ts'
import { commandedRun, common, slow } from '../../testing/commandedRun.ts'
import { largeState, runState } from '../../testing/runState.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../../testing/syntheticRun.ts'
import { judgementNow } from '../judgement.ts'
import { whyNotYet } from './hold.ts'

const measuring: readonly Capability[] = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe']
const job: SyntheticOptions = { seed: 1, budgetSteps: 3_000, learningRate: 0.02, capabilities: measuring }
const holdsOf = (options: Partial<SyntheticOptions>): readonly Decision[] =>
  decisionsOf(syntheticRun({ ...job, ...options }), 'hold')

describe('a hold', () => {
  const slowly = holdsOf({ traceSigma: 0.05 })

  it('says first how many probes there are of those needed', () => {
    expect(slowly.slice(0, 7).map(({ reason }) => [reason.key, reason.values.count])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((count) => ['few-probes', count]),
    )
    expect(slowly[0]?.reason.values).toMatchObject({ needed: 8, rate: expect.any(Number) })
  })

  it('then compares both sides, as its test has them, and says when they meet', () => {
    const late = slowly.at(-1)!
    expect(late.reason.key).toBe('staying-gains')
    const { staying, annealing, probability, earliestStep } = late.reason.values
    expect(late.test).toMatchObject({
      key: 'marginal-cost',
      left: { value: staying },
      right: { value: annealing },
      relation: '<=',
      satisfied: false,
    })
    expect(staying).toBeGreaterThan(annealing!)
    expect(probability).toBe(late.test?.probability)
    expect(earliestStep).toBe(late.earliestStep)
    expect(late.whyNotYet).toBeDefined()
    expect(late.alternatives.map(({ kind }) => kind)).toContain('now')
  })

  it('before three quarters of the budget says that it is too early, and with one hit how many are needed', () => {
    const keys = holdsOf({ traceSigma: 40 }).map(({ reason, step }) => ({ key: reason.key, step }))
    const early = keys.filter(({ key }) => key === 'too-early')
    expect(early.length).toBeGreaterThan(0)
    expect(early.every(({ step }) => step < 2_250)).toBe(true)
    const hits = [1, 2, 3, 4, 5, 6].flatMap((seed) => holdsOf({ traceSigma: 4, seed }))
    expect(hits.find(({ reason }) => reason.key === 'hits')?.reason.values).toMatchObject({
      met: 1,
      needed: 2,
    })
  })

  it('says that no gain is measured where averaged weights show none', () => {
    const without = holdsOf({
      traceSigma: 0,
      capabilities: ['heldOutLoss', 'averagedWeights'],
      curvatureMin: 0.5,
    })
    expect(without.some(({ reason }) => reason.key === 'no-gain')).toBe(true)
  })

  it('says that the rate is set by hand', () => {
    const override = { kind: 'override', learningRate: 0.01, untilStep: 800, ...common } as const
    const held = decisionsOf(commandedRun({ 500: override }), 'hold').filter(
      ({ step }) => step > 500 && step < 800,
    )
    expect(held.length).toBeGreaterThan(3)
    expect(held.every(({ reason }) => reason.key === 'by-hand' && reason.values.untilStep === 800)).toBe(true)
  })

  it('is blind where nothing that is reported can tell, and names the step of the fallback plan', () => {
    const run = runState({ options: { capabilities: ['heldOutLoss'] } })
    expect(whyNotYet(run, largeState(), judgementNow(run))).toEqual({
      key: 'blind',
      values: { fallback: 2_250 },
    })
  })
})

describe('probes that take as long as a thousand steps', () => {
  const { state, log } = syntheticRun({ ...job, traceSigma: 0.05, stepCount: 100 })
  const probed = (run: TunerState) => {
    const { step } = run.seen
    const probe = { ...log.flatMap((entry) => (entry.kind === 'probe' ? [entry.probe] : [])).at(-1)!, step }
    const head = { number: log.length + 1, receivedAt: '2026-01-01T00:00:00.000Z' }
    return tune(run, { ...head, kind: 'probe', probe: { ...probe, seconds: 1_000 } })
  }

  it('are said once to be too dear to decide by, with the step of the fallback plan', () => {
    // One that takes so long is taken for a cold start, and two.
    const cold = probed(probed(state).state)
    expect(cold.decisions.map(({ reason }) => reason.key)).toContain('few-probes')
    const first = probed(cold.state)
    expect(first.decisions).toMatchObject([
      { kind: 'hold', reason: { key: 'probes-too-dear', values: { needed: 8, fallback: 2_250 } } },
    ])
    const { stepsEach, probes } = first.decisions[0]!.reason.values
    expect(stepsEach).toBeGreaterThan(1_000)
    expect(probes).toBeLessThan(8)
    expect(probed(first.state).decisions.map(({ reason }) => reason.key)).toEqual(['few-probes'])
  })
})

describe('probes of which eight would take more than a fifth of the time', () => {
  const run = syntheticRun({ ...job, traceSigma: 0.05, probeSeconds: 4 })
  const reasons = run.decisions.map(({ reason }) => reason.key)

  it('are said to be too dear before the large step has seen one, by what those of the race took', () => {
    expect(reasons.filter((key) => key === 'probes-too-dear')).toHaveLength(1)
    const [told] = run.decisions.filter(({ reason }) => reason.key === 'probes-too-dear')
    expect(told?.step).toBeLessThan(400)
  })

  it('leave the switch to the fallback plan of a job that cannot be judged, with the true reason', () => {
    const [decision] = decisionsOf(run, 'switch')
    expect(decision).toMatchObject({ step: 2_250, reason: { key: 'anneal-fallback-few' } })
    expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: 3_000 } })
  })
})

describe('under advice', () => {
  it('nothing new is said as long as the advice stands', () => {
    const run = syntheticRun({ ...slow, mode: 'advisory' })
    const advised = decisionsOf(run, 'switch')[0]!.step
    expect(run.decisions.filter(({ step, kind }) => step > advised && kind === 'hold')).toEqual([])
  })
})
