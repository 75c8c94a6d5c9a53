// Laws of the whole engine, on logs of synthetic jobs: what must not matter does not matter.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tripwireNonFiniteMax } from '../../../protocol/plan.ts'
import type { Observation, SampleColumns } from '../../../protocol/vocabulary.ts'
import { type TunerState, tune } from '../../index.ts'
import { keyOf, type SyntheticOptions, syntheticRun } from '../syntheticRun.ts'
import { foldedLog, rebatched, withoutCause } from './logs.ts'

const seed = 20260102
const budgetSteps = 1_200

/** Runs with every part of the engine in them: race, given rate, no held-out data, advice only, a trip. */
const cases: readonly (readonly [string, SyntheticOptions])[] = [
  ['a search from nothing', { seed: 1, budgetSteps }],
  ['a race around a given rate', { seed: 2, budgetSteps, learningRate: 0.05 }],
  ['no held-out data', { seed: 3, budgetSteps, learningRate: 0.02, capabilities: ['microBatchNorms'] }],
  ['only the loss', { seed: 4, budgetSteps, learningRate: 0.02, capabilities: [] }],
  ['approval', { seed: 5, budgetSteps, learningRate: 0.05, mode: 'approve' }],
  ['advice only', { seed: 5, budgetSteps, learningRate: 0.02, mode: 'advisory' }],
  [
    'a divergence and commands',
    {
      seed: 6,
      budgetSteps,
      learningRate: 0.02,
      reportedLoss: (step, loss) => (step >= 700 && step < 712 ? Number.NaN : loss),
      commands: {
        400: { kind: 'override', learningRate: 0.01, untilStep: 450, reason: 'to see', by: 'test' },
        800: { kind: 'switch-now', reason: '', by: 'test' },
        850: { kind: 'undo-switch', reason: '', by: 'test' },
        860: { kind: 'undo-switch', reason: 'twice', by: 'test' },
      },
    },
  ],
]
const logs = cases.map(([name, options]) => ({ name, ...syntheticRun(options) }))

describe('how samples are batched', () => {
  it.each(logs)('does not matter: $name', ({ log, state, decisions }) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }), (lengths) => {
        const again = foldedLog(rebatched(log, lengths))
        expect(withoutCause(again.decisions)).toEqual(withoutCause(decisions))
        expect(again.state).toEqual(state)
      }),
      { numRuns: 8, seed },
    )
  })
})

describe('replay', () => {
  it.each(logs)('equals live, byte for byte, with every state stored and read back: $name', (run) => {
    const again = foldedLog(run.log, (state) => JSON.parse(JSON.stringify(state)) as TunerState)
    expect(JSON.stringify(again.decisions)).toBe(JSON.stringify(run.decisions))
    expect(JSON.stringify(again.state)).toBe(JSON.stringify(run.state))
  })

  it('goes on from a stored state as if it had never stopped', () => {
    const { log, state } = logs[0]!
    const half = foldedLog(log.slice(0, log.length / 2)).state
    let resumed = JSON.parse(JSON.stringify(half)) as TunerState
    for (const observation of log.slice(log.length / 2)) resumed = tune(resumed, observation).state
    expect(resumed).toEqual(state)
  })
})

describe('decisions', () => {
  it.each(logs)('are numbered 1, 2, 3, … and name the observation that caused them: $name', (run) => {
    expect(run.decisions.map(({ number }) => number)).toEqual(run.decisions.map((_, i) => i + 1))
    expect(run.decisions.every(({ cause }) => cause >= 1 && cause <= run.log.length)).toBe(true)
  })

  it.each(logs)('hold at most once per probe by the switch rule: $name', (run) => {
    const held = run.decisions.filter(({ kind, rule }) => kind === 'hold' && rule.id === 'marginal-cost')
    expect(new Set(held.map(({ cause }) => cause)).size).toBe(held.length)
  })

  it.each(logs)(
    'hold by the switch rule, keep a rate once, or note what a person asked for: $name',
    (run) => {
      const held = run.decisions.filter(({ kind, rule }) => kind === 'hold' && rule.id !== 'marginal-cost')
      const noted = held.filter(({ reason }) => reason.key !== 'rate-kept')
      expect(held.length - noted.length).toBeLessThanOrEqual(1)
      const causes = noted.map(({ cause }) => run.log[cause - 1]?.kind)
      expect(noted.every(({ rule }) => rule.id === 'person')).toBe(true)
      expect(causes.every((kind) => kind === 'command')).toBe(true)
      expect(new Set(noted.map(({ cause }) => cause)).size).toBe(noted.length)
    },
  )
})

/** The log with some losses replaced. */
function withLosses(log: readonly Observation[], replaced: (step: number) => boolean, by: number | null) {
  return log.map((observation): Observation => {
    if (observation.kind !== 'samples') return observation
    const { step, loss } = observation.columns
    const changed = step.map((at, i) => (replaced(at) ? by : (loss?.[i] ?? null)))
    return { ...observation, columns: { ...observation.columns, loss: changed } }
  })
}

describe('a burst of NaN shorter than the guard waits for', () => {
  const { log, decisions, state } = logs[1]!
  const searchEnd = state.phases.find(({ phase }) => phase === 'large')!.fromStep
  const bursts = fc.record({
    from: fc.integer({ min: 5, max: budgetSteps - 10 }),
    length: fc.integer({ min: 1, max: tripwireNonFiniteMax - 1 }),
  })

  it('changes nothing but counts: it is as if those losses were not reported', () => {
    fc.assert(
      fc.property(bursts, ({ from, length }) => {
        const isIn = (step: number) => step >= from && step < from + length
        const unknown = foldedLog(withLosses(log, isIn, null))
        const broken = foldedLog(withLosses(log, isIn, Number.NaN))
        expect(broken.decisions).toEqual(unknown.decisions)
        const { signals } = broken.state.seen
        expect(signals.badSamples.nonFinite).toBe(length)
        expect({ ...signals, badSamples: null }).toEqual({
          ...unknown.state.seen.signals,
          badSamples: null,
        })
        expect(broken.state.plan).toEqual(unknown.state.plan)
      }),
      { numRuns: 15, seed },
    )
  })

  it('moves no decision: kinds and steps are those of the whole log', () => {
    fc.assert(
      // In the race each loss of its first steps is evidence of how they scatter.
      fc.property(
        bursts.filter(({ from }) => from >= searchEnd),
        ({ from, length }) => {
          const broken = foldedLog(
            withLosses(log, (step) => step >= from && step < from + length, Number.NaN),
          )
          expect(broken.decisions.map(keyOf)).toEqual(decisions.map(keyOf))
        },
      ),
      { numRuns: 15, seed },
    )
  })
})

describe("the order of metrics' names, and of columns", () => {
  it('changes nothing', () => {
    const { log, state, decisions } = logs[0]!
    const withMetrics = (names: readonly string[]) =>
      log.map((observation): Observation => {
        if (observation.kind !== 'samples') return observation
        const { step } = observation.columns
        const metrics = Object.fromEntries(names.map((name) => [name, step.map((at) => at * name.length)]))
        const columns = Object.entries({ ...observation.columns, metrics }).toSorted(([a], [b]) =>
          names[0]! < 'b' ? a.localeCompare(b) : b.localeCompare(a),
        )
        return { ...observation, columns: Object.fromEntries(columns) as unknown as SampleColumns }
      })
    for (const names of [
      ['accuracy', 'bleu', 'perplexity'],
      ['perplexity', 'bleu', 'accuracy'],
    ])
      expect(foldedLog(withMetrics(names))).toEqual({ state, decisions })
  })
})
