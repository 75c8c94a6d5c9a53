// What a probe costs, and which probes count.

import { describe, expect, it, vi } from 'vitest'
import { valleySlope } from './estimators/valleySlope.ts'
import { tune } from './index.ts'
import { syntheticRun } from './testing/syntheticRun.ts'

// Without a checkpoint there is no race; with little noise the large step is held to the deadline.
const capabilities = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const
const run = syntheticRun({
  seed: 1,
  budgetSteps: 3_000,
  stepCount: 1_450,
  learningRate: 0.02,
  traceSigma: 0.05,
  capabilities,
})
const valleyAt = (step: number) => ({
  kind: 'valley' as const,
  step,
  set: 'held-out' as const,
  examples: 512,
  seconds: 0.001,
  raw: { loss: 0.5 },
  averaged: [{ windowSteps: 10, loss: 0.4 }],
})
const observed = { number: run.log.length + 1, receivedAt: '2026-01-01T00:00:00.000Z' }

describe('a valley probe', () => {
  it('fits the valley once, whatever is then judged by it', () => {
    const read = vi.spyOn(valleySlope, 'read')
    const { decisions } = tune(run.state, { ...observed, kind: 'probe', probe: valleyAt(run.state.step) })
    expect(decisions.map(({ kind }) => kind)).toEqual(['hold'])
    expect(read).toHaveBeenCalledTimes(1)
    read.mockRestore()
  })
})
