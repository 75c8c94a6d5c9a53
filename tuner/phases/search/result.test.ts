// Which rate follows from a race.

import { describe, expect, it } from 'vitest'
import { anywhere, raceAround, raced, scored, valley, wonOf } from '../../testing/raced.ts'
import { raceKappa, raceResult } from './result.ts'

const around = (rate: number, lossOf: Parameters<typeof raced>[1], bounds = anywhere) =>
  raced(raceAround(rate, bounds)!, lossOf, bounds)

describe('the rate that a race leads to', () => {
  it('is the reference, exactly, where that is at the bottom', () => {
    const won = wonOf(around(0.1, valley(0.1)))
    expect(won).toMatchObject({ learningRate: 0.1, optimum: 0.1, winner: { id: 0 } })
  })

  it('is the reference, exactly, in doubt', () => {
    const won = wonOf(around(0.1, (rate) => scored(rate < 0.05 ? 0.999 : 1, 0.004)))
    expect(won.learningRate).toBe(0.1)
  })

  it('is κ times where arms did best: the bottom between three rates, less what the prior takes', () => {
    for (const [reference, best] of [
      [0.01, 0.1],
      [0.1, 0.01],
    ] as const) {
      const won = wonOf(around(reference, valley(best)))
      // Three points of a parabola with hardly an error.
      expect(won.optimum).toBeCloseTo(best, 4)
      expect(won.learningRate).toBeCloseTo(raceKappa * won.optimum, 12)
    }
  })

  /** Losses at the reference, three times it, and so on up. */
  const climb = (losses: readonly number[]) =>
    wonOf(around(0.1, (rate) => losses[Math.round(Math.log(rate / 0.1) / Math.log(3))] ?? 3))

  it('is less where the last step up gained more than any before: such arms show who is first off a plateau', () => {
    const steady = climb([2, 1.9, 1.8, 1.7, 1.8])
    expect(steady.learningRate).toBeCloseTo(raceKappa * steady.optimum, 12)
    const uneven = climb([2, 1.8, 1.75, 1.6, 1.8])
    expect(uneven.learningRate).toBeCloseTo(raceKappa * uneven.optimum, 3)
    // Gains of .04, .08 and .12; then of .04, .06 and .2.
    const growing = climb([2, 1.96, 1.88, 1.76, 1.8])
    expect(growing.winner.learningRate).toBeCloseTo(2.7, 12)
    expect(growing.learningRate).toBeCloseTo((raceKappa * growing.optimum) / (0.12 / 0.08), 1)
    const leaping = climb([2, 1.96, 1.9, 1.7, 1.8])
    expect(leaping.learningRate).toBeCloseTo((raceKappa * leaping.optimum) / Math.sqrt(3), 12)
  })

  it('is the reference where that won and the bottom lies above it: what speaks for more leads to no less', () => {
    const won = wonOf(around(0.1, (rate) => (rate < 0.05 ? 3 : rate < 0.2 ? 1 : 1.3)))
    expect(won.winner.id).toBe(0)
    expect(won.optimum).toBeGreaterThan(0.14)
    expect(raceKappa * won.optimum).toBeLessThan(0.1)
    expect(won.learningRate).toBe(0.1)
  })

  it('moves less where the slope between the neighbours is uncertain', () => {
    const noisy = (scatter: number) =>
      wonOf(around(0.01, (rate) => scored(valley(0.1)(rate), scatter))).optimum
    expect(Math.abs(Math.log(noisy(0.5) / 0.09))).toBeLessThan(Math.abs(Math.log(noisy(0.001) / 0.09)))
  })

  it('takes the fastest arm that is left for the reference where that one diverged', () => {
    const won = wonOf(around(0.1, (rate) => (rate > 0.02 ? null : valley(0.01)(rate))))
    expect(won.winner.learningRate).toBeCloseTo(0.1 / 9, 12)
  })

  it('finds a living network among dead ones', () => {
    const opened = { ...raceAround(1)!, lossFirst: 40, scatter: 1 }
    const won = wonOf(raced(opened, (rate) => (rate > 0.3 ? 39 : 10 * valley(0.05)(rate))))
    expect(won.optimum).toBeLessThan(0.12)
  })

  it('is a number whatever finite losses the arms had', () => {
    for (const huge of [1e200, 1e300, -1e300])
      for (const scatter of [0, 1, 1e300]) {
        const won = wonOf(around(0.1, (rate) => scored(rate > 0.2 ? huge : 1, scatter)))
        expect(won.learningRate).toBeGreaterThan(0)
        expect(won.learningRate).toBeLessThan(10)
      }
  })

  it('is none where no arm came to its end', () => {
    expect(raceResult(around(0.1, () => null).race)).toBeUndefined()
  })
})
