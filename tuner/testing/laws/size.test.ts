// A run of any length: the state stays small, and nothing that is kept grows, so the cost per sample cannot.

import { describe, expect, it } from 'vitest'
import type { Observation, RunOptions } from '../../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../index.ts'
import { normals, random } from '../random.ts'
import { allCapabilities } from '../syntheticRun.ts'

const options = (budgetSteps: number | null): RunOptions => ({
  name: 'long',
  project: 'test',
  tags: [],
  framework: 'none',
  optimizer: { name: 'sgd', family: 'sgd', momentum: 0.9, weightDecay: null },
  budgetSteps,
  warmupSteps: null,
  firstStep: null,
  mode: 'auto',
  capabilities: allCapabilities.filter((capability) => capability !== 'checkpoint'),
  learningRate: { initial: 0.1, min: null, max: null },
  settings: {},
})

const batchSteps = 10_000

/** A long healthy run in batches of 10,000 samples, a valley probe after each fifth of one; states by step. */
function longRun(stepCount: number, budgetSteps: number | null): Map<number, TunerState> {
  const draw = normals(random(9))
  let state = initialState()
  let number = 0
  const fold = (body: object) => {
    state = tune(state, { ...body, number: ++number, receivedAt: '' } as Observation).state
  }
  const lossAt = (step: number) => 0.5 + 3 / Math.sqrt(1 + step / 1_000)
  fold({ kind: 'start', runId: 'long', options: options(budgetSteps) })
  const states = new Map<number, TunerState>()
  for (let from = 0; from < stepCount; from += batchSteps / 5) {
    const step = Array.from({ length: batchSteps / 5 }, (_, i) => from + i)
    const loss = step.map((at) => lossAt(at) + 0.1 * draw())
    const norms = { gradientNormSquared: step.map(() => 1), microGradientNormSquared: step.map(() => 2) }
    const sizes = { batchSize: step.map(() => 32), microBatchSize: step.map(() => 8) }
    fold({ kind: 'samples', columns: { step, loss, learningRate: step.map(() => 0.1), ...norms, ...sizes } })
    const at = from + batchSteps / 5
    const raw = { loss: lossAt(at) + 0.05 + 0.01 * draw() }
    const averaged = [{ windowSteps: 10, loss: lossAt(at) + 0.001 * draw() }]
    const probe = { kind: 'valley', step: at, set: 'held-out', examples: 512, seconds: 0.1, raw, averaged }
    if (from % batchSteps === 0) fold({ kind: 'probe', probe })
    states.set(at, state)
  }
  return states
}

/** Length of the longest list anywhere in a value, and of all of them together. */
function listLengths(value: unknown): { longest: number; total: number } {
  if (typeof value !== 'object' || value === null) return { longest: 0, total: 0 }
  const own = Array.isArray(value) ? value.length : 0
  const inner = Object.values(value).map(listLengths)
  return {
    longest: Math.max(own, ...inner.map(({ longest }) => longest)),
    total: inner.reduce((sum, { total }) => sum + total, own),
  }
}

describe('a run of any length', () => {
  it.each([
    [1_000_000, null],
    [200_000, 2_000_000],
  ])('has a state of at most 64 kB of JSON after %i samples (budget %s)', (stepCount, budgetSteps) => {
    const states = longRun(stepCount, budgetSteps)
    const state = states.get(stepCount)!
    const text = JSON.stringify(state)
    expect(text.length).toBeLessThanOrEqual(64 * 1024)
    expect(JSON.parse(text)).toEqual(state)
    // What is kept after a fifth of the run, and after the whole of it, has the same bounds.
    for (const step of [stepCount / 5, stepCount / 2, stepCount]) {
      const { longest, total } = listLengths(states.get(step))
      expect(longest, `step ${step}`).toBeLessThanOrEqual(512)
      expect(total, `step ${step}`).toBeLessThanOrEqual(1_200)
    }
  })
})
