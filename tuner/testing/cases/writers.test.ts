// Two processes that report one run: what was reported first stands, what comes again is counted, and decides nothing.

import { describe, expect, it } from 'vitest'
import type { Observation } from '../../../protocol/vocabulary.ts'
import { initialState, summaryOf, type TunerState, tune } from '../../index.ts'
import { reportedRun } from './driven.ts'
import { moves } from './judged.ts'
import { exponential, noiseOf, noisy } from './streams.ts'

const budgetSteps = 600
const job = reportedRun(
  { budgetSteps, learningRate: 0.05, sendsPlanVersion: false },
  { loss: noisy(exponential(2.5, 0.5, 100), 0.05, noiseOf(14)) },
)

function folded(log: readonly Observation[]): { state: TunerState; moved: readonly string[] } {
  let state = initialState()
  const decisions = []
  for (const [i, observation] of log.entries()) {
    const result = tune(state, { ...observation, number: i + 1 })
    state = result.state
    decisions.push(...result.decisions)
  }
  return { state, moved: moves(decisions) }
}

type Samples = Extract<Observation, { kind: 'samples' }>
const changed = (observation: Samples, by: (loss: number, i: number) => number): Samples => ({
  ...observation,
  columns: {
    ...observation.columns,
    loss: (observation.columns.loss ?? []).map((loss, i) => (loss === null ? null : by(loss, i))),
  },
})

describe('a second process', () => {
  const alone = folded(job.log)

  it.each([0.3, -0.3, 5, -40])('whose losses are %f off changes no decision', (off) => {
    const normal = noiseOf(15)
    const both = job.log.flatMap((observation): Observation[] =>
      observation.kind === 'samples'
        ? [observation, changed(observation, (loss) => loss + off + 0.05 * normal())]
        : [observation],
    )
    const { state, moved } = folded(both)
    expect(moved).toEqual(alone.moved)
    expect(state.plan.segments).toEqual(alone.state.plan.segments)
    expect(state.lifecycle).toBe('finished')
    const { repeated, outOfOrder } = summaryOf(state).badSamples
    // The last batch comes after the end, and may no longer be counted.
    expect(repeated + outOfOrder).toBeGreaterThanOrEqual(budgetSteps - 10)
  })

  it('that is a batch behind changes none either', () => {
    let last: Samples | undefined
    const both = job.log.flatMap((observation): Observation[] => {
      if (observation.kind !== 'samples') return [observation]
      const late = last === undefined ? [] : [changed(last, (loss) => loss + 0.3)]
      last = observation
      return [observation, ...late]
    })
    expect(folded(both).moved).toEqual(alone.moved)
  })

  it('that is dead of NaN is seen', () => {
    const both = job.log.flatMap((observation): Observation[] =>
      observation.kind === 'samples' ? [observation, changed(observation, () => Number.NaN)] : [observation],
    )
    const { state, moved } = folded(both)
    const said = moved.some((move) => move.startsWith('guard'))
    expect(said || summaryOf(state).badSamples.nonFinite >= 10).toBe(true)
  })
})
