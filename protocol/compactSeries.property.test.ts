// A compact series says what the series said, in fewer bytes.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compactSeries, expandedSeries } from './compactSeries.ts'
import type { Series, SeriesColumns } from './vocabulary.ts'

const value = fc.double({ noNaN: true, noDefaultInfinity: true })
const bucket = fc.oneof(
  fc.record({ values: fc.array(value, { minLength: 1, maxLength: 4 }), nonFinite: fc.nat(2) }),
  fc.record({ values: fc.constant<number[]>([]), nonFinite: fc.integer({ min: 1, max: 3 }) }),
)

const columns = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), bucket), { maxLength: 20 })
  .map((buckets): SeriesColumns => {
    let step = -1
    const known = (of: (values: number[]) => number) =>
      buckets.map(([, { values }]) => (values.length === 0 ? null : of(values)))
    return {
      step: buckets.map(([distance]) => (step += distance)),
      first: known((values) => values[0]!),
      min: known((values) => Math.min(...values)),
      max: known((values) => Math.max(...values)),
      last: known((values) => values.at(-1)!),
      count: buckets.map(([, { values }]) => values.length),
      nonFinite: buckets.map(([, { nonFinite }]) => nonFinite),
    }
  })

const series = fc
  .dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    columns,
    { maxKeys: 5 },
  )
  .map((signals): Series => ({ runId: 'a', fromStep: 0, toStep: 9, stored: 7, shown: 5, signals }))

const withoutFirst = ({ first: _, ...rest }: SeriesColumns) => rest
const overTheWire = <T>(sent: T): T => JSON.parse(JSON.stringify(sent)) as T

test('with all digits and extremes it is the series again, but for the first values', () => {
  fc.assert(
    fc.property(series, (given) => {
      const extremes = new Set(Object.keys(given.signals))
      const back = expandedSeries(overTheWire(compactSeries(given, { digits: 17, extremes })))
      const signals = Object.entries(given.signals).map(([name, one]) => [name, withoutFirst(one)])
      // JSON has no negative zero.
      expect(back).toEqual(overTheWire({ ...given, signals: Object.fromEntries(signals) }))
    }),
  )
})

test('without extremes the last values, gaps and counts of what is no number are left', () => {
  fc.assert(
    fc.property(series, (given) => {
      const back = expandedSeries(overTheWire(compactSeries(given, { digits: 17, extremes: new Set() })))
      for (const [name, one] of Object.entries(given.signals)) {
        const { step, last, nonFinite } = overTheWire(one)
        expect(back.signals[name]).toMatchObject({ step, last, min: last, max: last, nonFinite })
        expect(back.signals[name]!.count.map((count) => count > 0)).toEqual(
          one.count.map((count) => count > 0),
        )
      }
    }),
  )
})

test('digits are significant ones, and the order of least, last and most stays', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 3, max: 9 }), (given, digits) => {
      const extremes = new Set(Object.keys(given.signals))
      const back = expandedSeries(compactSeries(given, { digits, extremes }))
      for (const [name, { last, min, max }] of Object.entries(back.signals))
        for (const [i, shown] of last.entries()) {
          const exact = given.signals[name]!.last[i]!
          if (shown === null || exact === null) expect(shown).toBe(exact)
          else {
            expect(Math.abs(shown - exact)).toBeLessThanOrEqual(Math.abs(exact) * 10 ** (1 - digits))
            expect(min[i]! <= shown && shown <= max[i]!).toBe(true)
          }
        }
    }),
  )
})

test('steps that signals share are told once, and nothing is told of what follows from the rest', () => {
  const line = { step: [5, 9, 20], first: [1, 2, 3], min: [1, 2, 3], max: [1, 2, 3], last: [1, 2, 3] }
  const counts = { count: [1, 1, 1], nonFinite: [0, 0, 0] }
  const given = { runId: 'a', fromStep: 0, toStep: 20, stored: 3, shown: 3 }
  const signals = { loss: { ...line, ...counts }, rate: { ...line, ...counts, last: [1.23456, 2, 3] } }
  expect(compactSeries({ ...given, signals }, { digits: 3, extremes: new Set(['loss']) })).toEqual({
    ...given,
    steps: [[5, 4, 11]],
    signals: { loss: { at: 0, last: [1, 2, 3] }, rate: { at: 0, last: [1.23, 2, 3] } },
  })
})
