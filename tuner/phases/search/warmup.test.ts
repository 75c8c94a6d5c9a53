// The search for the large rate on whole runs: what it finds, what it costs, and what happens where it cannot be made.

import { describe, expect, it } from 'vitest'
import type { Capability } from '../../../protocol/vocabulary.ts'
import { raceShareMax, rangeOnlyShare, rangeShareMax } from '../../constants.ts'
import { initialState, tune } from '../../index.ts'
import { stabilityLimit } from '../../testing/noisyQuadratic.ts'
import {
  allCapabilities,
  bestSwitch,
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const budgetSteps = 2_000
const searched = (options: Partial<SyntheticOptions> = {}): SyntheticResult =>
  syntheticRun({ seed: 1, budgetSteps, ...options })
/** Step at which the large phase begins. */
const searchSteps = ({ state }: SyntheticResult) =>
  state.phases.find(({ phase }) => phase === 'large')?.fromStep ?? 0
const sentences = (run: SyntheticResult) => run.decisions.map(({ summary }) => summary)
const rateOf = ({ state }: SyntheticResult) => state.largeLearningRate!

describe('a search from nothing', () => {
  it('finds a stable rate; on this problem, where early losses flatter large ones, within a factor of 4 in excess loss', () => {
    // The excess over the floor of the best run at a rate, its switch time chosen by exhaustive search. Measured
    // here: 2.7 to 3.7 times that of the best rate of a grid, from rates 8 to 15 times as large: the best rate falls
    // with the horizon on a quadratic, and a race sees a short one (networks: see the record of the search).
    const options = { seed: 1, budgetSteps }
    const excessAt = (rate: number) => bestSwitch(options, rate, 10).loss - 0.2
    const best = Math.min(...Array.from({ length: 11 }, (_, i) => excessAt(1e-3 * 2 ** i)))
    for (const seed of [1, 2, 3]) {
      const rate = rateOf(searched({ seed }))
      expect(rate).toBeLessThan(stabilityLimit(1, 0.9) / 10)
      expect(excessAt(rate)).toBeLessThan(4 * best)
    }
  })

  it('scales with the problem: 30 times the curvature, a rate far lower', () => {
    const curved = rateOf(searched({ curvatureMax: 30, curvatureMin: 0.06, traceSigma: 36_000 }))
    expect(rateOf(searched()) / curved).toBeGreaterThan(10)
    expect(rateOf(searched()) / curved).toBeLessThan(90)
  })

  it.each([440, 700, 1_000, 2_000, 5_000])('takes at most its share of a budget of %i steps', (budget) => {
    const run = searched({ budgetSteps: budget })
    // The range test, the wait for its answer, and the race with a few steps of grace for each that diverges.
    expect(searchSteps(run)).toBeLessThanOrEqual((rangeShareMax + raceShareMax) * budget + 20)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('frees the checkpoints of the search when it is over', () => {
    const run = searched()
    const dropped = run.log.filter(({ kind }) => kind === 'acknowledgement').length
    expect(dropped).toBeGreaterThan(10)
    expect(run.state.actions.filter(({ kind }) => kind === 'drop')).toEqual([])
  })

  it('works for a job that does not tell its rate: it is taken to follow the plan', () => {
    const [told, untold] = [searched(), searched({ reportsRate: false })]
    expect(untold.decisions.map(({ kind, step }) => [kind, step])).toEqual(
      told.decisions.map(({ kind, step }) => [kind, step]),
    )
    expect(rateOf(untold)).toBeCloseTo(rateOf(told), 12)
  })
})

describe('a search around a given rate', () => {
  it.each([0.003, 0.03, 0.3])('moves it towards the best one: from %d', (given) => {
    const run = searched({ learningRate: given })
    const others = [1, 2, 3].map((seed) => rateOf(searched({ seed, learningRate: given })))
    for (const rate of others) {
      expect(rate).toBeGreaterThan(0.01)
      expect(rate).toBeLessThan(0.8)
    }
    expect(searchSteps(run)).toBeLessThanOrEqual(raceShareMax * budgetSteps)
  })

  it('keeps the winner’s own weights: the loss does not start again', () => {
    const run = searched({ learningRate: 0.03 })
    const samples = run.log.flatMap((entry) => (entry.kind === 'samples' ? (entry.columns.loss ?? []) : []))
    const after = samples[searchSteps(run) + 1]!
    expect(after).toBeLessThan(0.5 * samples[0]!)
  })

  it('is not made where the budget is too short for it: the rate is reached by a ramp and kept', () => {
    const run = searched({ budgetSteps: 230, learningRate: 0.03 })
    expect(sentences(run)[0]).toBe(
      'Starting for 230 steps at the given rate 0.03; its budget and limits leave no room for a race.',
    )
    expect(rateOf(run)).toBe(0.03)
    expect(run.learningRates.slice(0, 5)).toEqual([0.003, 0.0165, 0.03, 0.03, 0.03])
  })
})

describe('where there is nothing to race with', () => {
  it.each([
    [['checkpoint', 'microBatchNorms']],
    [['heldOutLoss', 'averagedWeights']],
    [[]],
  ] as readonly (readonly [readonly Capability[]])[])(
    'a tenth of the divergence rate is taken, by its name: %j',
    (capabilities) => {
      const run = searched({ capabilities })
      const [decision] = decisionsOf(run, 'lower')
      expect(decision?.summary).toMatch(
        /^Large step [\d.]+: a tenth of [\d.]+, where .*\. Evidence is insufficient for more: racing other rates needs the capabilities checkpoint, heldOutLoss and averagedWeights\.$/,
      )
      const limit = stabilityLimit(1, 0.9)
      expect(rateOf(run) / rangeOnlyShare / limit).toBeLessThan(3)
      expect(run.state.lifecycle).toBe('finished')
    },
  )

  it('and so it is on a budget too short for a race', () => {
    const run = searched({ budgetSteps: 230 })
    expect(sentences(run)[1]).toContain('the budget is too short for a race')
    expect(run.state.lifecycle).toBe('finished')
  })
})

describe('limits of the rate', () => {
  /** Rates of the arms, as the record of the race names them. */
  const armRates = (run: SyntheticResult) =>
    run.decisions.flatMap(({ evidence }) =>
      evidence.flatMap(({ signal }) => (signal.startsWith('arm at ') ? Number(signal.slice(7)) : [])),
    )
  const limited = (min: number, max: number | null, options: Partial<SyntheticOptions> = {}) =>
    searched({ rateLimits: { min, max }, ...options })

  it('hold in the range test and in the race: none of the rates tried lies below the lowest', () => {
    const free = searched()
    const run = limited(0.4, null)
    expect(free.learningRates[0]).toBeLessThan(0.4)
    expect(run.learningRates[0]).toBe(0.4)
    expect(Math.min(...armRates(free))).toBeLessThan(0.4)
    expect(Math.min(...armRates(run))).toBeGreaterThanOrEqual(0.4)
    expect(rateOf(run)).toBeGreaterThanOrEqual(0.4)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('may leave fewer than two rates: then there is no race, and the record says why', () => {
    const run = limited(0.2, 0.3)
    expect(sentences(run)[1]).toMatch(
      /^Large step 0.2: this run's limit, for a tenth of 0\.\d+, where .*: this run's limits leave fewer than two rates to race\.$/,
    )
    expect(rateOf(run)).toBe(0.2)
  })

  it('may leave no range: then the rate is a conservative one, and the record says so', () => {
    const run = limited(0.05, 0.05)
    expect(sentences(run)[0]).toBe(
      'Starting for 2,000 steps at 0.05, a conservative rate and not a measured one: its limits leave no range to test.',
    )
    expect(rateOf(run)).toBe(0.05)
    expect(run.state).toMatchObject({ lifecycle: 'finished', remark: 'The large rate is not measured.' })
  })
})

describe('absurd results', () => {
  it('a loss that is NaN from the start gives a stated conservative rate', () => {
    const run = searched({ reportedLoss: (step, loss) => (step < 50 ? Number.NaN : loss) })
    expect(sentences(run)[1]).toBe(
      'Large step 0.01, a conservative rate and not a measured one: the loss never fell below its start before the loss was not finite at 5 steps in a row.',
    )
    expect(run.state.remark).toBe('The large rate is not measured.')
    expect(run.state.lifecycle).toBe('finished')
  })

  it('where every arm around a given rate diverges, a rate below all of them is taken, and not the given one', () => {
    const run = searched({
      learningRate: 0.03,
      reportedLoss: (step, loss) => (step < 120 ? Number.NaN : loss),
    })
    expect(sentences(run).join('\n')).toContain(
      'a conservative rate and not a measured one: every rate of the race diverged',
    )
    expect(rateOf(run)).toBeLessThan(0.03 / 9)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('a restore that fails ends the search, and the record says why', () => {
    const run = searched({ restores: 'failed', learningRate: 0.03 })
    expect(sentences(run)[1]).toMatch(
      /^Large step [\d.]+: the search was cut short, because a checkpoint could not be restored\.$/,
    )
    expect(run.state).toMatchObject({ lifecycle: 'finished', warmup: null })
  })

  it('a winner that cannot be restored leaves a record', () => {
    // The same log, but for the answer to the restore that the search ended with.
    let state = initialState()
    const said: string[] = []
    for (const entry of searched({ learningRate: 0.01 }).log) {
      const asked = state.actions.filter(({ kind }) => kind === 'restore').map(({ id }) => id)
      const isAnswer =
        entry.kind === 'acknowledgement' &&
        asked.includes(entry.acknowledgement.actionId) &&
        state.phase === 'large'
      const acknowledgement = { status: 'failed', detail: 'gone' } as const
      const observation = isAnswer
        ? { ...entry, acknowledgement: { ...entry.acknowledgement, ...acknowledgement } }
        : entry
      const result = tune(state, observation)
      state = result.state
      if (isAnswer) said.push(...result.decisions.map(({ summary }) => summary))
    }
    expect(said).toEqual([
      expect.stringMatching(
        /^The weights that the search chose could not be restored \(gone\): the present ones go on at [\d.]+\.$/,
      ),
    ])
  })

  it('a rate set by hand ends the search: what follows is no arm’s result, and the given rate comes after', () => {
    for (const learningRate of [0.03, null]) {
      const override = {
        kind: 'override',
        learningRate: 0.005,
        untilStep: 400,
        reason: 'mine',
        by: 'me',
      } as const
      const run = searched({ learningRate, commands: { 60: override } })
      const cut = run.decisions.find(({ summary }) => summary.includes('because the rate was set by hand'))
      expect(cut?.step).toBe(60)
      expect(run.learningRates.slice(60, 400).every((rate) => rate === 0.005)).toBe(true)
      expect(run.learningRates[401]).toBe(learningRate ?? 0.01)
      expect(run.state).toMatchObject({ lifecycle: 'finished', largeLearningRate: learningRate ?? 0.01 })
    }
  })

  it('a restore that is never answered does not hold the run up', () => {
    const run = searched({ restores: 'unanswered', learningRate: 0.03, capabilities: allCapabilities })
    expect(sentences(run).join('\n')).toContain('the race was cut short')
    expect(run.state.phase).not.toBe('warmup')
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
  })
})
