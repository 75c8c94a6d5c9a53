// How buckets join, where a line is broken, and what the page asks for after a reconnection.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bucketsWhere,
  type Columns,
  countSamples,
  emptyColumns,
  gapsOf,
  indexAt,
  longestSignal,
  mergeColumns,
  mergeSeries,
  nextStepOf,
  type Series,
  valueAt,
  withNeighbours,
} from './series.ts'

const columns = (
  steps: readonly number[],
  value: (step: number) => number | null = (step) => step,
  count = 1,
): Columns => ({
  step: steps,
  min: steps.map(value),
  max: steps.map(value),
  last: steps.map(value),
  count: steps.map((step) => (value(step) === null ? 0 : count)),
  nonFinite: steps.map((step) => (value(step) === null ? count : 0)),
})
const series = (signals: Record<string, Columns>): Series => ({
  runId: 'a',
  fromStep: 0,
  toStep: 10,
  stored: 1,
  shown: 1,
  signals,
})
const range = (from: number, to: number, by = 1) =>
  Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by)

describe('merging columns', () => {
  test('new steps follow the old ones', () => {
    expect(mergeColumns(columns([0, 1]), columns([2, 3]))).toEqual(columns([0, 1, 2, 3]))
  })

  test('a bucket of the same first step takes the newer values, others keep their place', () => {
    const merged = mergeColumns(
      columns([0, 2, 4]),
      columns([1, 2, 3], () => 9),
    )
    expect(merged.step).toEqual([0, 1, 2, 3, 4])
    expect(merged.last).toEqual([0, 9, 9, 9, 4])
  })

  test('nothing joined to something is the same', () => {
    const have = columns([5, 6])
    expect(mergeColumns(have, emptyColumns)).toBe(have)
    expect(mergeColumns(emptyColumns, have)).toEqual(have)
  })

  const stepLists = fc.uniqueArray(fc.nat(60)).map((steps) => steps.sort((a, b) => a - b))
  test('steps stay in order and unique, and joining the same part twice changes nothing', () => {
    fc.assert(
      fc.property(stepLists, stepLists, (a, b) => {
        const once = mergeColumns(
          columns(a),
          columns(b, (step) => -step),
        )
        expect(once.step).toEqual([...new Set([...a, ...b])].sort((x, y) => x - y))
        expect(
          mergeColumns(
            once,
            columns(b, (step) => -step),
          ),
        ).toEqual(once)
        for (const name of ['min', 'max', 'last', 'count', 'nonFinite'] as const)
          expect(once[name]).toHaveLength(once.step.length)
      }),
    )
  })

  test('what a server sends of a bucket beyond what is drawn is not kept', () => {
    const sent = (steps: readonly number[]) => ({ ...columns(steps), first: steps })
    expect(mergeColumns(sent([0, 1]), sent([2]))).toEqual(columns([0, 1, 2]))
  })

  test('the buckets of a range are kept whole', () => {
    const have = columns([0, 10, 20, 30])
    expect(bucketsWhere(have, (step) => step >= 10 && step < 30)).toEqual(columns([10, 20]))
    expect(bucketsWhere(have, () => true)).toBe(have)
  })

  test('a signal may have any name', () => {
    const own = JSON.parse('{"__proto__": 1}') as object
    const named = (step: number) =>
      series(Object.fromEntries(Object.keys(own).map((name) => [name, columns([step])])))
    const merged = mergeSeries(named(0), named(1))
    expect(Object.entries(merged.signals)).toEqual([['__proto__', columns([0, 1])]])
  })

  test('a signal that comes first with the live part is kept', () => {
    const merged = mergeSeries(
      series({ loss: columns([0, 1]) }),
      series({ loss: columns([2]), noiseScale: columns([2]) }),
    )
    expect(merged.signals.loss?.step).toEqual([0, 1, 2])
    expect(merged.signals.noiseScale?.step).toEqual([2])
    expect(longestSignal(merged)).toBe(3)
  })
})

describe('what is missing', () => {
  test('the next step is one after the newest, and less after a rollback', () => {
    expect(nextStepOf(null, null)).toBe(0)
    expect(nextStepOf(series({}), 7)).toBe(0)
    expect(nextStepOf(series({ loss: columns([0, 1, 2]), averagedLoss: columns([2]) }), 3)).toBe(3)
    expect(nextStepOf(series({ loss: columns([0, 1, 2, 3, 4]) }), 2)).toBe(2)
  })
})

describe('values at a step', () => {
  test('the newest at or before it, skipping buckets without a finite sample', () => {
    const loss = columns([0, 10, 20], (step) => (step === 10 ? null : step))
    expect(valueAt(loss, 15)).toBe(0)
    expect(valueAt(loss, 25)).toBe(20)
    expect(valueAt(loss, -1)).toBeNull()
    expect(valueAt(undefined, 3)).toBeNull()
    expect(indexAt([], 3)).toBe(-1)
  })

  test('samples are counted with those that are not finite', () => {
    expect(countSamples(columns([0, 10, 20], (step) => (step === 10 ? null : step), 10))).toEqual({
      shown: 3,
      stored: 30,
    })
    expect(countSamples(undefined)).toEqual({ shown: 0, stored: 0 })
  })
})

describe('gaps', () => {
  test('steps without pause have none, however they are thinned', () => {
    expect(gapsOf(columns(range(0, 100)))).toEqual([])
    expect(gapsOf(columns(range(0, 1000, 10), undefined, 10))).toEqual([])
  })

  test('thinned history followed by single live steps is no gap', () => {
    expect(
      gapsOf(mergeColumns(columns(range(0, 1000, 10), undefined, 10), columns(range(1000, 1400)))),
    ).toEqual([])
  })

  test('a job that reports each tenth step has no gaps', () => {
    expect(gapsOf(columns(range(0, 500, 10)))).toEqual([])
  })

  test('a silence is told by its last step before and its first after', () => {
    expect(gapsOf(columns([...range(0, 50), ...range(90, 120)]))).toEqual([{ fromStep: 49, toStep: 90 }])
  })

  test('NaN samples are samples, not a gap', () => {
    expect(gapsOf(columns(range(0, 40), (step) => (step > 10 && step < 30 ? null : 1)))).toEqual([])
  })

  test('too little to tell: no gap', () => {
    expect(gapsOf(undefined)).toEqual([])
    expect(gapsOf(columns([0, 500]))).toEqual([])
  })
})

test('a part of a run takes the nearest entries around it, but for the loss', () => {
  const series = { runId: 'a', fromStep: 0, toStep: 100, stored: 0, shown: 0 }
  const whole = { ...series, signals: { loss: columns([0, 50, 90]), ratio: columns([10, 30, 50, 70, 90]) } }
  const signals = { loss: columns([45, 46]), ratio: columns([50]) }
  const part = { ...series, fromStep: 45, toStep: 60, signals }
  const near = withNeighbours(part, whole)
  expect(near.signals.loss?.step).toEqual([45, 46])
  expect(near.signals.ratio?.step).toEqual([30, 50, 70])
  const empty = withNeighbours({ ...part, signals: {} }, whole)
  expect(empty.signals.ratio?.step).toEqual([30, 70])
})
