import { describe, expect, it } from 'vitest'
import { annealingGain, annealingGainSpreadWithoutCurvature } from './annealingGain.ts'
import { noEstimate } from './estimator.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const estimate = (value: number | null, standardError: number | null) => ({
  value,
  standardError,
  count: 9,
  needed: 4,
})

describe('annealingGain', () => {
  it('is what NumPy computes, with and without curvature', () => {
    for (const oracle of oracles.annealingGain) {
      const gain = annealingGain({
        effectiveLearningRate: oracle.effectiveLearningRate,
        batchSize: oracle.batchSize,
        traceSigma: estimate(oracle.traceSigma[0]!, oracle.traceSigma[1]!),
        noiseCurvature: estimate(oracle.noiseCurvature[0]!, oracle.noiseCurvature[1]!),
      })
      // A power against an exponential of logarithms: rounding only.
      expect(Math.abs(gain.value! / oracle.value - 1)).toBeLessThan(1e-13)
      expect(Math.abs(gain.standardError! / oracle.standardError - 1)).toBeLessThan(1e-13)
      expect(gain.count).toBe(9)
    }
  })

  it('has no value without noise to remove', () => {
    const input = { effectiveLearningRate: 1, batchSize: 32, noiseCurvature: noEstimate(0, 1) }
    for (const traceSigma of [noEstimate(2, 4), estimate(0, 1), estimate(-3, 1)])
      expect(annealingGain({ ...input, traceSigma }).value).toBeNull()
    for (const bad of [{ effectiveLearningRate: 0 }, { effectiveLearningRate: Number.NaN }, { batchSize: 0 }])
      expect(annealingGain({ ...input, traceSigma: estimate(1, 1), ...bad }).value).toBeNull()
  })

  it('takes a noise curvature of 0 or below as unknown', () => {
    const input = { effectiveLearningRate: 1, batchSize: 32, traceSigma: estimate(64, 0) }
    const unknown = annealingGain({ ...input, noiseCurvature: noEstimate(0, 1) })
    expect(annealingGain({ ...input, noiseCurvature: estimate(-1, 0.1) })).toEqual(unknown)
    expect(unknown.standardError! / unknown.value!).toBeCloseTo(
      Math.log(annealingGainSpreadWithoutCurvature),
      12,
    )
  })
})
