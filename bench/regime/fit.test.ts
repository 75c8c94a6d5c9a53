import { describe, expect, it } from 'vitest'
import { createRandom } from '../../trainer/random.ts'
import { type FitPoint, fitLogistic, logistic, probabilityOf } from './fit.ts'

const truth = { intercept: -0.4, coefficients: [1.5, -0.8] } as const

function madeUp(count: number, seed: number): FitPoint[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const inputs = [3 + 2 * random.normal(), random.normal()]
    const logit =
      truth.intercept + truth.coefficients[0] * (inputs[0]! - 3) + truth.coefficients[1] * inputs[1]!
    return { inputs, isLarge: random.next() < logistic(logit), group: String(i) }
  })
}

describe('the logistic fit', () => {
  it('recovers the coefficients of made-up points within three of its errors', () => {
    for (const seed of [1, 2, 3]) {
      const { intercept, coefficients, covariance, centres } = fitLogistic(madeUp(4_000, seed))
      const shifted = truth.intercept + truth.coefficients[0] * (centres[0]! - 3)
      const found = [intercept, ...coefficients]
      const expected = [
        shifted + truth.coefficients[1] * centres[1]!,
        truth.coefficients[0],
        truth.coefficients[1],
      ]
      found.forEach((value, i) => {
        const error = Math.sqrt(covariance[i]![i]!)
        expect(error).toBeLessThan(0.15)
        expect(Math.abs(value - expected[i]!), `seed ${seed}, coefficient ${i}`).toBeLessThan(3 * error)
      })
    }
  })

  it('has no smaller errors where each group is four copies of a point', () => {
    const points = madeUp(400, 4)
    const alone = fitLogistic(points)
    const copied = fitLogistic(points.flatMap((point) => [point, point, point, point]))
    // Four copies say no more than one; as independent points they would halve the error. The ridge, weaker
    // beside more points, leaves a tenth.
    const error = ({ covariance }: typeof alone) => Math.sqrt(covariance[1]![1]!)
    expect(error(copied) / error(alone)).toBeGreaterThan(0.95)
    expect(error(copied) / error(alone)).toBeLessThan(1.15)
  })

  it('stays finite where one input tells the classes apart without error, or is constant or missing', () => {
    const points = [-2, -1, 1, 2].map((value, i) => ({
      inputs: [value, 7, null],
      isLarge: value > 0,
      group: String(i),
    }))
    const fit = fitLogistic(points)
    expect(fit.coefficients[0]).toBeGreaterThan(0.5)
    expect(fit.coefficients[0]).toBeLessThan(10)
    expect(fit.coefficients.slice(1)).toEqual([0, 0])
    expect(fit.covariance.flat().every(Number.isFinite)).toBe(true)
    expect(probabilityOf(fit, [null, null, null])).toBeCloseTo(0.5, 9)
  })

  it('refuses points of one class', () => {
    expect(() => fitLogistic([{ inputs: [1], isLarge: true, group: 'a' }])).toThrow(/both classes/)
    expect(() => fitLogistic([])).toThrow(RangeError)
  })
})
