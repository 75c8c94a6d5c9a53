import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import actionExamples from './examples/action.json' with { type: 'json' }
import answerExamples from './examples/answers.json' with { type: 'json' }
import createRunExamples from './examples/createRun.json' with { type: 'json' }
import planExamples from './examples/plan.json' with { type: 'json' }
import requestExamples from './examples/requests.json' with { type: 'json' }
import telemetryExamples from './examples/telemetry.json' with { type: 'json' }
import {
  actionSchema,
  changeRunSchema,
  commandOf,
  commandRequestSchema,
  compactSeriesQuerySchema,
  compactSeriesSchema,
  controlAnswerSchema,
  createRunSchema,
  decisionListSchema,
  decisionSchema,
  encodeNumber,
  forecastCalibrationSchema,
  limits,
  liveSamplesSchema,
  overrideSchema,
  planSchema,
  problemSchema,
  recommendationSchema,
  recommendRequestSchema,
  runAnswerSchema,
  runListSchema,
  runOptions,
  runSummarySchema,
  sampleColumnsSchema,
  scheduleSchema,
  seriesQuerySchema,
  seriesSchema,
  subscribeAnswerSchema,
  subscribeSchema,
  telemetryAnswerSchema,
  telemetrySchema,
  transitionListSchema,
  whatIfRequestSchema,
} from './schemas.ts'
import { actionKinds, probeKinds, sampleColumnNames } from './vocabulary.ts'

type Examples = {
  readonly schema: string
  readonly valid: readonly { readonly name: string; readonly message: unknown }[]
  readonly invalid: readonly {
    readonly name: string
    readonly message: unknown
    readonly path: string
    readonly says: string
  }[]
}

const schemas: Readonly<Record<string, z.ZodType>> = {
  Telemetry: telemetrySchema,
  Plan: planSchema,
  Action: actionSchema,
  CreateRun: createRunSchema,
  ChangeRun: changeRunSchema,
  CommandRequest: commandRequestSchema,
  OverrideRequest: overrideSchema,
  SeriesQuery: seriesQuerySchema,
  CompactSeriesQuery: compactSeriesQuerySchema,
  WhatIfRequest: whatIfRequestSchema,
  RecommendRequest: recommendRequestSchema,
  Subscribe: subscribeSchema,
  Decision: decisionSchema,
  RunSummary: runSummarySchema,
  RunList: runListSchema,
  RunAnswer: runAnswerSchema,
  TelemetryAnswer: telemetryAnswerSchema,
  ControlAnswer: controlAnswerSchema,
  DecisionList: decisionListSchema,
  TransitionList: transitionListSchema,
  Series: seriesSchema,
  CompactSeries: compactSeriesSchema,
  Recommendation: recommendationSchema,
  Schedule: scheduleSchema,
  SubscribeAnswer: subscribeAnswerSchema,
  LiveSamples: liveSamplesSchema,
  ForecastCalibration: forecastCalibrationSchema,
  Problem: problemSchema,
}
const all: readonly Examples[] = [
  telemetryExamples,
  planExamples,
  actionExamples,
  createRunExamples,
  ...requestExamples,
  ...answerExamples,
]
/** Parsing may reuse the arrays it is given, so each test parses a copy. */
const copy = (message: unknown): unknown => structuredClone(message)

describe.each(all)('$schema', ({ schema: id, valid, invalid }) => {
  const schema = schemas[id]!
  it.each(valid)('accepts $name', ({ message }) => {
    expect(schema.safeParse(copy(message)).error).toBeUndefined()
  })

  it.each(invalid)('refuses $name, and says where and why', ({ message, path, says }) => {
    const issues = schema.safeParse(copy(message)).error?.issues ?? []
    const found = issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
    expect(found).toContainEqual({ path, message: expect.stringContaining(says) })
  })
})

describe('telemetry', () => {
  const parsed = (name: string) =>
    telemetrySchema.parse(copy(telemetryExamples.valid.find((example) => example.name === name)?.message))

  it('reads NaN and infinities from their names', () => {
    const { steps, probes } = parsed('a diverging loss')
    expect(steps?.loss).toEqual([7.5, Number.POSITIVE_INFINITY, Number.NaN, null])
    expect(steps?.gradientNormSquared?.[0]).toBe(Number.NEGATIVE_INFINITY)
    expect(probes?.[0]).toMatchObject({ raw: { loss: Number.NaN } })
  })

  it('writes them so that they come back', () => {
    const values = [1.5, 0, -2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const wire = JSON.parse(JSON.stringify({ step: [0, 1, 2, 3, 4, 5], loss: values.map(encodeNumber) }))
    expect(sampleColumnsSchema.parse(wire).loss).toEqual(values)
  })

  it('takes an empty column for an absent one, and fills in an empty detail', () => {
    const { steps, acknowledgements } = parsed(
      'empty columns, as good as absent, and an acknowledgement without detail',
    )
    expect(steps).toEqual({ step: [106], learningRate: [0.05] })
    expect(acknowledgements?.[0]?.detail).toBe('')
  })

  it('keeps every column of the vocabulary', () => {
    expect(Object.keys(parsed('everything').steps ?? {}).sort()).toEqual(
      ['step', 'metrics', 'objective', ...sampleColumnNames].sort(),
    )
    expect(parsed('everything').probes?.map((probe) => probe.kind)).toEqual([...probeKinds])
  })

  it('takes 10,000 steps in a batch and refuses 10,001, naming the bound', () => {
    const batch = (count: number) => ({
      clientId: 'c',
      sequence: 1,
      steps: { step: Array.from({ length: count }, (_, i) => i), loss: Array(count).fill(1) },
    })
    expect(telemetrySchema.safeParse(batch(10_000)).success).toBe(true)
    const issues = telemetrySchema.safeParse(batch(10_001)).error?.issues ?? []
    expect(issues.map((issue) => issue.path.join('.'))).toContain('steps.step')
    expect(issues[0]?.message).toContain(String(limits.batchStepsMax))
  })

  it('takes a metric of any name, as an entry of its own', () => {
    const odd = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'précision',
      '损失 🙂',
      'x'.repeat(128),
    ]
    const metrics = odd.map((name, i) => `${JSON.stringify(name)}:[${i},"NaN"]`).join()
    const text = `{"clientId":"c","sequence":1,"steps":{"step":[1,2],"metrics":{${metrics}}}}`
    const { steps } = telemetrySchema.parse(JSON.parse(text))
    expect(Object.entries(steps?.metrics ?? {})).toEqual(odd.map((name, i) => [name, [i, Number.NaN]]))
    expect(Object.getPrototypeOf(steps?.metrics)).toBe(Object.prototype)
  })

  it('refuses more metrics and longer names than the contract allows', () => {
    const batch = (metrics: object) => ({ clientId: 'c', sequence: 1, steps: { step: [1], metrics } })
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`m${i}`, [1]]))
    expect(telemetrySchema.safeParse(batch(many)).error?.message).toContain('must hold at most 200 metrics')
    const issues = telemetrySchema.safeParse(batch({ ['x'.repeat(129)]: [1], '': ['a'] })).error?.issues ?? []
    expect(issues.map(({ path, message }) => [path.at(-1), message.split(', got')[0]])).toEqual([
      ['x'.repeat(129), 'must have a name of 1 to 128 characters'],
      ['', 'must have a name of 1 to 128 characters'],
      [0, 'must be a number, null, "NaN", "Infinity" or "-Infinity"'],
    ])
  })
})

describe('an answer', () => {
  it.each(answerExamples.filter(({ valid }) => valid.length > 0))(
    '$schema may hold fields that a client does not know, which it leaves out',
    ({ schema: id, valid }) => {
      const { message } = valid[0]!
      const newer = { ...(message as object), unheardOf: { of: 'it' } }
      expect(schemas[id]!.parse(copy(newer))).toEqual(message)
    },
  )
})

describe('actions', () => {
  it('have an example of each kind', () => {
    const kinds = new Set(actionExamples.valid.map((example) => example.message.kind))
    expect([...kinds].sort()).toEqual([...actionKinds].sort())
  })
})

describe('runOptions', () => {
  it('fills in what was not said', () => {
    expect(runOptions(createRunSchema.parse({}), 'run-1')).toEqual({
      name: 'run-1',
      project: 'default',
      tags: [],
      framework: 'unknown',
      optimizer: { name: 'unknown', family: 'other', momentum: null, weightDecay: null },
      budgetSteps: null,
      warmupSteps: null,
      firstStep: null,
      mode: 'auto',
      capabilities: [],
      learningRate: { initial: null, min: null, max: null },
      settings: {},
    })
  })
  it('says what a step is only where it is no update', () => {
    const told = createRunSchema.parse({ tokensPerStep: 524_288 })
    expect(runOptions(told, 'run-1').tokensPerStep).toBe(524_288)
  })
  it('names a capability once', () => {
    const request = createRunSchema.parse({ capabilities: ['rewind', 'checkpoint', 'rewind'] })
    expect(runOptions(request, 'run-1').capabilities).toEqual(['rewind', 'checkpoint'])
  })
})

describe('commandOf', () => {
  it('adds who sent it', () => {
    const request = commandRequestSchema.parse({ kind: 'pause' })
    expect(commandOf(request, 'local')).toEqual({ kind: 'pause', reason: '', by: 'local' })
    const branch = commandRequestSchema.parse({ kind: 'branch' })
    expect(commandOf(branch, 'local')).toEqual({ kind: 'branch', steps: null, reason: '', by: 'local' })
  })
})
