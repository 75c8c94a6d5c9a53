// What becomes a case of the study, and with what still to come.

import { describe, expect, it } from 'vitest'
import { casesOf } from './cases.ts'
import type { ForecastRow, ProbeRow } from './rows.ts'

const probe = (step: number, phase: ProbeRow['phase'] = 'large'): ProbeRow => ({
  step,
  runLength: step,
  raw: 1.2,
  averaged: 1,
  phase,
})
const row = {
  ...({ set: 'development', task: 'a', run: '1', origin: 0, end: 1_000 } as const),
  steered: null,
  forked: null,
}
const large = [100, 200, 300, 400, 500].map((step) => probe(step))

describe('a steered run', () => {
  const steered: ForecastRow = {
    ...row,
    probes: [...large, probe(700), probe(850, 'anneal'), probe(1_000, 'anneal')],
    steered: { switchStep: 700, toStep: 1_000, reason: 'r', promised: null, reached: 0.9 },
  }
  const cases = casesOf(steered)

  it('is told at its plan from the fourth probe on, at its switch, and in its anneal', () => {
    expect(cases.map(({ stage }) => stage)).toEqual(['at', 'at', 'at', 'switch', 'anneal'])
    expect(cases.every(({ outcome }) => outcome === 0.9)).toBe(true)
  })

  it('has ahead what is held until three quarters, and half of the ramp', () => {
    // 400 to 750, and 250/2; at the switch 300/2; half-way through a linear anneal half the rate for 150/2 steps.
    expect(cases.map(({ input }) => input.ahead)).toEqual([475, 375, 175, 150, 37.5])
    expect(cases.at(-1)!.input.gap).toBeCloseTo(0.5 * 0.2, 12)
  })
})

describe('a run at a constant rate', () => {
  it('ends no worse than the weights that would have been kept, or without an anneal with its last ones', () => {
    const forked: ForecastRow = {
      ...row,
      probes: large,
      forked: { anneals: [{ step: 500, loss: 1.5 }], never: 1.3, verdicts: [] },
    }
    const [now, never] = casesOf(forked)
    expect(now).toMatchObject({ stage: 'now', outcome: 1, input: { ahead: 250, isKept: true, stays: 0 } })
    expect(never).toMatchObject({ stage: 'never', outcome: 1.3, input: { ahead: 500, isKept: false } })
    expect(never!.input.stays).toBeCloseTo(0.2, 12)
  })
})
