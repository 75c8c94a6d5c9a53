// What stands under the headline: the state's word, the notices, and the facts.

import { describe, expect, test } from 'vitest'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { whyNot } from './control/possible.ts'
import { factsOf, switchToExplain, timeLeft } from './facts.tsx'
import { notesOf, stateNote, stateWords } from './notes.ts'

const { run } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })
const fourMinutesLater = Date.parse(run.lastSeenAt) + 245_000
const notes = (change: Partial<RunSummary>) =>
  notesOf({ ...run, ...change }, fourMinutesLater).map(({ words }) => words)
const facts = (change: Partial<RunSummary>) => factsOf({ ...run, ...change }).map(({ words }) => words)

describe('states in words', () => {
  test('a run that was made and has not reported is not told as running', () => {
    const made = { ...run, loss: null, step: 0 }
    expect(stateWords(made, 0)).toBe('No report yet')
    expect(stateWords({ ...made, step: 1 }, 0)).toBe('Running')
    expect(stateWords({ ...made, state: 'stale' }, fourMinutesLater)).toBe('Stale, 4 min')
  })

  test('a stale run says since when, and what the job does meanwhile', () => {
    const stale = { ...run, state: 'stale' as const }
    expect(stateWords(stale, fourMinutesLater)).toBe('Stale, 4 min')
    expect(stateNote(stale, fourMinutesLater)).toBe(
      'No telemetry for 4 min. The job follows its last plan: 0.1, annealing from step 3,960.',
    )
  })

  test('a running one needs no note, a paused one says what it waits for', () => {
    expect(notes({})).toEqual([])
    expect(notes({ state: 'paused' })).toEqual(['The job waits until somebody resumes it.'])
  })

  test('a stale run without any plan does not invent one', () => {
    const stale = { ...run, state: 'stale' as const, plan: { version: 1, segments: [] } }
    expect(stateNote(stale, fourMinutesLater)).toContain('last plan: none.')
  })
})

describe('what must not be overlooked', () => {
  test('advice that was not taken is advice, not a switch', () => {
    const [said] = notes({ mode: 'advisory', advice: { step: 3960, kind: 'switch' } })
    expect(said).toBe('Twostep advises to anneal since step 3,960; the job has not.')
    expect(said).not.toMatch(/switch/i)
    expect(facts({ mode: 'advisory', advice: { step: 90, kind: 'switch' } })).toContain('Applied rate 0.1')
    expect(notes({ advice: { step: 90, kind: 'finish' } })).toEqual([
      'Twostep advises to finish since step 90; the job has not.',
    ])
  })

  test('a job that does not follow its plan: what it applies, what is planned, since when', () => {
    const drift = { sinceStep: 2860, applied: 0.05, planned: 0.1 }
    expect(notes({ drift })).toEqual(['The job applies 0.05, the plan says 0.1, since step 2,860.'])
    expect(notes({ drift, state: 'finished' })).toEqual([
      'The job applied 0.05, the plan said 0.1, since step 2,860.',
    ])
    // The fact about the rate does not say it again, nor that the rate is as recommended.
    expect(facts({ drift, learningRate: 0.05, mode: 'advisory' })).toContain('Applied rate 0.05')
  })

  test('a run of which nothing has been heard yet is not switched', () => {
    expect(whyNot({ ...run, step: 0, loss: null }, 'switch-now')).toBe('Nothing has been reported yet.')
    expect(whyNot({ ...run, step: 0, loss: 2.3 }, 'switch-now')).toBeNull()
    expect(whyNot(run, 'switch-now')).toBeNull()
  })

  test('a run that ended no better than it began', () => {
    const ended = {
      state: 'finished',
      outcome: { firstLoss: 2.31, keptLoss: 2.33, isBetter: false, isHeldOut: true },
    } as const
    expect(notes(ended)).toEqual(['No better than at its start: loss 2.31 then, 2.33 of the weights kept.'])
    expect(stateWords({ ...run, ...ended }, 0)).toBe('Finished, no better')
    const better = { ...ended, outcome: { ...ended.outcome, keptLoss: 0.28, isBetter: true } }
    expect(notes(better)).toEqual([])
    expect(stateWords({ ...run, ...better }, 0)).toBe('Finished')
    expect(facts(better)).toContain('Held-out loss of the kept weights 0.28, training loss at the start 2.31')
  })

  test('an outcome that was not measured is not taken for a good or a bad one', () => {
    const outcome = { firstLoss: null, keptLoss: 0.28, isBetter: null }
    expect(notes({ state: 'finished', outcome })).toEqual([])
    expect(facts({ state: 'finished', outcome })).toContain(
      'Training loss not measured at the start, 0.28 at the end, which of them is better was not measured',
    )
  })
})

describe('facts', () => {
  test('samples that were left out are counted by what was wrong with them', () => {
    const badSamples = {
      nonFinite: 3,
      nonFiniteNorms: 1,
      skipped: 12,
      outOfOrder: 2,
      repeated: 1400,
      farAhead: 5,
    }
    expect(facts({ badSamples }).at(-1)).toBe(
      'Samples left out: 3 with a NaN or infinite loss, 1 with a NaN or infinite gradient norm, 12 skipped by the job, 2 late, 1,400 repeated, 5 too far ahead',
    )
    const none = { nonFinite: 0, nonFiniteNorms: 0, skipped: 0, outOfOrder: 0, repeated: 0, farAhead: 0 }
    expect(facts({ badSamples: none }).join()).not.toContain('left out')
    expect(facts({ badSamples: { ...none, farAhead: 1 } }).at(-1)).toBe('Samples left out: 1 too far ahead')
  })

  test('the rate in force is told with what the plan says of it', () => {
    expect(facts({})).toContain('Applied rate 0.1, as recommended')
    expect(facts({ mode: 'off' })).toContain('Applied rate 0.1')
    expect(facts({ mode: 'advisory', learningRate: 0.03 })).toContain(
      'Applied rate 0.03, Twostep would use 0.1',
    )
    expect(facts({ state: 'finished' })).toContain('Last rate 0.1')
  })

  test('time is left to where the plan ends, which may be before the budget', () => {
    const planned = run.plan.segments.at(-1)!
    const plan = { ...run.plan, segments: [{ ...planned, toStep: run.step + 52 }] }
    expect(timeLeft({ ...run, plan }, { low: 5.2, high: 5.2 })).toBe('About 10 s left')
  })

  test('time left needs a budget, a speed and a running job', () => {
    const steady = { low: 5.2, high: 5.2 }
    expect(timeLeft(run, steady)).toBe('About 9 min left')
    expect(timeLeft({ ...run, stepsPerSecond: null }, steady)).toBe('About 9 min left')
    expect(timeLeft(run, { low: 1e6, high: 1e6 })).toBe('About 1 s left')
    expect(timeLeft(run, { low: 2, high: 5.2 })).toBe('9 min to 24 min left')
    expect(timeLeft(run, { low: 0, high: 5.2 })).toBe('At least 9 min left')
    expect(timeLeft(run, 'silent')).toBeNull()
    expect(timeLeft(run)).toBe('9 min left at its last pace')
    expect(timeLeft({ ...run, stepsPerSecond: null })).toBeNull()
    expect(timeLeft({ ...run, stepsPerSecond: 0 })).toBeNull()
    expect(timeLeft({ ...run, budgetSteps: null })).toBeNull()
    expect(timeLeft({ ...run, state: 'stale' })).toBeNull()
  })

  test('the way to the switch stands there where one holds and another decision is shown', () => {
    const annealed = syntheticRun({ id: 'a', step: 4900, budgetSteps: 6000 })
    const switched = annealed.decisions.find(({ kind }) => kind === 'switch')!
    const { decisions } = annealed
    expect(switchToExplain(decisions, decisions[0]!, annealed.run)).toBe(switched)
    expect(switchToExplain(decisions, switched, annealed.run)).toBeNull()
    expect(switchToExplain(decisions, decisions[0]!, { switchStep: null })).toBeNull()
    const advised = decisions.map((decision) => ({ ...decision, status: 'advisory' as const }))
    expect(switchToExplain(advised, advised[0]!, annealed.run)).toBeNull()
  })
})
