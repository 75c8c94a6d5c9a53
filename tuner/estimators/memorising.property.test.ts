// Laws of the sign of memorising: it does not depend on the unit of either loss, and it is always a number or nothing.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type MemorisingInput,
  memorisingFallMin,
  memorisingOf,
  memorisingRatio,
  probeErrors,
} from './memorising.ts'

const loss = fc.double({ min: 0.01, max: 100, noNaN: true })

/** Probes and blocks of any positive losses over 600 steps. */
const inputs: fc.Arbitrary<MemorisingInput> = fc
  .record({
    averagedLosses: fc.array(loss, { minLength: 0, maxLength: 16 }),
    means: fc.array(loss, { minLength: 0, maxLength: 60 }),
    largeFromStep: fc.integer({ min: 0, max: 600 }),
  })
  .map(({ averagedLosses, means, largeFromStep }) => ({
    step: 600,
    largeFromStep,
    averagedLosses,
    averagedSteps: averagedLosses.map((_, i) => 600 - 30 * (averagedLosses.length - 1 - i)),
    blocks: means.map((mean, i) => ({ step: 600 - 10 * (means.length - i), mean, count: 10 })),
    blockSteps: 10,
  }))

const scaled = (input: MemorisingInput, heldOut: number, training: number): MemorisingInput => ({
  ...input,
  averagedLosses: input.averagedLosses.map((value) => value * heldOut),
  blocks: input.blocks.map((block) => ({ ...block, mean: block.mean * training })),
})

describe('the sign of memorising', () => {
  it('stays where it is when the losses are multiplied, each kind by a constant of its own', () => {
    fc.assert(
      fc.property(inputs, loss, loss, (input, heldOut, training) => {
        const [before, after] = [memorisingOf(input), memorisingOf(scaled(input, heldOut, training))]
        // Logarithms round: a ratio of slopes that both are nearly 0 may differ in its last digits, or be no number.
        if (before === undefined || after === undefined || Math.abs(before.ratio) > 1e6) return
        expect(Math.abs(after.ratio - before.ratio)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(before.ratio)))
        expect(after.fromStep).toBe(before.fromStep)
      }),
    )
  })

  it('is a finite number with a finite error, or nothing', () => {
    const anything = fc.oneof(loss, fc.constantFrom(0, -1, Number.NaN, Infinity, 1e-300, 1e300))
    fc.assert(
      fc.property(inputs, anything, fc.nat(15), (input, value, place) => {
        const averagedLosses = input.averagedLosses.map((own, i) => (i === place ? value : own))
        const found = memorisingOf({ ...input, averagedLosses })
        if (found === undefined) return
        const { ratio, standardError, heldOutFall, trainingFall } = found
        for (const number of [ratio, standardError, trainingFall]) expect(number).toSatisfy(Number.isFinite)
        expect(heldOutFall).toBeLessThanOrEqual(1)
        expect(trainingFall).toBeGreaterThan(0)
      }),
    )
  })

  it('is one where the ratio lies below its bound by one of its errors and below 1 by four, and much was learned', () => {
    const falling = fc.record({
      power: fc.double({ min: 0.02, max: 0.6, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      scatter: fc.array(fc.double({ min: -0.05, max: 0.05, noNaN: true }), { minLength: 10, maxLength: 10 }),
    })
    fc.assert(
      fc.property(falling, ({ power, share, scatter }) => {
        const averagedSteps = Array.from({ length: 10 }, (_, i) => 200 + 40 * i)
        const found = memorisingOf({
          step: 600,
          largeFromStep: 0,
          averagedSteps,
          averagedLosses: averagedSteps.map((at, i) => at ** (-share * power) * (1 + scatter[i]!)),
          blocks: Array.from({ length: 40 }, (_, i) => {
            const step = 200 + 10 * i
            return { step, mean: (step + 5) ** -power, count: 10 }
          }),
          blockSteps: 10,
        })!
        const { ratio, standardError, errorsBelowOne, trainingFall, isMemorising } = found
        const isLow = ratio + standardError < memorisingRatio && ratio + 4 * standardError < 1
        const isPlain = errorsBelowOne > probeErrors && trainingFall >= memorisingFallMin
        expect(isMemorising).toBe(isLow && isPlain)
      }),
    )
  })

  it('lies halfway where held-out loss falls by half the power that training loss falls by', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 2, noNaN: true }), loss, loss, (power, heldOut, training) => {
        const course = (exponent: number, level: number) => (at: number) => level * at ** -exponent
        const averagedSteps = Array.from({ length: 10 }, (_, i) => 200 + 40 * i)
        const found = memorisingOf({
          step: 600,
          largeFromStep: 0,
          averagedSteps,
          averagedLosses: averagedSteps.map(course(power / 2, heldOut)),
          blocks: Array.from({ length: 40 }, (_, i) => {
            const step = 200 + 10 * i
            return { step, mean: course(power, training)(step + 5), count: 10 }
          }),
          blockSteps: 10,
        })
        expect(found?.ratio).toBeCloseTo(0.5, 9)
      }),
    )
  })
})
