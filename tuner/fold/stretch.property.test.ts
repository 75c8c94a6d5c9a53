// The law of stretches: rows at once become what the same rows become one by one, to the last bit of the state.

import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import type { Observation, SampleColumns } from '../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../index.ts'
import { normals, type Random, random } from '../testing/random.ts'
import { randomOptions } from '../testing/randomLog.ts'
import { runState } from '../testing/runState.ts'
import { stretchOf } from './stretch.ts'

let areRowsSingle = false
vi.mock('./stretch.ts', async (original) => {
  const real = await original<typeof import('./stretch.ts')>()
  const oneByOne: typeof real.stretchOf = (...args) => (areRowsSingle ? null : real.stretchOf(...args))
  return { ...real, stretchOf: oneByOne }
})

type Cells = (number | null)[]
type Columns = Record<string, Cells>
const rowCount = 300

const pick = <T>(draw: Random, list: readonly T[]): T => list[Math.floor(draw() * list.length)]!

/** Plausible columns, some of them missing, in which a share of the cells is odd. */
function columnsOf(draw: Random, firstStep: number): SampleColumns {
  const normal = normals(draw)
  const odd = pick(draw, [0, 0, 0.001, 0.01])
  const stride = pick(draw, [1, 1, 1, 7, 100])
  const noise = pick(draw, [0, 0.01, 0.1, 1])
  const columns: Columns = {}
  const put = (name: string, share: number, cell: (row: number) => number) => {
    if (draw() > share) return
    const every = pick(draw, [1, 1, 1, 3])
    columns[name] = Array.from({ length: rowCount }, (_, row) => {
      if (draw() < odd)
        return pick(draw, [null, Number.NaN, Number.POSITIVE_INFINITY, 0, -1, 1e305, cell(row) * 30])
      return row % every === 0 ? cell(row) : null
    })
  }
  let at = firstStep
  const step = Array.from({ length: rowCount }, () => {
    const here = at
    at += draw() < odd ? pick(draw, [0, -stride, 3 * stride, 90, 101, 5_000]) : stride
    return Math.max(0, here)
  })
  put('loss', 0.97, (row) => 1 + 1 / (1 + row / 100) + noise * normal())
  put('learningRate', 0.7, () => 0.1)
  put('momentum', 0.5, () => 0.9)
  put('gradientNormSquared', 0.8, () => Math.exp(0.3 * normal()))
  put('microGradientNormSquared', 0.8, () => 4 * Math.exp(0.3 * normal()))
  put('preconditionedGradientNormSquared', 0.4, () => Math.exp(0.3 * normal()))
  put('preconditionedMicroGradientNormSquared', 0.4, () => 4 * Math.exp(0.3 * normal()))
  put('batchSize', 0.8, (row) => (odd > 0 && row > 250 ? 256 : 128))
  put('microBatchSize', 0.8, () => 32)
  put('stepSeconds', 0.5, () => 0.1 + 0.01 * draw())
  put('signalSeconds', 0.5, () => 0.001 * draw())
  const skipped = draw() < 0.5 ? { skipped: step.map(() => (draw() < odd ? 1 : 0)) } : {}
  const objective = draw() < 0.3 ? { objective: step.map((_, row) => (row < 200 ? 'a' : null)) } : {}
  return { step, ...columns, ...skipped, ...objective } as SampleColumns
}

/** A state and what was decided and charted, after reports in a row, as text that keeps every bit. */
function folded(from: TunerState, reports: readonly SampleColumns[], { isSingle }: { isSingle: boolean }) {
  areRowsSingle = isSingle
  let state = from
  const decisions: unknown[] = []
  const readings: unknown[] = []
  reports.forEach((columns, i) => {
    const result = tune(state, { kind: 'samples', columns, number: i + 2, receivedAt: '' } as Observation)
    state = result.state
    decisions.push(...result.decisions)
    readings.push(...result.readings)
  })
  areRowsSingle = false
  const exact = (_: string, value: unknown) =>
    Object.is(value, -0) || (typeof value === 'number' && !Number.isFinite(value)) ? `${value}` : value
  return JSON.stringify({ state, decisions, readings }, exact)
}

/** A run in its large step, or one that has only begun, searches for its rate, or is not steered. */
function startOf(draw: Random): TunerState {
  if (draw() < 0.4) return runState()
  const options = { ...randomOptions(draw), budgetSteps: pick(draw, [null, 700, 5_000, 1_000_000]) }
  const start = { kind: 'start', runId: 'r', options, number: 1, receivedAt: '' } as Observation
  return tune(initialState(), start).state
}

it('rows at once are those rows one by one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
      const draw = random(seed)
      const from = startOf(draw)
      const first = columnsOf(draw, pick(draw, [from.seen.step, from.seen.step, 0, 1, 50]))
      const reports = [first, columnsOf(draw, first.step.at(-1)! + 1)]
      expect(folded(from, reports, { isSingle: false })).toBe(folded(from, reports, { isSingle: true }))
    }),
    { numRuns: 60 },
  )
})

it('a calm run is folded a block of the guard at a time', () => {
  const step = Array.from({ length: 60 }, (_, i) => 1_000 + i)
  const columns = { step, loss: step.map((at) => 1 + (at % 7) / 10) }
  const { state } = tune(runState(), { kind: 'samples', columns, number: 9, receivedAt: '' } as Observation)
  const next = step.map((at) => at + 60)
  const stretch = stretchOf(state, state.seen, {
    columns: { ...columns, step: next },
    from: 0,
    wake: Infinity,
  })
  expect(stretch?.to).toBe(10)
  expect(stretch?.seen.step).toBe(1_070)
})

it('a stretch ends with the first row at which something is due', () => {
  const step = Array.from({ length: 60 }, (_, i) => 1_000 + i)
  const columns = { step, loss: step.map((at) => 1 + (at % 7) / 10) }
  const { state } = tune(runState(), { kind: 'samples', columns, number: 9, receivedAt: '' } as Observation)
  const next = step.map((at) => at + 60)
  const stretch = stretchOf(state, state.seen, { columns: { ...columns, step: next }, from: 0, wake: 1_064 })
  expect(stretch?.seen.step).toBe(1_064)
})
