// How intervals are made of residuals, and told to be true.

import { describe, expect, it } from 'vitest'
import type { ForecastCase } from './cases.ts'
import { judged, leftOut, type Residual, widthsOf } from './fit.ts'

const residual = (task: string, error: number, change: Partial<Residual> = {}): Residual => ({
  case: { task, stage: 'now', share: 0.5 } as ForecastCase,
  weight: 1,
  error,
  spread: 1,
  top: Number.POSITIVE_INFINITY,
  ...change,
})
/** Errors of −1, −.99, …, .99, 1. */
const even = Array.from({ length: 201 }, (_, i) => residual('a', (i - 100) / 100))

describe('widths', () => {
  it('hold all but a fortieth of the weight to each side', () => {
    const { below, above } = widthsOf(even)
    expect(below).toBeCloseTo(0.95, 1)
    expect(above).toBeCloseTo(0.95, 1)
    expect(judged(even, { below, above }).filter(({ isInside }) => isInside).length / 201).toBeCloseTo(
      0.95,
      1,
    )
  })

  it('of a task that is left out come from the others alone', () => {
    const far = residual('b', -50)
    const told = leftOut([...even, far]).find((entry) => entry.case.task === 'b')!
    expect(told.isInside).toBe(false)
    expect(told.score).toBeGreaterThan(40 * 48)
  })
})

describe('an interval', () => {
  it('ends at the bound of kept weights, and counts what lies above it as missed', () => {
    const widths = { below: 1, above: 1 }
    const [free, bound] = judged([residual('a', 0.5), residual('a', 0.5, { top: 0.2 })], widths)
    expect([free!.isInside, bound!.isInside]).toEqual([true, false])
    expect(bound!.width).toBeCloseTo(Math.exp(0.2) - Math.exp(-1), 12)
    expect(bound!.score).toBeCloseTo(1.2 + 40 * 0.3, 12)
  })
})
