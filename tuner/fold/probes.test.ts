// What a probe costs, and which probes count.

import { describe, expect, it, vi } from 'vitest'
import type { Observation, ValleyProbe } from '../../protocol/vocabulary.ts'
import { valleySlope } from '../estimators/valleySlope.ts'
import { tune } from '../index.ts'
import { foldedLog } from '../testing/laws/logs.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'

// Without a checkpoint there is no race; with little noise the large step is held to the deadline.
const capabilities = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const
const run = syntheticRun({
  seed: 1,
  budgetSteps: 3_000,
  stepCount: 2_400,
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
    const { decisions } = tune(run.state, {
      ...observed,
      kind: 'probe',
      probe: valleyAt(run.state.seen.step),
    })
    expect(decisions.map(({ kind }) => kind)).toEqual(['hold'])
    expect(read).toHaveBeenCalledTimes(1)
    read.mockRestore()
  })
  it('of training examples counts for its cost alone where the job has held-out ones', () => {
    const { state } = run
    const probe = valleyAt(state.seen.step, 'train')
    const folded = tune(state, { ...observed, kind: 'probe', probe })
    expect(folded.decisions).toEqual([])
    expect(folded.readings).toEqual([])
    const { cost, probeSeconds, ...signals } = folded.state.seen.signals
    expect(state.seen.signals).toMatchObject(signals)
    expect(cost.probe).toBeCloseTo(state.seen.signals.cost.probe! + probe.seconds, 12)
    expect(probeSeconds.at(-1)).toBe(probe.seconds)
    expect(folded.state).toMatchObject({ course: state.course, plan: state.plan })
    expect(folded.state.seen.guard).toEqual(state.seen.guard)
  })

  it('of training examples alone leaves the run to the fallback plan, which says so', () => {
    const log = run.log.map(
      (observation): Observation =>
        observation.kind === 'probe' && observation.probe.kind === 'valley'
          ? { ...observation, probe: { ...observation.probe, set: 'train' } }
          : observation,
    )
    const { decisions } = foldedLog(log)
    expect(decisions.find(({ kind }) => kind === 'switch')).toMatchObject({
      step: 2_250,
      reason: { key: 'anneal-fallback-wrong-set' },
    })
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
    expect(state.course.kind).toBe('anneal')
    const fold = (seconds: number) => {
      const probe = { ...valleyAt(state.seen.step), seconds }
      return tune(state, { ...observed, kind: 'probe', probe }).state.plan
    }
    expect(fold(0.001).cadence?.valleySteps).toBe(160)
    const dear = fold(1_000)
    expect(dear.cadence?.valleySteps).toBeGreaterThan(160)
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
    const { decisions } = foldedLog(mixed)
    expect(mixed.length).toBeGreaterThan(run.log.length)
    expect(decisions).toEqual(run.decisions)
  })
})

describe('the clock', () => {
  const { state } = run
  const probed = (step: number) => tune(state, { ...observed, kind: 'probe', probe: valleyAt(step) })

  it('is never moved by a probe', () => {
    for (const step of [state.seen.step, state.seen.step + 60, state.seen.step - 300, 1e9])
      expect(probed(step).state.seen.step).toBe(state.seen.step)
  })

  it('a probe far ahead of it, counted in another unit, is left out and counted', () => {
    const far = probed(1e9)
    expect(far.decisions).toEqual([])
    expect(far.state.seen.signals.badSamples.farAhead).toBe(1)
    expect(far.state.seen.signals.valley).toEqual(state.seen.signals.valley)
  })

  it('a probe before the first sample is at whatever step it says', () => {
    const start = run.log[0]!
    const first: Observation = { ...observed, kind: 'probe', probe: valleyAt(0) }
    const early = foldedLog([start, first])
    expect(early.state.seen).toMatchObject({ step: 0, origin: null })
    expect(early.state.seen.signals.valley.count).toBe(0)
  })

  it('a probe of weights that were undone is left out', () => {
    const undone = { ...state, trajectory: { validFromStep: state.seen.step, awaited: null } }
    const late = tune(undone, { ...observed, kind: 'probe', probe: valleyAt(state.seen.step - 10) })
    expect(late.state).toBe(undone)
  })
})

describe('a probe of a kind that is not known any more', () => {
  it('is passed over', () => {
    const fork = { kind: 'fork', step: run.state.seen.step, seconds: 1 } as unknown as ValleyProbe
    expect(tune(run.state, { ...observed, kind: 'probe', probe: fork }).state).toBe(run.state)
  })
})
