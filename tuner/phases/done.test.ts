// Which weights are the result: earlier ones that looked better are scored once more, on more examples.

import { describe, expect, it } from 'vitest'
import type { Observation, ProbeScore } from '../../protocol/vocabulary.ts'
import { type TunerState, tune } from '../index.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'

const budgetSteps = 2_000

/** Just before the end of an anneal, with averaged weights of step 900 that once had a loss of .3. */
const nearEnd = ((): TunerState => {
  const commands = { 1000: { kind: 'switch-now', reason: '', by: 'test' } } as const
  const { state } = syntheticRun({
    seed: 1,
    budgetSteps,
    stepCount: 1_990,
    learningRate: 0.02,
    traceSigma: 1,
    commands,
  })
  const anneal = state.anneal!
  return {
    ...state,
    lowest: { step: 900, loss: 0.3 * state.signals.probeLosses.at(-1)! },
    anneal: { ...anneal, watch: { ...anneal.watch, best: null } },
  }
})()

type Body = { kind: 'probe'; probe: object } | { kind: 'acknowledgement'; acknowledgement: object }
const told = (state: TunerState, body: Body) =>
  tune(state, { ...body, number: 10_000, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation)

/** Parts around a loss, 16 of them, ± `scatter`. */
const score = (loss: number, scatter = 0): ProbeScore => ({
  loss,
  lossByPart: Array.from({ length: 16 }, (_, part) => loss + (part % 2 === 0 ? scatter : -scatter)),
})
const probe = (raw: ProbeScore, kept?: ProbeScore) => ({
  kind: 'probe' as const,
  probe: {
    kind: 'valley',
    step: budgetSteps,
    set: 'held-out',
    examples: kept === undefined ? 512 : 2_000,
    seconds: 0.01,
    raw,
    averaged: [],
    ...(kept === undefined ? {} : { checkpoints: [{ checkpoint: 'lowest', ...kept }] }),
  },
})
const keepOf = ({ actions }: TunerState) =>
  actions.flatMap((action) => (action.kind === 'finish' ? [action.keep] : []))

describe('earlier weights that look better at the last probe', () => {
  const asked = told(nearEnd, probe(score(0.5))).state
  const request = asked.actions.find((action) => action.kind === 'probe' && action.checkpoints !== undefined)!

  it('are scored beside the last ones before anything is kept', () => {
    expect(request).toMatchObject({ probe: 'valley', checkpoints: ['lowest'] })
    expect(asked.phase).toBe('anneal')
    expect(keepOf(asked)).toEqual([])
  })
  it('are the result where they are better by two standard errors of the paired difference', () => {
    const { state, decisions } = told(asked, probe(score(0.5, 0.01), score(0.4)))
    expect(keepOf(state)).toEqual([{ checkpoint: 'lowest' }])
    expect(decisions[0]?.summary).toBe(
      'Finished at step 2,000: held-out loss 0.4; the averaged weights of step 900 are kept, as the last ones have 0.5.',
    )
    expect(decisions[0]?.test).toMatchObject({ satisfied: true, relation: '>' })
    expect(decisions[0]?.test?.left.value).toBeCloseTo(0.1, 12)
    // Deviations of ± .01 over 16 parts: .01·√(16/15)/4.
    expect(decisions[0]?.test?.left.standardError).toBeCloseTo((0.01 * Math.sqrt(16 / 15)) / 4, 12)
  })
  it('are left where the difference may be chance, and the record says so', () => {
    const { state, decisions } = told(asked, probe(score(0.5, 0.3), score(0.4)))
    expect(keepOf(state)).toEqual(['last'])
    expect(decisions[0]?.summary).toBe(
      'Finished at step 2,000: held-out loss 0.5; the last weights are kept; the averaged weights of step 900 looked better on few examples, but have 0.4 on 2,000.',
    )
    expect(decisions[0]?.test?.satisfied).toBe(false)
  })
  it('are left where they have no loss', () => {
    expect(keepOf(told(asked, probe(score(0.5), score(Number.NaN))).state)).toEqual(['last'])
  })
  it.each([
    // Once more the same level: a jump would be the guard's.
    ['answers with a plain probe', probe(score(nearEnd.signals.probeLosses.at(-1)!))],
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
    const { state } = told(asked, probe(score(7), score(8)))
    expect(state.signals.probeLosses).toEqual(asked.signals.probeLosses)
    expect(state.signals.averagedLosses).toEqual(asked.signals.averagedLosses)
  })
})

it('a comparison that nobody asked for changes nothing', () => {
  const { state, decisions } = told(nearEnd, probe(score(0.5), score(0.1)))
  expect(decisions).toEqual([])
  expect(state.phase).toBe('anneal')
})
