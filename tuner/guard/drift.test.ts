import { describe, expect, it } from 'vitest'
import type { Observation, Segment } from '../../protocol/vocabulary.ts'
import { summaryOf, type TunerState, tune } from '../index.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'
import { type DriftState, driftSteps, isDrifting, noDrift, watchRate } from './drift.ts'

const held = (rate: number): readonly Segment[] => [
  { fromStep: 0, toStep: 1_000, shape: 'constant', from: rate, to: rate },
]
/** What a job may follow: the plan in force, those before it, and the one that it names. */
const watchedBy = (change: Partial<Parameters<typeof watchRate>[1]> = {}) => ({
  plan: { version: 3, segments: held(0.1) },
  issued: [],
  followed: null,
  isClimbing: false,
  ...change,
})
const applied = (
  rates: readonly number[],
  { from = noDrift, by = watchedBy(), firstStep = 0 } = {},
): DriftState => rates.reduce((state, rate, i) => watchRate(state, by, firstStep + i, rate), from)
const times = (count: number, rate: number) => Array<number>(count).fill(rate)

describe('a job that applies another rate than the planned one', () => {
  it('drifts after fifty steps in a row, from the first of them on', () => {
    expect(isDrifting(applied(times(driftSteps - 1, 0.05)))).toBe(false)
    const state = applied(times(driftSteps, 0.05), { firstStep: 200 })
    expect(isDrifting(state)).toBe(true)
    expect(state.since).toEqual({ step: 200, applied: 0.05, planned: 0.1 })
  })

  it('does not where it comes back before, nor within a tenth of the planned rate', () => {
    expect(applied([...times(30, 0.05), 0.1])).toEqual(noDrift)
    expect(applied(times(200, 0.091))).toBe(noDrift)
    expect(isDrifting(applied(times(200, 0.089)))).toBe(true)
  })

  it('that was told of is done once it has followed for as long', () => {
    const told = { ...applied(times(60, 0.05)), isTold: true }
    expect(isDrifting(applied(times(driftSteps - 1, 0.1), { from: told }))).toBe(true)
    expect(applied(times(driftSteps, 0.1), { from: told })).toEqual(noDrift)
  })

  it('does not where any plan gives that rate which it may have heard of', () => {
    const issued = [{ version: 1, segments: held(0.05) }]
    expect(applied(times(100, 0.05), { by: watchedBy({ issued }) })).toBe(noDrift)
    // A plan that it names is the only one.
    const followed = { version: 2, segments: held(0.02) }
    expect(isDrifting(applied(times(100, 0.05), { by: watchedBy({ issued, followed }) }))).toBe(true)
    expect(applied(times(100, 0.02), { by: watchedBy({ issued, followed }) })).toBe(noDrift)
  })

  it('does not where its tripwire holds it low', () => {
    const tripwire = { lossAbove: 1, gradientNormAbove: null, thenLearningRate: 0.01 }
    const by = watchedBy({ plan: { version: 3, segments: held(0.1), tripwire } })
    expect(applied(times(100, 0.01), { by })).toBe(noDrift)
  })
})

describe('a run whose job goes its own way', () => {
  const job: SyntheticOptions = {
    seed: 1,
    budgetSteps: 2_000,
    learningRate: 0.02,
    traceSigma: 0.05,
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe'],
  }
  const run = syntheticRun({ ...job, appliedRate: (step, planned) => (step < 500 ? planned : 0.005) })

  it('is told so once, with the two rates', () => {
    expect(decisionsOf(run, 'drift')).toMatchObject([
      {
        status: 'applied',
        rule: { id: 'drift' },
        reason: { key: 'drift', values: { sinceStep: 500, applied: 0.005, planned: 0.02 } },
      },
    ])
    const [{ step } = { step: 0 }] = decisionsOf(run, 'drift')
    expect(step).toBe(500 + driftSteps)
  })

  it('and its summary says so, and claims no switch that was not applied', () => {
    const { drift, switchStep } = summaryOf(run.state)
    expect(drift).toMatchObject({ sinceStep: 500, applied: 0.005 })
    expect(switchStep).toBeNull()
    expect(decisionsOf(run, 'switch')).toHaveLength(1)
  })

  it('is told again only after it had followed', () => {
    const away = (step: number) => (step >= 500 && step < 700) || (step >= 1_000 && step < 1_200)
    const twice = syntheticRun({ ...job, appliedRate: (step, planned) => (away(step) ? 0.005 : planned) })
    expect(decisionsOf(twice, 'drift').map(({ reason }) => reason.values.sinceStep)).toEqual([500, 1_000])
    expect(summaryOf(twice.state).drift).toBeNull()
    expect(summaryOf(twice.state).switchStep).not.toBeNull()
  })

  it('that says nothing of its rate, or is not steered, is not accused', () => {
    const appliedRate = () => 0.005
    for (const change of [{ reportsRate: false }, { mode: 'advisory' }, { mode: 'off' }] as const)
      expect(decisionsOf(syntheticRun({ ...job, appliedRate, ...change }), 'drift')).toEqual([])
  })
})

describe('the plan that a batch names', () => {
  const { state, log } = syntheticRun({
    seed: 1,
    budgetSteps: 2_000,
    stepCount: 300,
    learningRate: 0.02,
    traceSigma: 0.05,
    capabilities: [],
    namesPlan: true,
  })
  const named = (from: TunerState, planVersion: number | undefined) =>
    tune(from, {
      kind: 'samples',
      columns: { step: [from.seen.step], loss: [1] },
      number: log.length + 1,
      receivedAt: '',
      ...(planVersion === undefined ? {} : { planVersion }),
    } as Observation).state

  it('is the one that it follows, by whatever version asked for the same rates', () => {
    const latest = named(state, state.plan.version)
    expect(latest.followed?.version).toBe(state.plan.version)
    expect(latest.followed?.segments).toEqual(state.issued.at(-1)?.segments)
    const [oldest] = state.issued
    expect(named(state, oldest!.version).followed?.segments).toEqual(oldest!.segments)
  })

  it('stays as it was where the named version is not known any more, and is none where none is named', () => {
    const latest = named(state, state.plan.version)
    expect(named(latest, 0).followed).toEqual(latest.followed)
    expect(named(latest, undefined).followed).toBeNull()
  })

  it('gives the rate of a job that does not tell its own', () => {
    const slow = { version: 1, segments: held(0.003) }
    const followed = { ...named(state, state.plan.version), issued: [slow] }
    expect(named(followed, 1).seen.learningRate).toBe(0.003)
  })
})
