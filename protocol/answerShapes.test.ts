import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { answerShapes } from './answerShapes.ts'
import answerExamples from './examples/answers.json' with { type: 'json' }
import { shapesOf } from './schemas/shapesOf.ts'
import {
  accessSchema,
  auditPageSchema,
  compactSeriesSchema,
  controlAnswerSchema,
  decisionListSchema,
  deliveryPageSchema,
  deliverySchema,
  forecastCalibrationSchema,
  healthSchema,
  liveSamplesSchema,
  newTokenSchema,
  newWebhookSchema,
  problemSchema,
  removedRunsSchema,
  runListSchema,
  runSummarySchema,
  subscribeAnswerSchema,
  tokenListSchema,
  versionSchema,
  webhookListSchema,
  webhookTestSchema,
  whatIfAnswerSchema,
} from './schemas.ts'
import { type Shapes, shapeProblem } from './shape.ts'

/** The answers that the page reads. */
const roots: Readonly<Record<string, z.ZodType>> = {
  RunList: runListSchema,
  RunSummary: runSummarySchema,
  CompactSeries: compactSeriesSchema,
  DecisionList: decisionListSchema,
  SubscribeAnswer: subscribeAnswerSchema,
  LiveSamples: liveSamplesSchema,
  ForecastCalibration: forecastCalibrationSchema,
  ControlAnswer: controlAnswerSchema,
  WhatIfAnswer: whatIfAnswerSchema,
  Health: healthSchema,
  Version: versionSchema,
  Access: accessSchema,
  TokenList: tokenListSchema,
  NewToken: newTokenSchema,
  AuditPage: auditPageSchema,
  RemovedRuns: removedRunsSchema,
  WebhookList: webhookListSchema,
  NewWebhook: newWebhookSchema,
  WebhookTest: webhookTestSchema,
  Delivery: deliverySchema,
  DeliveryPage: deliveryPageSchema,
  Problem: problemSchema,
}
const shapes: Shapes = answerShapes
const problemOf = (name: string, message: unknown) => shapeProblem(shapes, `@${name}`, message)
const examples = answerExamples.filter(({ schema }) => Object.hasOwn(roots, schema))

const head = `// The shapes of the answers that the page reads, made from their schemas: \`npx vitest run protocol/answerShapes -u\`
// writes this file anew.

// biome-ignore-all format: made by a program`

describe('the shapes of answers', () => {
  it('are those of the schemas', async () => {
    const lines = Object.entries(shapesOf(Object.values(roots))).map(
      ([name, shape]) => `  ${name}: ${JSON.stringify(shape).replaceAll("'", "\\'").replaceAll('"', "'")},`,
    )
    const text = [head, 'export const answerShapes = {', ...lines, '} as const', ''].join('\n')
    await expect(text).toMatchFileSnapshot('answerShapes.ts')
  })

  it.each(
    examples.flatMap(({ schema, valid }) => valid.map(({ name, message }) => ({ schema, name, message }))),
  )('let $schema through: $name', ({ schema, message }) => {
    expect(problemOf(schema, message)).toBeUndefined()
    expect(problemOf(schema, { ...message, unheardOf: 1 })).toBeUndefined()
  })

  it('say where an answer is wrong, and what it must be', () => {
    const run = examples.find(({ schema }) => schema === 'RunSummary')!.valid[0]!.message as Record<
      string,
      unknown
    >
    expect(problemOf('RunSummary', { ...run, step: '3' })).toBe('/step must be number')
    expect(problemOf('RunSummary', { ...run, phase: 'cold' })).toBe('/phase must be warmup|large|anneal|done')
    expect(problemOf('RunSummary', { ...run, spark: [1, 'x'] })).toBe('/spark/1 must be number')
    expect(problemOf('RunSummary', { ...run, loss: undefined })).toBe('/loss must be null')
    expect(problemOf('RunSummary', null)).toBe(' must be object')
    expect(problemOf('DecisionList', { decisions: {}, next: null })).toBe('/decisions must be list')
  })
})

/** A copy of a message in which one value is another one. */
const spoilt = (message: unknown): fc.Arbitrary<unknown> => {
  const places: (readonly string[])[] = []
  const walk = (value: unknown, path: readonly string[]) => {
    places.push(path)
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key])
  }
  walk(message, [])
  const other = fc.constantFrom<unknown>(null, 'word', 5, true, [], {}, [1], undefined)
  return fc.tuple(fc.constantFrom(...places.slice(1)), other).map(([path, value]) => {
    const copy = structuredClone(message) as Record<string, unknown>
    let holder = copy
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>
    holder[path.at(-1)!] = value
    return JSON.parse(JSON.stringify(copy)) as unknown
  })
}

/** Bounds, lengths and patterns are not part of a shape. */
const isShapeIssue = ({ code }: z.core.$ZodIssue) =>
  code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union'

describe('a spoilt answer', () => {
  it.each(examples.map(({ schema, valid }) => ({ schema, messages: valid.map(({ message }) => message) })))(
    'is refused by the shape of $schema where its schema refuses it for its shape',
    ({ schema, messages }) => {
      const arbitrary = fc.oneof(...messages.map(spoilt))
      fc.assert(
        fc.property(arbitrary, (message) => {
          const issues = roots[schema]!.safeParse(structuredClone(message)).error?.issues ?? []
          expect(problemOf(schema, message) !== undefined).toBe(issues.some(isShapeIssue))
        }),
        { numRuns: 300 },
      )
    },
  )
})
