// Which weights are the result: earlier ones that looked better are scored once more, on more examples.

import { describe, expect, it } from 'vitest'
import type { Observation, ProbeScore } from '../../../protocol/vocabulary.ts'
import { summaryOf, type TunerState, tune } from '../../index.ts'
import {
  allCapabilities,
  decisionsOf,
  type SyntheticOptions,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const budgetSteps = 2_000
const common: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.02,
  traceSigma: 1,
  rateLimits: { min: 0.02, max: 0.02 },
  commands: { 1000: { kind: 'switch-now', reason: '', by: 'test' } },
}

/** Just before the end of an anneal, with averaged weights of step 900 that once had a loss of .3. */
const nearEnd = ((): TunerState => {
  const { state } = syntheticRun({ ...common, stepCount: 1_999 })
  return { ...state, kept: { step: 900, loss: 0.3 * state.seen.signals.probeLosses.at(-1)! } }
})()

type Body = { kind: 'probe'; probe: object } | { kind: 'acknowledgement'; acknowledgement: object }
const told = (state: TunerState, body: Body) =>
  tune(state, { ...body, number: 10_000, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation)

/** Parts around a loss, 16 of them, ± `scatter`. */
const score = (loss: number, scatter = 0): ProbeScore => ({
  loss,
  lossByPart: Array.from({ length: 16 }, (_, part) => loss + (part % 2 === 0 ? scatter : -scatter)),
})
const probe = (raw: ProbeScore, kept?: ProbeScore, averaged: readonly ProbeScore[] = []) => ({
  kind: 'probe' as const,
  probe: {
    kind: 'valley',
    step: budgetSteps,
    set: 'held-out',
    examples: kept === undefined ? 512 : 2_000,
    seconds: 0.01,
    raw,
    averaged: averaged.map((entry, i) => ({ windowSteps: 10 << i, ...entry })),
    ...(kept === undefined ? {} : { checkpoints: [{ checkpoint: 'lowest', ...kept }] }),
  },
})
const keepOf = ({ actions }: TunerState) =>
  actions.flatMap((action) => (action.kind === 'finish' ? [action.keep] : []))

describe('the last probe', () => {
  it('ends the run with the better of the last and the averaged weights', () => {
    const bare = { ...nearEnd, kept: null }
    const ended = (raw: number, averaged: number) =>
      told(bare, probe(score(raw), undefined, [score(averaged)]))
    expect(keepOf(ended(0.5, 0.6).state)).toEqual(['last'])
    expect(keepOf(ended(0.5, 0.4).state)).toEqual(['averaged'])
    expect(ended(0.5, 0.4).decisions[0]?.reason).toMatchObject({
      key: 'finished-averaged',
      values: { loss: 0.4 },
    })
    expect(keepOf(ended(Number.NaN, 0.4).state)).toEqual(['averaged'])
  })

  it('of weights that have no loss says so, and keeps the earlier ones if there are any', () => {
    const dead = told({ ...nearEnd, kept: null }, probe(score(Number.NaN)))
    expect(dead.decisions[0]).toMatchObject({
      reason: { key: 'finished-last', values: { loss: null } },
      reached: null,
    })
    const saved = told(nearEnd, probe(score(Number.NaN)))
    expect(keepOf(saved.state)).toEqual([{ checkpoint: 'lowest' }])
  })
})

describe('earlier weights that look better at the last probe', () => {
  const asked = told(nearEnd, probe(score(0.5))).state
  const request = asked.actions.find((action) => action.kind === 'probe' && action.checkpoints !== undefined)!

  it('are scored beside the last ones before anything is kept', () => {
    expect(request).toMatchObject({ probe: 'valley', checkpoints: ['lowest'] })
    expect(asked.course).toMatchObject({ kind: 'anneal', isComparing: true })
    expect(keepOf(asked)).toEqual([])
  })

  it('are the result where they are better by two standard errors of the paired difference', () => {
    const { state, decisions } = told(asked, probe(score(0.5, 0.01), score(0.4)))
    expect(keepOf(state)).toEqual([{ checkpoint: 'lowest' }])
    expect(decisions).toMatchObject([
      {
        rule: { id: 'comparison' },
        reason: { key: 'finished-kept', values: { keptStep: 900, loss: 0.4, lastLoss: 0.5 } },
        test: { key: 'comparison', satisfied: true, relation: '>' },
        reached: 0.4,
      },
    ])
    const { left, right } = decisions[0]!.test!
    expect(left.value).toBeCloseTo(0.1, 12)
    // Deviations of ± .01 over 16 parts: .01·√(16/15)/4, and the bound is two of those.
    expect(left.standardError).toBeCloseTo((0.01 * Math.sqrt(16 / 15)) / 4, 12)
    expect(right.value).toBeCloseTo(2 * left.standardError!, 12)
  })

  it('are left where the difference may be chance, and the record says what they have on more examples', () => {
    const { state, decisions } = told(asked, probe(score(0.5, 0.3), score(0.4)))
    expect(keepOf(state)).toEqual(['last'])
    expect(decisions[0]?.reason).toMatchObject({
      key: 'finished-last',
      values: { loss: 0.5, keptStep: 900, compared: 0.4, examples: 2_000 },
    })
    expect(decisions[0]?.test?.satisfied).toBe(false)
  })

  it('are left where they have no loss', () => {
    expect(keepOf(told(asked, probe(score(0.5), score(Number.NaN))).state)).toEqual(['last'])
  })

  it.each([
    ['answers with a plain probe', probe(score(0.5))],
    [
      'cannot do it',
      {
        kind: 'acknowledgement' as const,
        acknowledgement: { actionId: request.id, status: 'unsupported', step: budgetSteps, detail: '' },
      },
    ],
  ])('are the result, as the probes of the anneal say, of a job that %s', (_, answer) => {
    expect(keepOf(told(asked, answer).state)).toEqual([{ checkpoint: 'lowest' }])
  })

  it('leave signals and chart alone while they are scored', () => {
    const { state, readings } = told(asked, probe(score(7), score(8)))
    expect(state.seen.signals.probeLosses).toEqual(asked.seen.signals.probeLosses)
    expect(state.seen.signals.averagedLosses).toEqual(asked.seen.signals.averagedLosses)
    expect(readings).toEqual([])
  })
})

it('a last probe that fails after the last step ends the run all the same', () => {
  const { state, log } = syntheticRun({ ...common, stepCount: 1_999 })
  const step = Array.from({ length: budgetSteps - state.seen.step }, (_, i) => state.seen.step + i)
  const samples = { kind: 'samples', columns: { step, loss: step.map(() => 0.2) } } as const
  const reported = tune(state, { ...samples, number: log.length + 1, receivedAt: '' }).state
  expect(reported).toMatchObject({ course: { kind: 'anneal' }, seen: { step: budgetSteps } })
  const [last] = reported.actions.filter(({ kind }) => kind === 'probe')
  const acknowledgement = { actionId: last!.id, status: 'failed', step: budgetSteps, detail: 'out of memory' }
  const ended = told(reported, { kind: 'acknowledgement', acknowledgement })
  expect(ended.decisions).toMatchObject([{ kind: 'finish', reason: { key: 'annealed' } }])
  expect(ended.state.actions).toMatchObject([{ kind: 'finish' }])
})

it('a comparison that nobody asked for changes nothing', () => {
  const { state, decisions } = told(nearEnd, probe(score(0.5), score(0.1)))
  expect(decisions).toEqual([])
  expect(state.course.kind).toBe('anneal')
})

describe('a whole run whose held-out loss jumps near its end', () => {
  // Too late to be cut short.
  const job: SyntheticOptions = {
    ...common,
    budgetSteps: 6_000,
    capabilities: allCapabilities.filter((capability) => capability !== 'averagedWeights'),
    heldOutExtra: (step) => (step > 6_000 - 150 ? 0.5 : 0),
  }

  it('keeps the best weights of the anneal, and says so', () => {
    const run = syntheticRun(job)
    const [finish] = decisionsOf(run, 'finish')
    expect(finish).toMatchObject({ step: 6_000, reason: { key: 'finished-kept' } })
    expect(finish?.reason.values.lastLoss).toBeGreaterThan(0.6)
    expect(finish?.reached).toBeLessThan(0.3)
    expect(run.keptLoss).toBeLessThan(0.3)
    // The same examples, by way of the difference from the last weights.
    expect(summaryOf(run.state).outcome?.keptLoss).toBeCloseTo(finish!.reached!, 12)
  })

  it('keeps the last ones where no checkpoint could be made', () => {
    const capabilities = job.capabilities!.filter((capability) => capability !== 'checkpoint')
    expect(decisionsOf(syntheticRun({ ...job, capabilities }), 'finish')[0]?.reason.key).toBe('finished-last')
  })
})
