import { describe, expect, it } from 'vitest'
import { areaOf, rocArea } from './roc.ts'

const points = (scores: readonly number[], large: readonly number[]) =>
  scores.map((score, i) => ({ score, isLarge: large.includes(i), task: 'a', run: String(i) }))

describe('the ROC area', () => {
  it('is 1 for a perfect order, 0 for a reversed one, a half where all are equal', () => {
    expect(rocArea(points([0.1, 0.2, 0.8, 0.9], [2, 3]))).toBe(1)
    expect(rocArea(points([0.1, 0.2, 0.8, 0.9], [0, 1]))).toBe(0)
    expect(rocArea(points([0.3, 0.3, 0.3], [1]))).toBe(0.5)
  })
  it('counts pairs, and ties by half, as by hand', () => {
    // Large: .4, .7; small: .4, .5, .1. Pairs won: .4 over .1 and a tie; .7 over all three: 4.5 of 6.
    expect(rocArea(points([0.4, 0.7, 0.4, 0.5, 0.1], [0, 1]))).toBeCloseTo(4.5 / 6, 12)
  })
  it('is not defined where a class is missing', () => {
    expect(rocArea(points([0.1, 0.2], []))).toBeNaN()
    expect(areaOf(points([0.1, 0.2], [0, 1])).low).toBeNaN()
  })
  it('has an interval by runs: no narrower where a run has each point three times', () => {
    const scores = Array.from({ length: 24 }, (_, i) => ((i * 7) % 24) / 24)
    const large = scores.flatMap((score, i) => (score + (i % 3) / 4 > 0.7 ? [i] : []))
    const alone = areaOf(points(scores, large))
    const copied = areaOf(points(scores, large).flatMap((point) => [point, point, point]))
    expect(alone.low).toBeLessThan(alone.area)
    expect(alone.high).toBeGreaterThan(alone.area)
    expect(copied).toMatchObject({ area: alone.area, low: alone.low, high: alone.high, runs: 24, points: 72 })
  })
})
