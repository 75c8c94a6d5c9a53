import { describe, expect, it } from 'vitest'
import type { Plan } from '../../protocol/vocabulary.ts'
import { expectedLoss, stabilityLimit } from './noisyQuadratic.ts'
import { expectedLossUnderPlan, lossUnderPlan, switchPlan } from './syntheticRun.ts'

const constant = (rate: number): Plan => ({
  version: 1,
  segments: [{ fromStep: 0, toStep: 1, shape: 'constant', from: rate, to: rate }],
})
const one = { curvatureMin: 1, curvatureMax: 1.000001, floor: 0, batchSize: 8 }

describe('the expected loss of a plan', () => {
  it('is the mean over drawn runs, within four standard errors', () => {
    const options = { seed: 0, budgetSteps: 300, dimensions: 10, curvatureMin: 0.01, traceSigma: 10 }
    for (const [rate, switchStep] of [
      [0.02, 100],
      [0.1, 250],
      [0.3, 0],
    ] as const) {
      const plan = switchPlan(rate, switchStep, 300)
      const losses = Array.from({ length: 60 }, (_, i) => lossUnderPlan({ ...options, seed: i + 1 }, plan))
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length
      const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (losses.length - 1)
      const error = Math.sqrt(variance / losses.length)
      expect(Math.abs(mean - expectedLossUnderPlan(options, plan)) / error).toBeLessThan(4)
    }
  })

  it('without noise is that of gradient descent: ½·h·(1 − ηh)^(2k) per eigenvalue', () => {
    const options = { ...one, dimensions: 2, traceSigma: 0, momentum: 0 }
    expect(expectedLoss(options, constant(0.1), 7)).toBeCloseTo(0.9 ** 14, 6)
  })

  it('at rest is η·trΣ/(B·2·(2 − ηh)) above the floor', () => {
    const options = { ...one, dimensions: 2, traceSigma: 4, momentum: 0 }
    expect(expectedLoss(options, constant(0.1), 2_000)).toBeCloseTo((0.1 * 4) / 8 / (2 * (2 - 0.1)), 6)
  })

  it('grows beyond the stability limit and not below it', () => {
    for (const momentum of [0, 0.5, 0.9]) {
      const limit = stabilityLimit(1, momentum)
      const at = (share: number) =>
        expectedLoss({ ...one, dimensions: 2, traceSigma: 0, momentum }, constant(share * limit), 600)
      expect(at(1.02)).toBeGreaterThan(10)
      expect(at(0.98)).toBeLessThan(0.1)
    }
  })
})
