// The oracle is the engine's own JSON.parse.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberLists } from './jsonNumbers.ts'

const entriesMax = 8
const read = (text: string) => new NumberLists(Buffer.from(text)).read(0, entriesMax)

/** What JSON.parse gives for a list of one number; undefined where it is none, or not finite. */
function parsed(text: string): number | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined
  } catch {
    return undefined
  }
}

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength })
/** Spellings of numbers, most of them right. */
const spelling = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 21 }))
    .map(([x, n]) => x.toPrecision(n)),
  fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      digits(22),
      fc.constantFrom('', '.'),
      digits(22),
      fc.constantFrom('', 'e', 'E', 'e-', 'E+'),
      digits(3),
    )
    .map((parts) => parts.join('')),
)
/** Halfway between two doubles: an odd whole number above 2^53, as it is and with its point moved. */
const halfway = fc
  .tuple(fc.bigInt(2n ** 53n, 2n ** 54n - 1n), fc.nat(22))
  .map(([k, power]) => `${2n * k + 1n}${power === 0 ? '' : `e-${power}`}`)

test('a number is the double that JSON.parse gives, to its last bit', () => {
  fc.assert(
    fc.property(fc.oneof(spelling, halfway), (text) => {
      const expected = parsed(text)
      expect(read(`[${text}]`)).toEqual(expected === undefined ? undefined : [expected])
    }),
    { numRuns: 20_000 },
  )
})

test.each([
  '0',
  '-0',
  '-0.0',
  '0e999',
  '5e-324',
  '1.7976931348623157e308',
  '9007199254740993',
  '1e23',
  '0.1e1',
])('the edges too: %s', (text) => {
  expect(read(`[${text}]`)).toEqual([parsed(text)])
})

test('null and the names of non-finite numbers are entries', () => {
  expect(read('[1, null,"NaN", "Infinity","-Infinity"]')).toEqual([
    1,
    null,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ])
})

test.each([
  '[]',
  '[1',
  '[1,]',
  '[,1]',
  '[1]]'.slice(1),
  '["nan"]',
  '[nul',
  '["Na',
  '[1,\n2]',
  '[1 ,2]',
  '[01]',
  '[1e400]',
  '[[1]]',
  '1',
])('anything else is left to JSON.parse: %j', (text) => {
  expect(read(text)).toBeUndefined()
})

test('a list of more entries than are allowed is not read to its end', () => {
  expect(read(`[${Array(entriesMax).fill(1).join()}]`)).toHaveLength(entriesMax)
  expect(
    read(
      `[${Array(entriesMax + 1)
        .fill(1)
        .join()}]`,
    ),
  ).toBeUndefined()
})
