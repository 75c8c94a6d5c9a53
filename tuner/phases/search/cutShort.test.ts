// Searches that cannot be made to their end: what is not measured is no bound, and nothing above the first rate is planned.

import { describe, expect, it } from 'vitest'
import { evaluatePlan, planProblem } from '../../../protocol/plan.ts'
import type { Acknowledgement, Observation } from '../../../protocol/vocabulary.ts'
import { initialState, tune } from '../../index.ts'
import { largeRateOf } from '../../state.ts'
import {
  allCapabilities,
  movesOf,
  reasonsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const budgetSteps = 2_000
/** Of SGD with momentum .9. */
const usual = 0.03
const searched = (options: Partial<SyntheticOptions> = {}): SyntheticResult =>
  syntheticRun({ seed: 1, budgetSteps, ...options })
const rateOf = ({ state }: SyntheticResult) => largeRateOf(state.course)!

describe('a plan of the search', () => {
  it('that nobody answers any more ends annealed, and at no rate above the one that the search began from', () => {
    const { state } = searched({ stepCount: 60 })
    expect(state.course.kind).toBe('search')
    const arm = state.plan.segments.at(-3)!
    const after = [arm.toStep, 600, 1_100].map((step) => evaluatePlan(state.plan, step).learningRate)
    expect(Math.max(...after)).toBeLessThanOrEqual(usual)
    expect(evaluatePlan(state.plan, budgetSteps).learningRate).toBe(0)
    expect(state.plan.awaitAtStep).toBe(80)
  })
})

describe('absurd results', () => {
  it('an arm whose loss is NaN has diverged: smaller rates are tried', () => {
    const run = searched({ reportedLoss: (step, loss) => (step < 30 ? Number.NaN : loss) })
    const [first] = run.decisions.filter(({ reason }) => reason.key === 'rate-found')
    expect(first?.kind).toBe('lower')
    expect(first?.evidence.find(({ learningRate }) => learningRate === usual)?.source).toBe('race-diverged')
    expect(rateOf(run)).toBeLessThan(usual)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('where every arm diverges, a tenth of the slowest is taken, and said to be no measured rate', () => {
    const run = searched({ reportedLoss: (step, loss) => (step < 110 ? Number.NaN : loss) })
    const found = run.decisions.find(({ reason }) => reason.key === 'all-diverged')
    const { slowest, rate, arms } = found!.reason.values
    expect(arms).toBe(7)
    expect(slowest).toBeCloseTo(usual / 3 ** 6, 12)
    expect(rate).toBeCloseTo(slowest! / 10, 12)
    expect(rateOf(run)).toBe(rate)
  })

  it('a restore that fails ends the search at the rate it began from, with the present weights', () => {
    for (const given of [0.05, null]) {
      const run = searched({ restores: 'failed', learningRate: given })
      const [record] = run.decisions.filter(({ reason }) => reason.key === 'not-restored')
      expect(record).toMatchObject({ kind: given === null ? 'lower' : 'hold', rule: { id: 'race' } })
      expect(rateOf(run)).toBe(given ?? usual)
      expect(run.state.actions.some(({ kind }) => kind === 'restore')).toBe(false)
      expect(run.state.lifecycle).toBe('finished')
    }
  })

  it('a restore that is never answered does not hold the run up', () => {
    const run = searched({ restores: 'unanswered', learningRate: 0.03 })
    expect(reasonsOf(run)).toContain('search-left')
    expect(rateOf(run)).toBe(0.03)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
  })

  it('an arm that is restored where no steps are left for it has a plan that is at 0 after the budget', () => {
    const { state } = searched({ stepCount: 85, restores: 'unanswered' })
    const { actionId } = state.trajectory.awaited!
    for (const step of [budgetSteps - 10, budgetSteps, budgetSteps + 5]) {
      const acknowledgement = { actionId, step, status: 'done', detail: '' } as const
      const head = { number: 1_000, receivedAt: '2026-01-01T00:00:00Z' }
      const { plan, course } = tune(state, { ...head, kind: 'acknowledgement', acknowledgement }).state
      expect(course.kind).toBe('search')
      expect(planProblem(plan)).toBeUndefined()
      expect([0, 5, 50].map((more) => evaluatePlan(plan, budgetSteps + more).learningRate)).toEqual([0, 0, 0])
    }
  })

  it('a start that cannot be restored leaves a record, and the present weights go on', () => {
    // The same log, but for the answer to the restore that the search ended with.
    let state = initialState()
    const said: string[] = []
    for (const entry of searched({ learningRate: 0.01 }).log) {
      const asked = state.trajectory.awaited
      const isAnswer =
        entry.kind === 'acknowledgement' &&
        asked?.cause === 'start' &&
        entry.acknowledgement.actionId === asked.actionId
      const failed: Partial<Acknowledgement> = { status: 'failed', detail: 'gone' }
      const observation: Observation = isAnswer
        ? { ...entry, acknowledgement: { ...entry.acknowledgement, ...failed } }
        : entry
      const result = tune(state, observation)
      if (isAnswer) {
        said.push(...result.decisions.map(({ reason }) => `${reason.key} (${reason.text})`))
        expect(result.state.trajectory.awaited).toBeNull()
      }
      state = result.state
    }
    expect(said).toEqual(['start-not-restored (gone)'])
  })

  it('a rate set by hand ends the search: what follows is no arm’s result, and the rate before it comes after', () => {
    for (const learningRate of [0.05, null]) {
      const override = {
        kind: 'override',
        learningRate: 0.005,
        untilStep: 400,
        reason: 'mine',
        by: 'me',
      } as const
      const run = searched({ learningRate, commands: { 60: override } })
      const before = learningRate ?? usual
      expect(movesOf(run)).toContain('override at 60: set-by-hand')
      expect(run.decisions.find(({ reason }) => reason.key === 'search-overridden')).toMatchObject({
        step: 60,
      })
      expect(run.learningRates.slice(60, 400).every((rate) => rate === 0.005)).toBe(true)
      expect(run.learningRates[401]).toBe(before)
      expect(run.state.lifecycle).toBe('finished')
      expect(rateOf(run)).toBe(before)
    }
  })

  it('a job that trains on for as long as an arm ends the search', () => {
    const run = searched({ cutOff: { fromStep: 50, toStep: 300 }, capabilities: allCapabilities })
    const [record] = run.decisions.filter(({ reason }) => reason.key === 'search-left')
    expect(record?.reason.values.rate).toBe(usual)
    expect(rateOf(run)).toBe(usual)
  })
})
