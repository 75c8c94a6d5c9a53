import { describe, expect, it } from 'vitest'
import type { Segment } from '../../protocol/vocabulary.ts'
import { runState } from '../testing/runState.ts'
import { issuedPlan, planned } from './planOf.ts'

const held = (rate: number): readonly Segment[] => [
  { fromStep: 0, toStep: 3_000, shape: 'constant', from: rate, to: rate, phase: 'large' },
]
const course = (rate: number, awaitAtStep: number | null = null) => ({ segments: held(rate), awaitAtStep })

describe('a plan', () => {
  const first = planned(runState(), course(0.1, 5))

  it('stays the same object while it asks for the same, and counts its versions', () => {
    expect(first.plan.version).toBe(1)
    const run = runState(first)
    expect(planned(run, course(0.1, 5)).plan).toBe(first.plan)
    expect(planned(run, course(0.1, 6)).plan.version).toBe(2)
  })

  it('names no step to wait at where nothing is steered', () => {
    expect(first.plan.awaitAtStep).toBe(5)
    expect(planned(runState({ mode: 'advisory' }), course(0.1, 5)).plan.awaitAtStep).toBeNull()
  })

  it('holds a person’s rate over that of its phase', () => {
    const override = { learningRate: 0.03, untilStep: 1_500, reason: '' }
    const person = { ...runState().person, override }
    const { segments } = planned(runState({ person }), course(0.1)).plan
    expect(segments.map(({ from, fromStep, toStep }) => [from, fromStep, toStep])).toEqual([
      [0.03, 1_000, 1_500],
      [0.1, 1_500, 3_000],
    ])
  })
})

describe('the plans that a job may be following', () => {
  /** So many plans with rates of their own, each issued twice: its second version only waits elsewhere. */
  function issued(count: number) {
    let run = runState()
    for (let i = 1; i <= count; i++)
      for (const awaitAtStep of [1, 2]) run = { ...run, ...planned(run, course(i / 100, awaitAtStep)) }
    return run
  }

  it('are the last eight whose rates differ, by the version from which on they hold', () => {
    const run = issued(20)
    expect(run.plan.version).toBe(40)
    expect(run.issued.map(({ version }) => version)).toEqual([25, 27, 29, 31, 33, 35, 37, 39])
  })

  it('are known by any version up to the next one, and forgotten where they are older', () => {
    const run = issued(20)
    for (const version of [37, 38]) expect(issuedPlan(run.issued, version)?.segments).toEqual(held(0.19))
    expect(issuedPlan(run.issued, 40)?.segments).toEqual(held(0.2))
    expect(issuedPlan(run.issued, 24)).toBeNull()
    expect(issuedPlan([], 1)).toBeNull()
  })
})
