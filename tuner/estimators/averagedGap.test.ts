import { describe, expect, it } from 'vitest'
import { averagedGap, bestAverage } from './averagedGap.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const oracle = oracles.averagedGap
const probe = (raw: number, averaged: readonly number[], set: 'held-out' | 'train' = 'held-out') => ({
  set,
  raw: { loss: raw },
  averaged: averaged.map((loss, i) => ({ windowSteps: oracle.windows[i]!, loss })),
})

describe('averagedGap', () => {
  it('reads the median of the last eight gaps as SciPy does, and the newest averaged loss', () => {
    let state = averagedGap.init()
    for (const [i, raw] of oracle.raw.entries())
      state = averagedGap.update(state, probe(raw, oracle.averaged[i]!))
    const reading = averagedGap.read(state)
    // One subtraction and one halving: rounding only.
    expect(reading.gap.value).toBeCloseTo(oracle.gap.value, 14)
    expect(reading.gap.standardError).toBeCloseTo(oracle.gap.standardError, 13)
    expect(reading.averagedLoss).toEqual({
      value: oracle.averagedLoss,
      standardError: null,
      count: 10,
      needed: 1,
    })
  })

  it('knows nothing before the first probe', () => {
    const reading = averagedGap.read(averagedGap.init())
    expect(reading.gap.value).toBeNull()
    expect(reading.averagedLoss.value).toBeNull()
  })

  it('tells a negative gap as it is', () => {
    const state = averagedGap.update(averagedGap.init(), probe(0.5, [0.75]))
    expect(averagedGap.read(state).gap.value).toBe(-0.25)
  })

  it('passes over windows without a finite loss, and over probes without any', () => {
    expect(bestAverage(probe(1, [Number.NaN, 0.7, 0.9]))).toMatchObject({ loss: 0.7, windowSteps: 40 })
    const state = averagedGap.init()
    expect(averagedGap.update(state, probe(1, []))).toBe(state)
    expect(averagedGap.update(state, probe(1, [Number.NaN]))).toBe(state)
    expect(averagedGap.update(state, probe(Number.POSITIVE_INFINITY, [1]))).toBe(state)
  })

  it('leaves out probes of training examples', () => {
    const state = averagedGap.init()
    expect(averagedGap.update(state, probe(1, [0.5], 'train'))).toBe(state)
    expect(averagedGap.update(state, probe(1, [0.5])).count).toBe(1)
  })
})
