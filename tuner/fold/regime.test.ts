import { describe, expect, it } from 'vitest'
import type { Decision } from '../../protocol/vocabulary.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'

const job: SyntheticOptions = {
  seed: 1,
  budgetSteps: 2_000,
  learningRate: 0.02,
  traceSigma: 200,
  rateLimits: { min: 0.02, max: 0.02 },
}
const transitions = (options: SyntheticOptions): readonly Decision[] =>
  decisionsOf(syntheticRun(options), 'transition')
const course = (decisions: readonly Decision[]) => decisions.map(({ transition }) => transition?.to)

describe('a change of the measured regime', () => {
  it('is recorded with its test: large-step is known early, small-step comes inside the anneal', () => {
    const run = syntheticRun(job)
    const [first, ...later] = decisionsOf(run, 'transition')
    expect(first).toMatchObject({
      transition: { from: 'unknown', to: 'large-step' },
      regime: { name: 'large-step' },
      rule: { id: 'regime' },
      status: 'applied',
      test: { key: 'regime', relation: '>', right: { value: 0.04 }, satisfied: true },
    })
    expect(first!.step).toBeLessThan(0.3 * 2_000)
    expect(first!.test!.left.value).toBeGreaterThan(0.04)
    const [small] = later
    expect(small).toMatchObject({
      transition: { from: 'large-step', to: 'small-step' },
      phase: { from: 'anneal', to: 'anneal' },
      test: { relation: '<' },
    })
    const [switched] = decisionsOf(run, 'switch')
    expect(small!.step).toBeGreaterThan(switched!.step)
    expect(small!.step).toBeLessThan(2_000)
    expect(run.state.regimeKnown).toBe('small-step')
  })

  it('changes nothing else: neither rate, nor plan, nor what is asked of the job', () => {
    for (const { plan, number, step } of transitions(job)) {
      const before = syntheticRun(job)
        .decisions.filter((other) => other.number < number)
        .at(-1)!
      expect(plan.segments.at(-1)).toEqual(before.plan.segments.at(-1))
      expect(step).toBeGreaterThanOrEqual(before.step)
    }
  })

  it.each(['advisory', 'off', 'approve'] as const)('is told as it is in mode %s', (mode) => {
    const told = transitions({ ...job, mode })
    expect(course(told)[0]).toBe('large-step')
    for (const { status } of told) expect(status).toBe('applied')
  })

  it('is not told of a run that only reports its loss, whose regime is unknown', () => {
    const { state } = syntheticRun({ ...job, capabilities: [] })
    expect(transitions({ ...job, capabilities: [] })).toEqual([])
    expect(state.regime).toMatchObject({ name: 'unknown', index: null })
  })

  it('does not flicker: a steady run is small-step while it descends, if told at all, and then large-step for good', () => {
    for (const seed of [1, 2, 3, 4, 5])
      expect(course(transitions({ ...job, seed, mode: 'off' }))).toEqual(
        seed === 2 ? ['small-step', 'large-step'] : ['large-step'],
      )
  })
})
