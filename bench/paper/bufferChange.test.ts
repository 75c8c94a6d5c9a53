import { describe, expect, it } from 'vitest'
import { normals, random } from '../../tuner/testing/random.ts'
import { bufferCases, bufferFactor, bufferOutcome } from './bufferChange.ts'

describe('the buffer where the momentum changes', () => {
  it('is scaled by balance both ways, never, or only downwards', () => {
    expect(bufferFactor('scaled', 0, 0.9)).toBeCloseTo(10)
    expect(bufferFactor('scaled downwards', 0, 0.9)).toBe(1)
    expect(bufferFactor('scaled downwards', 0.9, 0.5)).toBeCloseTo(0.2)
    expect(bufferFactor('kept', 0.9, 0.5)).toBe(1)
  })

  it('changes nothing where the momentum stays', () => {
    for (const start of ['rest', 'descent'] as const) {
      const outcome = bufferOutcome('scaled', { from: 0.9, to: 0.9, sharpness: 1, start })
      expect(outcome.peak).toBeCloseTo(1, 9)
      expect(outcome.end).toBeCloseTo(1, 9)
    }
  })

  it('makes the loss jump at rest where it is scaled upwards, and not where it is kept', () => {
    const rising = bufferCases.filter(({ from, to, start }) => to > from && start === 'rest')
    for (const entry of rising) {
      expect(bufferOutcome('scaled', entry).peak).toBeGreaterThan(1.1)
      expect(bufferOutcome('scaled downwards', entry).peak).toBeLessThan(1.01)
    }
  })

  it('is what drawn runs come to', () => {
    const draw = normals(random(7))
    const [from, to] = [0, 0.9]
    const h = Array.from({ length: 24 }, (_, i) => 300 ** (-i / 23))
    /** Mean excess after 100 steps before and 100 after the change. */
    const drawn = (after: number, factor: number): number => {
      let sum = 0
      for (let run = 0; run < 1_000; run++)
        for (const curvature of h) {
          let [w, v] = [1, 0]
          for (let step = 0; step < 200; step++) {
            const momentum = step < 100 ? from : after
            if (step === 100) v *= factor
            v = momentum * v + curvature * w + Math.sqrt(1e-3) * draw()
            w -= (1 - momentum) * v
          }
          sum += (curvature * w * w) / 2 / 1_000
        }
      return sum
    }
    const { end } = bufferOutcome('scaled', { from, to, sharpness: 1, start: 'descent' })
    // Standard error of the ratio: about 1 %.
    expect(drawn(to, 10) / drawn(from, 1) / end).toBeCloseTo(1, 1)
  })
})
