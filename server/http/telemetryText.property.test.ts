// What is read directly is what the schema would have made of the body.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { telemetrySchema } from '../../protocol/schemas.ts'
import { startTestServer } from '../testing/testServer.ts'
import { readJsonText } from './jsonText.ts'
import { plainBatch } from './telemetryText.ts'

const rows = 3
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('0', '1.0', '-0.0', '1E2', '0.10', 'null', '"NaN"', '"Infinity"', '"-Infinity"'),
)
const whole = fc.nat(100_000).map(String)
const odd = fc.constantFrom('"x"', 'true', '-1', '1.5', '1e400', '', '[]', '{}')
const sometimes = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: rare })
const listOf = (entry: fc.Arbitrary<string>, length = rows) =>
  fc
    .tuple(
      fc.array(entry, { minLength: length, maxLength: length }),
      sometimes(fc.constantFrom(',', ', '), fc.constantFrom(' , ', ',\n')),
    )
    .map(([entries, comma]) => `[${entries.join(comma)}]`)
const list = sometimes(
  listOf(number),
  fc.oneof(listOf(sometimes(number, odd)), listOf(number, 2), odd, fc.constant('[]')),
)
const columnName = fc.constantFrom('loss', 'momentum', 'batchSize', 'tokens', 'stepSeconds', 'learningRate')
const metricName = sometimes(
  fc.constantFrom('a', 'b', '1', 'loss', 'val/acc', ']', '"columns":{'),
  fc.constantFrom('__proto__', '\\u0061', 'ü', '', 'x'.repeat(129)),
)
type Field = readonly [name: string, text: string]
const field = (name: fc.Arbitrary<string>, text: fc.Arbitrary<string>): fc.Arbitrary<Field> =>
  fc.tuple(name, text)
const objectText = (fields: readonly Field[], colon: string, comma: string) =>
  `{${fields.map(([name, text]) => `"${name.replaceAll('"', '\\"')}"${colon}${text}`).join(comma)}}`
/** Fields in any order, seldom twice. */
const fieldsOf = (first: readonly fc.Arbitrary<Field>[], more: fc.Arbitrary<Field>, repeats: boolean) =>
  fc
    .tuple(
      fc.tuple(...first),
      repeats
        ? fc.array(more, { maxLength: 4 })
        : fc.uniqueArray(more, { maxLength: 4, selector: ([name]) => name }),
    )
    .chain(([own, others]) =>
      fc.shuffledSubarray([...own, ...others], { minLength: own.length + others.length }),
    )

const spaces = fc.constantFrom('', '', ' ', '\n  ')
const body = fc.boolean().chain((mayRepeat) => {
  const repeats = mayRepeat
  const metrics = fieldsOf([], field(metricName, list), repeats)
  const steps = fc
    .tuple(
      fieldsOf(
        [field(fc.constant('step'), sometimes(listOf(whole), listOf(number)))],
        field(columnName, list),
        repeats,
      ),
      fc.option(metrics, { nil: undefined }),
      spaces,
    )
    .map(([columns, own, space]) =>
      objectText(
        own === undefined || own.length === 0
          ? columns
          : [...columns, ['metrics', objectText(own, ':', ',')]],
        `:${space}`,
        `,${space}`,
      ),
    )
  return fc
    .tuple(
      fieldsOf(
        [
          field(
            fc.constant('clientId'),
            sometimes(fc.constant('"job-1"'), fc.constantFrom('""', '"\\n"', '"é"', '7')),
          ),
          field(
            fc.constant('sequence'),
            sometimes(
              fc.constantFrom('1', '12'),
              fc.constantFrom('0', '1.0', '1e2', '01', '9007199254740993'),
            ),
          ),
          field(fc.constant('steps'), sometimes(steps, fc.constantFrom('{}', 'null', '[]'))),
        ],
        field(
          sometimes(fc.constant('planVersion'), fc.constantFrom('objective', 'probes', 'more')),
          fc.constantFrom('3', '0', '"x"', '[]'),
        ),
        repeats,
      ),
      spaces,
      sometimes(fc.constant(''), fc.constantFrom('x', '}', ' \n')),
    )
    .map(([fields, space, end]) => `${objectText(fields, `${space}:`, `${space},`)}${end}`)
})

let direct = 0
test('a body that is read directly is what JSON.parse and the schema make of it', () => {
  fc.assert(
    fc.property(body, (text) => {
      const telemetry = plainBatch(Buffer.from(text))
      if (telemetry === undefined) return
      direct++
      const read = readJsonText(text)
      expect(read).toHaveProperty('value')
      const expected = telemetrySchema.parse((read as { value: unknown }).value)
      expect(telemetry).toEqual(expected)
      expect(Object.keys(telemetry.steps?.metrics ?? {})).toEqual(Object.keys(expected.steps?.metrics ?? {}))
    }),
    { numRuns: 5_000 },
  )
  expect(direct).toBeGreaterThan(300)
})

test.each(['[]', '[1,]', '[01]', '[1e400]', '[[1]]', '["a]"]', '[1,"é"]', '["nan"]', '[true]', '1', '[1'])(
  'what is no list of numbers is left to the schema: %s',
  (list) => {
    expect(plainBatch(Buffer.from(batch('[1,2]')))).toBeDefined()
    expect(plainBatch(Buffer.from(batch(list)))).toBeUndefined()
  },
)

const batch = (loss: string) => `{"sequence":1, "steps":{"loss":${loss},"step":[0,1]}, "clientId":"c"}`

test('the same numbers in another spelling are the same batch; other numbers are none', async () => {
  const server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
  const send = async (text: string) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}/api/v1/runs/r/telemetry`, {
      method: 'POST',
      headers,
      body: text,
    })
    return { status: answer.status, body: (await answer.json()) as { duplicate?: boolean; code?: string } }
  }
  expect(await send(batch('[1.50, 2]'))).toMatchObject({ status: 200, body: { duplicate: false } })
  expect(await send(batch('[1.5,2.0]'))).toMatchObject({ status: 200, body: { duplicate: true } })
  expect(await send(batch('[15e-1,\n2]'))).toMatchObject({ status: 200, body: { duplicate: true } })
  expect(await send(batch('[1.5,2.5]'))).toMatchObject({ status: 409, body: { code: 'sequence-reused' } })
  await server.close()
})
