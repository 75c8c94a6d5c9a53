import { describe, expect, it } from 'vitest'
import { curvature } from './curvature.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const oracle = oracles.curvature
const probe = (criticalLearningRate: number | null, h: number | null, noiseCurvature?: number | null) => ({
  criticalLearningRate,
  curvature: h,
  ...(noiseCurvature === undefined ? {} : { noiseCurvature }),
})

describe('curvature', () => {
  it('reads medians of the last eight and their errors as SciPy does', () => {
    let state = curvature.init()
    for (const [i, critical] of oracle.criticalLearningRate.entries())
      state = curvature.update(state, {
        probe: probe(critical, oracle.curvature[i]!, oracle.noiseCurvature[i]!),
        learningRate: oracle.learningRate[i]!,
      })
    const reading = curvature.read(state)
    for (const name of ['criticalLearningRate', 'curvature', 'noiseCurvature', 'rateRatio'] as const) {
      const { value, standardError, count } = oracle.expected[name]
      // A median picks or halves two inputs: exact but for one rounding; the error is a short product.
      expect(reading[name].value).toBeCloseTo(value, 14)
      expect(reading[name].standardError).toBeCloseTo(standardError, 12)
      expect(reading[name].count).toBe(count)
    }
  })

  it('takes each part of a probe by itself', () => {
    let state = curvature.init()
    state = curvature.update(state, { probe: probe(null, -2), learningRate: 0.1 })
    state = curvature.update(state, { probe: probe(0.4, null, 3), learningRate: null })
    state = curvature.update(state, { probe: probe(0.5, Number.NaN, null), learningRate: 0.1 })
    const reading = curvature.read(state)
    expect(reading.curvature).toEqual({ value: -2, standardError: null, count: 1, needed: 1 })
    expect(reading.criticalLearningRate.count).toBe(2)
    expect(reading.rateRatio.value).toBe(0.2)
    expect(reading.noiseCurvature.value).toBe(3)
  })

  it('leaves out noise curvatures that cannot be used', () => {
    let state = curvature.init()
    for (const h of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY])
      state = curvature.update(state, { probe: probe(null, null, h), learningRate: null })
    const reading = curvature.read(state)
    expect(reading.noiseCurvature).toEqual({ value: null, standardError: null, count: 0, needed: 1 })
  })

  it('is certain of a constant', () => {
    let state = curvature.init()
    for (let i = 0; i < 20; i++)
      state = curvature.update(state, { probe: probe(0.5, 3, 2), learningRate: 0.25 })
    expect(curvature.read(state).rateRatio).toEqual({ value: 0.5, standardError: 0, count: 8, needed: 1 })
  })
})
