import { describe, expect, it } from 'vitest'
import { type UndoInput, undoVerdict } from './undoVerdict.ts'

// Half of the rate is gone, 500 large steps were taken since the switch at 1,000, and 1,000 steps are left, so R·p is
// (1,000/500)·(1,500/2,000)^1.5 = 1.299 times the fall less the .02 that were promised so far.
const input = (change: Partial<UndoInput>): UndoInput => ({
  fall: { value: 0.012, standardError: 0.001 },
  realised: { value: 0.02, standardError: 0.002 },
  expected: 0.04,
  scale: 0.01,
  rateShare: 0.5,
  largeStepsBefore: 1_000,
  largeSteps: 1_500,
  stepsLeft: 1_000,
  ...change,
})

describe('whether a switch is undone', () => {
  it('it is not while staying gains little and the anneal brings what was promised', () => {
    expect(undoVerdict(input({}))).toBeNull()
  })

  it('where the lower bound of what staying gains exceeds nine times b', () => {
    expect(undoVerdict(input({ fall: { value: 0.089, standardError: 0.001 } }))).toBeNull()
    const verdict = undoVerdict(input({ fall: { value: 0.092, standardError: 0.001 } }))
    expect(verdict?.because).toBe('staying still gains plainly more than annealing after all')
    expect(verdict?.test).toMatchObject({ relation: '>', right: { value: 0.09 } })
    expect(verdict?.test.left.value).toBeCloseTo(1.299 * 0.072, 4)
    expect(undoVerdict(input({ fall: { value: 0.092, standardError: 0.01 } }))).toBeNull()
  })

  it('where the anneal has gained under half of what was promised so far, and held-out loss still falls', () => {
    // .02 was promised so far, and half of that is .01.
    const poor = { realised: { value: 0.004, standardError: 0.002 } }
    const falling = { fall: { value: 0.025, standardError: 0.001 } }
    expect(undoVerdict(input({ ...falling, ...poor }))?.because).toContain('under half of what was promised')
    expect(undoVerdict(input({ ...falling, ...poor }))?.test).toMatchObject({
      relation: '<',
      right: { value: 0.01 },
    })
    expect(undoVerdict(input({ ...falling, realised: { value: 0.004, standardError: 0.004 } }))).toBeNull()
    expect(undoVerdict(input({ ...poor, fall: { value: 0.005, standardError: 0.001 } }))).toBeNull()
  })

  it('never where nothing is measured, or its error is not known', () => {
    expect(undoVerdict(input({ fall: null, realised: null }))).toBeNull()
    expect(undoVerdict(input({ fall: { value: 1, standardError: null } }))).toBeNull()
    expect(undoVerdict(input({ fall: { value: 1, standardError: 0 }, largeSteps: 1_000 }))).toBeNull()
    expect(undoVerdict(input({ scale: null, expected: null }))).toBeNull()
    expect(undoVerdict(input({ scale: 0, expected: 0 }))).toBeNull()
    const broken = { value: Number.NaN, standardError: Number.NaN }
    expect(undoVerdict(input({ fall: broken, realised: broken }))).toBeNull()
  })
})
