import { describe, expect, it } from 'vitest'
import { type UndoInput, undoVerdict } from './undo.ts'

const input = (change: Partial<UndoInput>): UndoInput => ({
  staying: { value: 0.02, standardError: 0.005 },
  scale: 0.01,
  realised: { value: 0.02, standardError: 0.002 },
  expected: 0.04,
  rateShare: 0.5,
  ...change,
})

describe('whether a switch is undone', () => {
  it('it is not while staying gains little and the anneal brings what was promised', () => {
    expect(undoVerdict(input({}))).toBeNull()
  })

  it('where the lower bound of what staying gains exceeds three times b', () => {
    expect(undoVerdict(input({ staying: { value: 0.037, standardError: 0.005 } }))).toBeNull()
    const verdict = undoVerdict(input({ staying: { value: 0.04, standardError: 0.005 } }))
    expect(verdict?.because).toBe('staying still gains plainly more than annealing after all')
    expect(verdict?.test).toMatchObject({ left: { value: 0.04 }, relation: '>', right: { value: 0.03 } })
  })

  it('where the anneal has gained under half of what was promised so far, and held-out loss still falls', () => {
    // Half of the rate is gone: .02 was promised so far, and half of that is .01.
    const poor = { realised: { value: 0.004, standardError: 0.002 } }
    expect(undoVerdict(input(poor))?.because).toContain('under half of what was promised')
    expect(undoVerdict(input(poor))?.test).toMatchObject({ relation: '<', right: { value: 0.01 } })
    expect(undoVerdict(input({ realised: { value: 0.004, standardError: 0.004 } }))).toBeNull()
    expect(undoVerdict(input({ ...poor, staying: { value: -0.01, standardError: 0.002 } }))).toBeNull()
  })

  it('never where nothing is measured, or its error is not known', () => {
    expect(undoVerdict(input({ staying: undefined, realised: null }))).toBeNull()
    expect(undoVerdict(input({ staying: { value: 1, standardError: null } }))).toBeNull()
    expect(undoVerdict(input({ scale: null, expected: null }))).toBeNull()
    expect(undoVerdict(input({ scale: 0, expected: 0 }))).toBeNull()
    const broken = { value: Number.NaN, standardError: Number.NaN }
    expect(undoVerdict(input({ staying: broken, realised: broken }))).toBeNull()
  })
})
