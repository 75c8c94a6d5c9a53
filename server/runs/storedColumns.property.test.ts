import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeColumns, encodeObservation } from './observationCodec.ts'
import { pointsOfSamples } from './points.ts'
import { storedColumns } from './storedColumns.ts'

const value = fc.oneof(
  fc.double(),
  fc.constant(null),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)
/** Names and texts that look like parts of the stored text. */
const awkward = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
  fc.constantFrom(
    'loss',
    'step',
    'metrics',
    '"loss":[',
    '\\',
    '\\"',
    ']',
    '"metrics":{',
    '__proto__',
    '}],"',
  ),
)
const rows = 4
const column = fc.array(value, { minLength: rows, maxLength: rows })
const columns = fc.record(
  {
    step: fc.array(fc.nat(), { minLength: rows, maxLength: rows }),
    loss: column,
    momentum: column,
    objective: fc.array(fc.option(awkward), { minLength: rows, maxLength: rows }),
    metrics: fc
      .array(fc.tuple(awkward, column), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  },
  { requiredKeys: ['step'] },
)

test('single columns are those that the whole observation has, whatever they and its texts are called', () => {
  fc.assert(
    fc.property(columns, fc.option(fc.nat(), { nil: undefined }), fc.boolean(), (given, planVersion, all) => {
      const body = { kind: 'samples', columns: given, ...(planVersion === undefined ? {} : { planVersion }) }
      const stored = encodeObservation(body as never, { number: 1, receivedAt: 0 }).body
      const whole = pointsOfSamples(decodeColumns(stored))
      const names = [...whole.values.keys()]
      const wanted = new Set(all ? names : ['loss', 'metrics.loss', names.at(-1) ?? 'nothing'])
      const found = storedColumns(stored, wanted)
      expect(found.steps).toEqual(whole.steps)
      expect(found.values).toEqual(new Map([...whole.values].filter(([name]) => wanted.has(name))))
    }),
    { numRuns: 500 },
  )
})

test('a text of another order or shape is read as a whole', () => {
  const stored = '{"columns":{"objective":"x","loss":[1,2],"step":[3,4]}}'
  expect(storedColumns(stored, new Set(['loss']))).toEqual({
    steps: [3, 4],
    values: new Map([['loss', [1, 2]]]),
  })
})
