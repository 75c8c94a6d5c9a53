import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Telemetry } from '../../protocol/vocabulary.ts'
import { bodyText, decodeObservation, encodeObservation, type ObservationBody } from './observationCodec.ts'
import { observationsOf } from './observationsOf.ts'

const line = (step: number) =>
  ({ kind: 'line', step, seconds: 0, criticalLearningRate: null, curvature: null }) as const
const done = (step: number) => ({ actionId: 'a', status: 'done', step, detail: '' }) as const

/** What a batch becomes, in short: rows as `0-2`, probes as `p3`, acknowledgements as `a3`. */
const order = (telemetry: Omit<Telemetry, 'clientId' | 'sequence'>) =>
  observationsOf({ clientId: 'c', sequence: 1, ...telemetry }).map((body) => {
    if (body.kind === 'samples') return `${body.columns.step[0]}-${body.columns.step.at(-1)}`
    if (body.kind === 'probe') return `p${body.probe.step}`
    return body.kind === 'acknowledgement' ? `a${body.acknowledgement.step}` : body.kind
  })

test('an empty batch gives no observation', () => {
  expect(order({})).toEqual([])
  expect(order({ steps: { step: [] } })).toEqual([])
})

test('samples below a probe come before it, and a probe before an acknowledgement of its step', () => {
  const steps = { step: [0, 1, 2, 3, 4, 5], loss: [0, 1, 2, 3, 4, 5] }
  expect(order({ steps, probes: [line(4), line(2)], acknowledgements: [done(2), done(9)] })).toEqual([
    '0-1',
    'p2',
    'a2',
    '2-3',
    'p4',
    '4-5',
    'a9',
  ])
  expect(order({ steps, probes: [line(0)] })).toEqual(['p0', '0-5'])
})

test('columns are cut together, own metrics too', () => {
  const steps = { step: [0, 1], loss: [5, 6], metrics: { accuracy: [0.5, null] } }
  const [first, , second] = observationsOf({ clientId: 'c', sequence: 1, steps, probes: [line(1)] })
  expect(first).toEqual({ kind: 'samples', columns: { step: [0], loss: [5], metrics: { accuracy: [0.5] } } })
  expect(second).toEqual({
    kind: 'samples',
    columns: { step: [1], loss: [6], metrics: { accuracy: [null] } },
  })
})

test('samples carry the plan that they followed, and the objective of their batch or step', () => {
  const steps = { step: [0, 1], loss: [5, 6] }
  const batch = { clientId: 'c', sequence: 1, planVersion: 7, objective: 'next token', probes: [line(1)] }
  const [first, probe, second] = observationsOf({ ...batch, steps })
  const columns = { step: [0], loss: [5], objective: ['next token'] }
  expect(first).toEqual({ kind: 'samples', columns, planVersion: 7 })
  expect(probe).toEqual({ kind: 'probe', probe: line(1) })
  expect(second).toMatchObject({ columns: { step: [1], objective: ['next token'] }, planVersion: 7 })
  const own = observationsOf({ ...batch, probes: [], steps: { ...steps, objective: [null, 'fill in'] } })
  expect(own).toMatchObject([{ columns: { objective: [null, 'fill in'] } }])
})

test('an objective that holds for all rows is stored once', () => {
  const steps = { step: [0, 1, 2], loss: [1, 2, 3], objective: ['a', 'a', 'a'] }
  const stored = encodeObservation({ kind: 'samples', columns: steps }, { number: 2, receivedAt: 0 })
  expect(JSON.parse(bodyText(stored)).columns.objective).toBe('a')
  expect(Buffer.from(stored.columns!).toString().match(/"a"/g)).toHaveLength(1)
  expect(decodeObservation(stored)).toMatchObject({ columns: steps })
})

test('options that were stored by version 0.1.0 are filled in, and a capability of then is left out', () => {
  const options = { name: 'n', optimizer: { name: 'AdamW' }, capabilities: ['fork', 'checkpoint'] }
  const stored = {
    number: 1,
    receivedAt: 0,
    kind: 'start',
    body: JSON.stringify({ runId: 'r', options }),
    columns: null,
    fromStep: null,
    toStep: null,
  }
  expect(decodeObservation(stored)).toMatchObject({
    options: {
      name: 'n',
      optimizer: { name: 'AdamW', family: 'adam', momentum: null, weightDecay: null },
      warmupSteps: null,
      firstStep: null,
      capabilities: ['checkpoint'],
    },
  })
})

test('the order of the rows is the order in which they were sent', () => {
  const steps = { step: [10, 11, 5, 6], loss: [1, 2, 3, 4] }
  expect(order({ steps })).toEqual(['10-6'])
})

const value = fc.option(fc.double(), { nil: null })

test('an observation is read back as it was, non-finite numbers too', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.double(), (loss, probeLoss) => {
      const names = loss.map((entry) => (entry === null ? null : 'NaN'))
      const plusZero = (entry: number | null) => (entry === null ? null : entry + 0)
      const column = loss.map(plusZero)
      const bodies: ObservationBody[] = [
        {
          kind: 'samples',
          columns: { step: loss.map((_, i) => i), loss: column, metrics: { m: column }, objective: names },
          planVersion: 3,
        },
        {
          kind: 'probe',
          probe: {
            kind: 'valley',
            step: 1,
            set: 'held-out',
            examples: 1,
            seconds: 0,
            raw: { loss: probeLoss + 0, lossByPart: [probeLoss + 0, 1] },
            averaged: [{ windowSteps: 1, loss: probeLoss + 0, accuracy: null }],
          },
        },
        { kind: 'acknowledgement', acknowledgement: done(3) },
        { kind: 'command', command: { kind: 'pause', reason: 'NaN', by: 'local' } },
      ]
      for (const body of bodies) {
        const stored = encodeObservation(body, { number: 3, receivedAt: 0 })
        expect(decodeObservation(stored)).toEqual({
          ...body,
          number: 3,
          receivedAt: '1970-01-01T00:00:00.000Z',
        })
      }
    }),
  )
})
