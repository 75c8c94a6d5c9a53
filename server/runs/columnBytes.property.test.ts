import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observationLineSchema } from '../../protocol/schemas.ts'
import type { SampleColumns } from '../../protocol/vocabulary.ts'
import { decodeColumns, encodeColumns, wantedColumns } from './columnBytes.ts'
import { bodyText, decodeObservation, encodeObservation, storedPoints } from './observationCodec.ts'
import { pointsOfSamples } from './points.ts'

const awkward = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
  fc.constantFrom('loss', 'step', 'metrics', '"loss":[', '\\"', '__proto__', 'é'),
)
const anyNumber = fc.oneof(
  fc.double(),
  fc.float(),
  fc.integer(),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 1e-45),
)
/** Of each form that a column may have, and of those next to it. */
const columnOf = (rows: number): fc.Arbitrary<(number | null)[]> => {
  const all = (entry: fc.Arbitrary<number | null>) => fc.array(entry, { minLength: rows, maxLength: rows })
  return fc.oneof(
    all(anyNumber),
    all(fc.float()),
    all(fc.option(anyNumber)),
    all(fc.option(fc.float(), { freq: 1 })),
    fc.option(anyNumber).map((value) => Array<number | null>(rows).fill(value)),
    fc
      .tuple(
        fc.maxSafeInteger(),
        fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger()),
        fc.nat(rows),
        fc.boolean(),
      )
      .map(([first, stride, odd, isOdd]) =>
        Array.from({ length: rows }, (_, i) => first + i * stride + (isOdd && i === odd ? 1 : 0)),
      ),
  )
}
const columns: fc.Arbitrary<SampleColumns> = fc.integer({ min: 1, max: 40 }).chain((rows) => {
  const column = columnOf(rows)
  const step = fc.oneof(
    fc.array(fc.nat(), { minLength: rows, maxLength: rows }),
    fc.nat(1e9).map((first) => Array.from({ length: rows }, (_, i) => first + i)),
  )
  return fc.record(
    {
      step,
      loss: column,
      momentum: column,
      gradientNormSquared: column,
      objective: fc.array(fc.option(awkward), { minLength: rows, maxLength: rows }),
      metrics: fc
        .uniqueArray(fc.tuple(awkward, column), { maxLength: 4, selector: ([name]) => name })
        .map(Object.fromEntries),
    },
    { requiredKeys: ['step'], noNullPrototype: true },
  )
})

describe('columns as bytes', () => {
  test('are read back to the last bit, whatever they are called, wherever the bytes begin', () => {
    fc.assert(
      fc.property(columns, fc.integer({ min: 0, max: 9 }), (given, offset) => {
        const bytes = encodeColumns(given)
        const pool = new Uint8Array(bytes.length + 20).fill(7)
        pool.set(bytes, offset)
        expect(decodeColumns(pool.subarray(offset, offset + bytes.length))).toEqual(given)
      }),
      { numRuns: 2_000 },
    )
  })

  test('single ones are those that all of them have', () => {
    fc.assert(
      fc.property(columns, fc.boolean(), (given, all) => {
        const whole = pointsOfSamples(given)
        const names = [...whole.values.keys()]
        const wanted = new Set(all ? names : ['loss', 'metrics.loss', names.at(-1) ?? 'nothing'])
        const found = wantedColumns(encodeColumns(given), wanted)
        expect(found.steps).toEqual(whole.steps)
        expect(found.values).toEqual(new Map([...whole.values].filter(([name]) => wanted.has(name))))
      }),
      { numRuns: 500 },
    )
  })

  test('say in their text what they say as bytes, and are read from it as a log of 0.1.0 has it', () => {
    fc.assert(
      fc.property(columns, fc.option(fc.nat(), { nil: undefined }), (given, planVersion) => {
        const observation = {
          kind: 'samples' as const,
          columns: given,
          ...(planVersion === undefined ? {} : { planVersion }),
        }
        const stored = encodeObservation(observation, { number: 2, receivedAt: 0 })
        const text = { ...stored, body: bodyText(stored), columns: null }
        const expected = { ...observation, number: 2, receivedAt: '1970-01-01T00:00:00.000Z' }
        expect(decodeObservation(stored)).toEqual(expected)
        expect(decodeObservation(text)).toEqual(expected)
        const names = new Set(pointsOfSamples(given).values.keys())
        expect(storedPoints(text, names)).toEqual(storedPoints(stored, names))
      }),
      { numRuns: 500 },
    )
  })

  test('go out as a line of a file that can be taken in, whatever objectives there are', () => {
    for (const objective of [
      [null, null],
      ['a', 'a'],
      ['a', null],
    ]) {
      const given = { step: [3, 4], loss: [-0, 1], objective }
      const stored = encodeObservation({ kind: 'samples', columns: given }, { number: 2, receivedAt: 0 })
      const line = {
        number: 2,
        receivedAt: '1970-01-01T00:00:00.000Z',
        kind: 'samples',
        body: JSON.parse(bodyText(stored)),
      }
      expect(observationLineSchema.parse(line)).toMatchObject({ body: { columns: given } })
    }
  })

  test('take a value where they say one thing, four bytes a row where floats do, eight else', () => {
    const rows = 1_000
    const bytesOf = (valueAt: (i: number) => number | null) =>
      encodeColumns({
        step: Array.from({ length: rows }, (_, i) => 7 + i),
        loss: Array.from({ length: rows }, (_, i) => valueAt(i)),
      }).length
    expect(bytesOf(() => 0.1)).toBeLessThan(100)
    expect(bytesOf(() => null)).toBeLessThan(100)
    expect(bytesOf((i) => 10 * i)).toBeLessThan(100)
    expect(bytesOf((i) => Math.fround(1 / (i + 3)))).toBeLessThan(4 * rows + 100)
    expect(bytesOf((i) => 1 / (i + 3))).toBeLessThan(8 * rows + 100)
    expect(bytesOf((i) => (i % 10 === 0 ? Math.fround(1 / (i + 3)) : null))).toBeLessThan(
      0.4 * rows + 0.125 * rows + 110,
    )
  })

  test('that are cut, or followed by something, are refused', () => {
    const bytes = encodeColumns({ step: [1, 2, 4], loss: [0.1, 0.2, null] })
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeColumns(bytes.subarray(0, length))).toThrow()
    expect(() => decodeColumns(new Uint8Array([...bytes, 0]))).toThrow('1 bytes follow the columns')
  })
})
