// The first observation, and the first reports, which tell where the job's counter began.

import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { RunOptions } from '../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune, tunerVersion } from '../index.ts'
import { deadlineStep, endOf, lengthOf } from '../plan/bounds.ts'
import { runState } from '../testing/runState.ts'

const options = (change: Partial<RunOptions> = {}): RunOptions => ({
  ...runState().options,
  mode: 'auto',
  capabilities: [],
  budgetSteps: 2_000,
  learningRate: { initial: 0.1, min: null, max: null },
  ...change,
})
const head = { number: 1, receivedAt: '2026-01-01T00:00:00.000Z' }
const started = (change: Partial<RunOptions> = {}) =>
  tune(initialState(), { ...head, kind: 'start', runId: 'r', options: options(change) })
const reported = (state: TunerState, steps: readonly number[]) =>
  tune(state, { ...head, kind: 'samples', columns: { step: steps, loss: steps.map(() => 1) } })

describe('a run', () => {
  it('begins with one record, a plan of version 1 and the present version of the tuner', () => {
    const { state, decisions } = started()
    expect(decisions).toMatchObject([
      {
        number: 1,
        kind: 'start',
        step: 0,
        reason: { key: 'start-given', values: { rate: 0.1, length: 2_000, isGiven: 1, deadline: 1_800 } },
      },
    ])
    expect(state.tunerVersion).toBe(tunerVersion)
    expect(state.plan.version).toBe(1)
    expect(state.phases).toEqual([{ phase: 'large', fromStep: 0, toStep: null }])
  })

  it('climbs to its rate over 5 % of its steps, from a twentieth of it', () => {
    const { plan } = started().state
    expect(evaluatePlan(plan, 0).learningRate).toBeCloseTo(0.005, 12)
    expect(evaluatePlan(plan, 50).learningRate).toBeCloseTo(0.0525, 12)
    expect(evaluatePlan(plan, 100).learningRate).toBe(0.1)
  })

  it('climbs over the job’s own warm-up where it says that it has one, and at once where it has none', () => {
    const own = started({ warmupSteps: 400 }).state.plan
    expect(evaluatePlan(own, 200).learningRate).toBeCloseTo(0.0525, 12)
    expect(evaluatePlan(own, 400).learningRate).toBe(0.1)
    expect(evaluatePlan(started({ warmupSteps: 0 }).state.plan, 0).learningRate).toBe(0.1)
  })

  it('takes the options of version 0.1.0, which tell less', () => {
    const old = options()
    const stored = {
      ...old,
      optimizer: { name: 'AdamW', momentum: null },
      learningRate: { initial: null, min: null, max: null },
      warmupSteps: undefined,
      firstStep: undefined,
    } as unknown as RunOptions
    const { state } = tune(initialState(), { ...head, kind: 'start', runId: 'r', options: stored })
    expect(state.options.optimizer).toEqual({
      name: 'AdamW',
      momentum: null,
      family: 'adam',
      weightDecay: null,
    })
    expect(state.options).toMatchObject({ warmupSteps: null, firstStep: null })
    expect(evaluatePlan(state.plan, 100).learningRate).toBe(0.001)
  })
})

describe('a counter that begins elsewhere', () => {
  it.each([500, 123_456])(
    'is known by the second report, and the plan laid anew from there: %i',
    (origin) => {
      const first = reported(started().state, [origin])
      const { state, decisions } = reported(first.state, [origin + 1])
      const noted = [...first.decisions, ...decisions].filter(({ reason }) => reason.key === 'origin')
      expect(noted).toMatchObject([{ kind: 'hold', reason: { values: { origin, end: endOf(state) } } }])
      expect(state.seen.origin).toBe(origin)
      const end = endOf(state)!
      expect(lengthOf(state)).toBe(end - origin)
      expect(evaluatePlan(state.plan, end).learningRate).toBe(0)
      expect(deadlineStep(state)).toBe(origin + Math.floor(0.9 * (end - origin)))
    },
  )

  it('makes a budget above it where the counter ends, and one at or below it the steps to take: both are said', () => {
    for (const [origin, end] of [
      [500, 2_000],
      [1_900, 2_000],
      [2_000, 4_000],
      [50_000, 52_000],
    ] as const) {
      const { state, decisions } = reported(started().state, [origin, origin + 1])
      expect([endOf(state), lengthOf(state)]).toEqual([end, end - origin])
      expect(decisions.at(-1)?.reason.values).toEqual({ origin, end, budgetSteps: 2_000 })
      expect(state.phases[0]).toMatchObject({ fromStep: origin })
      // Blocks of the length that they have in a run of so many steps from 0 on.
      const same = started({ budgetSteps: end - origin }).state.seen.signals.lossBlocks
      expect(state.seen.signals.lossBlocks.blockSteps).toBe(same.blockSteps)
    }
  })

  it('is none where a job logs each so many steps: the first of them is its first stride', () => {
    for (const steps of [
      [9, 19],
      [10, 20],
      [100, 200],
    ]) {
      const { state, decisions } = reported(started().state, steps)
      expect(state.seen.origin).toBe(0)
      expect(decisions).toEqual([])
      expect(endOf(state)).toBe(2_000)
    }
  })

  it('is as told where the job names its first step', () => {
    const { state, decisions } = started({ firstStep: 700 })
    expect(state.seen).toMatchObject({ origin: 700, isOriginSure: true, step: 700 })
    expect(decisions[0]).toMatchObject({ step: 700, reason: { values: { length: 1_300 } } })
    expect(evaluatePlan(state.plan, 733).learningRate).toBeCloseTo(0.05325, 3)
    expect(reported(state, [700, 701]).decisions).toEqual([])
  })
})
