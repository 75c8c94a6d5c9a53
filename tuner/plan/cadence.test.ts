// How often the job measures: distances that grow with the steps so far, and with what measuring costs.

import { describe, expect, it } from 'vitest'
import type { SignalsState } from '../signals/signals.ts'
import { largeState, type RunChange, runState } from '../testing/runState.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'
import { cadenceOf, evaluationDistance, ownDistance, patienceStep, tooFewProbes } from './cadence.ts'
import { openEndSteps } from './segments.ts'

const signals = runState().seen.signals
const at = (step: number, change: RunChange & { signals?: Partial<SignalsState> } = {}) => {
  const { signals: more, ...rest } = change
  return runState({ ...rest, seen: { step, ...change.seen, signals: { ...signals, ...more } } })
}
const valleyStepsAt = (step: number, change: Parameters<typeof at>[1] = {}) =>
  cadenceOf(at(step, change))!.valleySteps!

describe('what is measured', () => {
  it('is only what is offered, and nothing in the search', () => {
    expect(cadenceOf(at(1_000, { options: { capabilities: [] } }))).toMatchObject({
      valleySteps: null,
      lineSteps: null,
      microBatchSteps: null,
    })
    const { state } = syntheticRun({ seed: 1, budgetSteps: 2_000, stepCount: 10 })
    expect(state.course.kind).toBe('search')
    expect(cadenceOf(state)).toMatchObject({ valleySteps: null, lineSteps: null, microBatchSteps: null })
  })
})

describe('the distance of valley probes', () => {
  it('grows with the steps so far, whatever the budget', () => {
    const distances = (budgetSteps: number) =>
      [100, 500, 1_000, 2_000, 2_600].map((step) => valleyStepsAt(step, { budgetSteps }))
    expect(distances(3_000)).toEqual([20, 30, 60, 120, 120])
    expect(distances(30_000)).toEqual(distances(3_000))
    expect(valleyStepsAt(25_000, { budgetSteps: 30_000 })).toBe(160)
    expect([100, 1_000, 4_000, 20_000].map((step) => valleyStepsAt(step, { budgetSteps: null }))).toEqual([
      20, 40, 160, 320,
    ])
  })

  it('counts from the job’s first step', () => {
    const origin = 50_000
    for (const step of [100, 1_000, 2_600])
      expect(valleyStepsAt(origin + step, { seen: { origin } })).toBe(valleyStepsAt(step))
  })

  it('grows where probes would take more than their share of the time, until the share holds', () => {
    const spaced = (taken: number, { step = 1_000, spent = 0, budgetSteps = 3_000 } = {}) => {
      const cost = { ...signals.cost, step: 0.01 * step, steps: step, probe: spent }
      return valleyStepsAt(step, { budgetSteps, signals: { probeSeconds: [taken, taken], cost } })
    }
    expect(spaced(0)).toBe(60)
    expect(spaced(0.029)).toBe(80)
    expect(spaced(0.001, { spent: 1_000 })).toBe(160)
    // A probe takes as long as 100 steps: 1.1 % of the time are nine probes, even in log t.
    expect(spaced(1, { step: 20_000, budgetSteps: 100_000 })).toBe(2_560)
    // As long as 100,000 steps: none comes before the end.
    expect(spaced(1_000, { step: 3_000, budgetSteps: 4_500 })).toBeGreaterThan(4_500)
  })

  it('is not made longer by a first probe that was compiled, or read from a cold disk', () => {
    const cost = { steps: 1_000, step: 5, signal: null, probe: 10 }
    const spaced = (...probeSeconds: number[]) =>
      valleyStepsAt(100, { budgetSteps: 3_000, signals: { probeSeconds, cost: { ...cost, probe: 0 } } })
    const usual = spaced(0.005, 0.005)
    expect(spaced(10)).toBe(20)
    expect([spaced(10, 0.005), spaced(10, 0.005, 0.005), spaced(10, 10, 0.005, 0.005, 0.005)]).toEqual([
      usual,
      usual,
      usual,
    ])
    expect(spaced(10, 10)).toBeGreaterThan(usual)
  })

  it('is even where there is no time for 24 probes, as many as there is time for', () => {
    const spaced = (budgetSteps: number, step: number) => {
      const cost = { ...signals.cost, step: 0.01 * step, steps: step, probe: 0 }
      return valleyStepsAt(step, { budgetSteps, signals: { probeSeconds: [0.1, 0.1], cost } })
    }
    // A probe takes as long as ten steps: a fifth of 600 steps are twelve.
    expect(spaced(600, 20)).toBe(60)
    expect(spaced(600, 300)).toBe(60)
    expect(spaced(4_000, 20)).toBe(20)
    expect(spaced(4_000, 300)).toBeLessThan(100)
  })

  it('has a bound without a budget too, however dear a probe is beside a step', () => {
    const cost = { ...signals.cost, step: 1e-290, steps: 1_000, probe: 0 }
    const dear = valleyStepsAt(1_000, { budgetSteps: null, signals: { probeSeconds: [1e6, 1e6], cost } })
    expect(dear).toBeGreaterThan(100_000)
    expect(dear).toBeLessThanOrEqual(openEndSteps)
  })

  it('is taken from doublings beyond 160 steps, so that no two probes fall closer', () => {
    const spaced = (spent: number) => {
      const cost = { ...signals.cost, step: 30, steps: 3_000, probe: spent }
      return valleyStepsAt(3_000, { budgetSteps: 6_000, signals: { probeSeconds: [0.03, 0.03], cost } })
    }
    const distances = Array.from({ length: 100 }, (_, index) => spaced(0.01 * index))
    expect([...new Set(distances)]).toEqual([160, 320])
  })
})

describe('what else is measured', () => {
  it('averages over blocks that grow with the steps so far, and of which one ends between two probes', () => {
    const blocksAt = (step: number, budgetSteps: number) => cadenceOf(at(step, { budgetSteps }))?.blockSteps
    expect([100, 1_000, 2_600].map((step) => blocksAt(step, 3_000))).toEqual([10, 15, 30])
    expect([100, 1_000, 2_600].map((step) => blocksAt(step, 30_000))).toEqual([10, 15, 30])
  })

  it('is curvature with the first two valley probes, then at every sixth', () => {
    const strideAfter = (count: number) => {
      const { valleySteps, lineSteps } = cadenceOf(
        at(1_000, { signals: { curvature: { ...signals.curvature, count } } }),
      )!
      return lineSteps! / valleySteps!
    }
    expect([0, 1, 2, 9].map(strideAfter)).toEqual([1, 1, 6, 6])
  })

  it('is micro-batches more rarely where signals take more than their share of the time, within a bound', () => {
    const goal = 0.011
    const microSteps = (signalShare: number | null, blockCount = 8) => {
      const signal = signalShare === null ? null : 10 * signalShare
      const cost = { ...signals.cost, step: 10, steps: 1_000, signal, probe: null }
      const noise = { ...signals.noise, trace: Array.from({ length: blockCount }, () => 1) }
      return cadenceOf(at(1_000, { signals: { cost, noise } }))!.microBatchSteps!
    }
    expect([null, 0, 1, 1.2, 1.3, 1.6, 1.9, 9].map((times) => microSteps(times && times * goal))).toEqual([
      20, 20, 20, 20, 40, 60, 80, 80,
    ])
    // The first ones come whatever they cost: without them there is no gain of annealing to decide by.
    expect(microSteps(9 * goal, 7)).toBe(20)
  })
})

describe('the distance of evaluations', () => {
  it('is that of held-out probes, or of three blocks at least, or none', () => {
    expect(evaluationDistance(at(1_000))).toBe(60)
    expect(evaluationDistance(at(1_000, { options: { capabilities: ['microBatchNorms'] } }))).toBe(60)
    expect(evaluationDistance(at(1_000, { options: { capabilities: [] } }))).toBe(0)
  })

  it('is the job’s own where that is longer, and the plan waits for two of those', () => {
    const own = at(1_000, { signals: { averagedSteps: [300, 500, 750, 950] } })
    expect(ownDistance(own)).toBe(250)
    expect(patienceStep(own)).toBe(1_000 + 500 + 1)
    expect(patienceStep(at(1_000))).toBe(1_000 + 120 + 1)
    // Never beyond the end.
    expect(patienceStep(at(2_990))).toBe(3_000)
  })
})

describe('probes that are too dear', () => {
  const dear = (taken: number, count: number) => {
    const cost = { ...signals.cost, step: 10, steps: 1_000, probe: 0 }
    const valley = { ...signals.valley, count }
    return tooFewProbes(
      at(1_000, { course: largeState(), signals: { probeSeconds: [taken, taken], cost, valley } }),
    )
  }

  it('are told by how many there will be before the fallback plan acts, and by the steps that one takes', () => {
    // A probe takes 7/6 of 10 seconds, a step .01: 1,167 steps; at 3.5 % one comes each 33,333 steps, so none comes.
    expect(dear(10, 3)?.probes).toBe(3)
    expect(dear(10, 3)?.stepsEach).toBeCloseTo((7 / 6) * 1_000, 9)
  })

  it('are none where enough of them come, or nothing tells what they cost', () => {
    expect(dear(0.001, 0)).toBeNull()
    expect(dear(10, 8)).toBeNull()
    expect(tooFewProbes(at(1_000))).toBeNull()
    expect(tooFewProbes(at(1_000, { budgetSteps: null }))).toBeNull()
  })
})
