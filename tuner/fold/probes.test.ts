// What a probe costs, and which probes count.

import { describe, expect, it, vi } from 'vitest'
import type { Observation, ValleyProbe } from '../../protocol/vocabulary.ts'
import { valleySlope } from '../estimators/valleySlope.ts'
import { initialState, tune } from '../index.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'

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
const valleyAt = (step: number, set: ValleyProbe['set'] = 'held-out'): ValleyProbe => ({
  kind: 'valley',
  step,
  set,
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
  it('of training examples counts for its cost alone where the job has held-out ones', () => {
    const { state } = run
    const probe = valleyAt(state.step, 'train')
    const folded = tune(state, { ...observed, kind: 'probe', probe })
    expect(folded.decisions).toEqual([])
    expect(folded.readings).toEqual([])
    const { cost, probeSecondsMean, ...signals } = folded.state.signals
    expect(state.signals).toMatchObject(signals)
    expect(cost.probe).toBeCloseTo(state.signals.cost.probe! + probe.seconds, 12)
    expect(probeSecondsMean).toBeCloseTo(probe.seconds, 12)
    expect(folded.state).toMatchObject({ divergence: state.divergence, rule: state.rule, plan: state.plan })
  })

  it('of training examples alone leaves the run to the fallback plan, which says so', () => {
    const log = run.log.map(
      (observation): Observation =>
        observation.kind === 'probe' && observation.probe.kind === 'valley'
          ? { ...observation, probe: { ...observation.probe, set: 'train' } }
          : observation,
    )
    const decisions = []
    let state = initialState()
    for (const observation of log) {
      const next = tune(state, observation)
      state = next.state
      decisions.push(...next.decisions)
    }
    expect(decisions.find(({ kind }) => kind === 'switch')?.summary).toBe(
      'Annealing from step 900 to 3,000 by the fallback plan: the job offers heldOutLoss, but none of its valley probes was of the set "held-out".',
    )
  })

  it('in the anneal spaces the next ones out if it was dear, and leaves the course as it is', () => {
    const { state } = syntheticRun({
      seed: 1,
      budgetSteps: 6_000,
      stepCount: 5_700,
      learningRate: 0.02,
      traceSigma: 0.05,
      capabilities,
    })
    expect(state.phase).toBe('anneal')
    const fold = (seconds: number) => {
      const probe = { ...valleyAt(state.step), seconds }
      return tune(state, { ...observed, kind: 'probe', probe }).state.plan
    }
    expect(fold(0.001).cadence?.valleySteps).toBe(160)
    const dear = fold(1_000)
    expect(dear.cadence?.valleySteps).toBe(320)
    expect(dear.segments).toEqual(state.plan.segments)
    expect(dear.version).toBe(state.plan.version + 1)
  })

  it('of training examples among held-out ones moves no decision', () => {
    const mixed = run.log.flatMap((observation): Observation[] =>
      observation.kind === 'probe' && observation.probe.kind === 'valley'
        ? [
            { ...observation, probe: { ...observation.probe, ...valleyAt(observation.probe.step, 'train') } },
            observation,
          ]
        : [observation],
    )
    const decisions = []
    let state = initialState()
    for (const observation of mixed) {
      const next = tune(state, observation)
      state = next.state
      decisions.push(...next.decisions)
    }
    expect(mixed.length).toBeGreaterThan(run.log.length)
    expect(decisions).toEqual(run.decisions)
  })
})
