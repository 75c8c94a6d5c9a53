// Samples one by one: what they move between decisions.

import { describe, expect, it } from 'vitest'
import type { Observation, SampleColumns } from '../../protocol/vocabulary.ts'
import { summaryOf, type TunerState, tune } from '../index.ts'
import { largeState, runState } from '../testing/runState.ts'
import { decisionsOf, syntheticRun } from '../testing/syntheticRun.ts'

const fold = (state: TunerState, columns: SampleColumns, planVersion?: number) =>
  tune(state, {
    kind: 'samples',
    columns,
    number: 100,
    receivedAt: '2026-01-01T00:00:00.000Z',
    ...(planVersion === undefined ? {} : { planVersion }),
  } as Observation)

describe('bad samples', () => {
  const state = runState()

  it('never throw: they are counted and left out', () => {
    const { badSamples } = fold(state, {
      step: [1_000, 1_000, 999, 3, 1_001, 1_002, 1_003, 1e12],
      loss: [Number.NaN, 1, 1, 1, Number.POSITIVE_INFINITY, 1, Number.NaN, 1],
      gradientNormSquared: [1, 1, 1, 1, 1, Number.NaN, Number.NaN, 1],
      skipped: [0, 0, 0, 0, 0, 0, 1, 0],
    }).state.seen.signals
    expect(badSamples).toEqual({
      nonFinite: 2,
      nonFiniteNorms: 1,
      skipped: 1,
      outOfOrder: 2,
      repeated: 1,
      farAhead: 1,
    })
  })

  it('move the clock by those that are believed alone', () => {
    const seen = fold(state, { step: [1_000, 1_001, 1e12, 500], loss: [1, 1, 1, 1] }).state.seen
    expect(seen).toMatchObject({ step: 1_002, strideSteps: 1 })
  })
})

describe('the length of a run in large steps', () => {
  const at = (learningRate: number | null, rate: number | null = 0.1) => {
    const { seen } = fold(runState({ course: largeState({ rate }) }), {
      step: [1_000],
      loss: [1],
      learningRate: [learningRate],
    }).state
    return seen.runLength
  }

  it('grows by the share of the large rate that a step has, a hundredfold at most', () => {
    expect(at(0.1)).toBe(1)
    expect(at(0.025)).toBe(0.25)
    expect(at(0)).toBe(0)
    expect(at(1e6)).toBe(100)
  })

  it('of a job with a rate of its own counts each step for one', () => {
    expect(at(0.003, null)).toBe(1)
  })

  it('stands still while the answer to a restore is awaited', () => {
    const run = runState()
    const awaited = { actionId: 'a-1', cause: 'guard', sinceStep: 1_000, runLength: 5 } as const
    const waiting = { ...run, trajectory: { validFromStep: 0, awaited } }
    expect(fold(waiting, { step: [1_000], loss: [1], learningRate: [0.1] }).state.seen.runLength).toBe(0)
  })
})

describe('a job that does not tell its rate', () => {
  it('is taken to follow the plan where one is steered, and its rate is not known where none is', () => {
    const job = {
      seed: 1,
      budgetSteps: 2_000,
      stepCount: 300,
      learningRate: 0.02,
      reportsRate: false,
    } as const
    const steered = syntheticRun({ ...job, capabilities: [] })
    expect(steered.state.seen.learningRate).toBe(0.02)
    expect(steered.state.seen.runLength).toBeGreaterThan(200)
    const alone = syntheticRun({ ...job, mode: 'advisory', capabilities: [] })
    expect(alone.state.seen.learningRate).toBeNull()
    expect(decisionsOf(alone, 'drift')).toEqual([])
    expect(summaryOf(alone.state).learningRate).toBeNull()
  })
})

describe('what is charted of samples', () => {
  it('is the smoothed loss, once a block', () => {
    const step = Array.from({ length: 30 }, (_, i) => 1_000 + i)
    const { readings } = fold(runState(), { step, loss: step.map(() => 2) })
    const smoothed = readings.filter(({ signal }) => signal === 'lossSmoothed')
    expect(smoothed.map((reading) => reading.step)).toEqual([1_009, 1_019, 1_029])
    for (const { value } of smoothed) expect(value).toBeCloseTo(2, 12)
  })
})
