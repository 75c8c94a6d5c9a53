// Laws of the whole engine, on logs of synthetic jobs: what must not matter does not matter.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decision, Observation, SampleColumns } from '../../../protocol/vocabulary.ts'
import { guardNonFiniteMax } from '../../constants.ts'
import { initialState, type TunerState, tune } from '../../index.ts'
import { type SyntheticOptions, syntheticRun } from '../syntheticRun.ts'

const seed = 20260102
const budgetSteps = 1_200

/** Runs with every part of the engine in them: range test, race, given rate, no held-out data, advice only, a trip. */
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

/** Folds a log; `between` may replace the state after each observation by one that should be as good. */
function folded(
  log: readonly Observation[],
  between: (state: TunerState) => TunerState = (state) => state,
): { state: TunerState; decisions: Decision[] } {
  let state = initialState()
  const decisions: Decision[] = []
  for (const observation of log) {
    const result = tune(state, observation)
    state = between(result.state)
    decisions.push(...result.decisions)
  }
  return { state, decisions }
}

type Column = readonly (number | null)[]

/** The same operation on every column, own metrics included. */
function mapColumns(columns: SampleColumns, change: (column: Column) => Column): SampleColumns {
  const { metrics, ...rest } = columns
  const changed = Object.fromEntries(
    Object.entries(rest).map(([name, column]) => [name, change(column as Column)]),
  )
  const own = Object.entries(metrics ?? {}).map(([name, column]) => [name, change(column)])
  return { ...changed, ...(metrics ? { metrics: Object.fromEntries(own) } : {}) } as SampleColumns
}

function joined(a: SampleColumns, b: SampleColumns): SampleColumns {
  const other = b as unknown as Readonly<Record<string, Column>>
  const both = Object.entries(a).map(([name, column]) => [name, [...(column as Column), ...other[name]!]])
  return Object.fromEntries(both) as SampleColumns
}

/** The same samples in other batches: neighbouring batches merge, and are cut elsewhere. */
function rebatched(log: readonly Observation[], lengths: readonly number[]): Observation[] {
  const merged: Observation[] = []
  for (const observation of log) {
    const last = merged.at(-1)
    if (observation.kind === 'samples' && last?.kind === 'samples')
      merged[merged.length - 1] = { ...last, columns: joined(last.columns, observation.columns) }
    else merged.push(observation)
  }
  let cut = 0
  const batches = merged.flatMap((observation): Observation[] => {
    if (observation.kind !== 'samples') return [observation]
    const parts: Observation[] = []
    for (let from = 0; from < observation.columns.step.length; ) {
      const to = from + lengths[cut++ % lengths.length]!
      const at = from
      parts.push({
        ...observation,
        columns: mapColumns(observation.columns, (column) => column.slice(at, to)),
      })
      from = to
    }
    return parts
  })
  return batches.map((observation, i) => ({ ...observation, number: i + 1 }))
}

const withoutCause = (decisions: readonly Decision[]) =>
  decisions.map((decision) => ({ ...decision, cause: 0 }))

describe('how samples are batched', () => {
  it.each(logs)('does not matter: $name', ({ log, state, decisions }) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }), (lengths) => {
        const again = folded(rebatched(log, lengths))
        expect(withoutCause(again.decisions)).toEqual(withoutCause(decisions))
        expect(again.state).toEqual(state)
      }),
      { numRuns: 8, seed },
    )
  })
})

describe('replay', () => {
  it.each(logs)('equals live, byte for byte, with every state stored and read back: $name', (run) => {
    const again = folded(run.log, (state) => JSON.parse(JSON.stringify(state)) as TunerState)
    expect(JSON.stringify(again.decisions)).toBe(JSON.stringify(run.decisions))
    expect(JSON.stringify(again.state)).toBe(JSON.stringify(run.state))
  })

  it('goes on from a stored state as if it had never stopped', () => {
    const { log, state } = logs[0]!
    const half = folded(log.slice(0, log.length / 2)).state
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

  it.each(logs)('hold by the switch rule, or note what a person asked for: $name', (run) => {
    const noted = run.decisions.filter(({ kind, rule }) => kind === 'hold' && rule.id !== 'marginal-cost')
    const causes = noted.map(({ cause }) => run.log[cause - 1]?.kind)
    expect(noted.every(({ rule }) => rule.id === 'person')).toBe(true)
    expect(causes.every((kind) => kind === 'command')).toBe(true)
    expect(new Set(noted.map(({ cause }) => cause)).size).toBe(noted.length)
  })
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
  const { log, decisions } = logs[1]!
  const bursts = fc.record({
    from: fc.integer({ min: 5, max: budgetSteps - 10 }),
    length: fc.integer({ min: 1, max: guardNonFiniteMax - 1 }),
  })

  it('changes nothing but counts: it is as if those losses were not reported', () => {
    fc.assert(
      fc.property(bursts, ({ from, length }) => {
        const isIn = (step: number) => step >= from && step < from + length
        const unknown = folded(withLosses(log, isIn, null))
        const broken = folded(withLosses(log, isIn, Number.NaN))
        expect(broken.decisions).toEqual(unknown.decisions)
        const { signals } = broken.state
        expect(signals.badSamples.nonFinite).toBe(length)
        expect({ ...signals, badSamples: null }).toEqual({ ...unknown.state.signals, badSamples: null })
        expect(broken.state.plan).toEqual(unknown.state.plan)
      }),
      { numRuns: 15, seed },
    )
  })

  it('moves no decision: kinds and steps are those of the whole log', () => {
    fc.assert(
      fc.property(bursts, ({ from, length }) => {
        const broken = folded(withLosses(log, (step) => step >= from && step < from + length, Number.NaN))
        const moves = (list: readonly Decision[]) => list.map(({ kind, step }) => `${kind} at ${step}`)
        expect(moves(broken.decisions)).toEqual(moves(decisions))
      }),
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
      expect(folded(withMetrics(names))).toEqual({ state, decisions })
  })
})
