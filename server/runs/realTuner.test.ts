// What the real tuner says goes over the wire as its schemas say: a NaN that becomes null, a field without a schema or a
// half step would reach a client that refuses it.

import { expect, it } from 'vitest'
import { actionSchema, decisionSchema, planSchema, runSummarySchema } from '../../protocol/schemas.ts'
import { type Capability, modes } from '../../protocol/vocabulary.ts'
import { ReportedJob } from '../../tuner/testing/reportedJob.ts'
import type { ReportedJobOptions } from '../../tuner/testing/reportedJobOptions.ts'
import { realTuner } from './realTuner.ts'
import { firstRecord, nextRecord, summaryAt } from './runRecord.ts'

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Everything that a client may be answered now. */
function checkAnswers(job: ReportedJob): void {
  const record = firstRecord('reported', realTuner, job.state, job.decisions.length, 0)
  const summary = overTheWire(summaryAt(record, 0))
  expect(runSummarySchema.parse(structuredClone(summary))).toEqual(summary)
  const plan = overTheWire(job.state.plan)
  expect(planSchema.parse(structuredClone(plan))).toEqual(plan)
  for (const action of overTheWire(job.state.actions) as unknown[])
    expect(actionSchema.parse(structuredClone(action))).toEqual(action)
}

const capabilities: readonly Capability[] = [
  ...(['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights', 'microBatchNorms', 'momentum'] as const),
]

const lossAt = (step: number) => 0.3 + 2 / (1 + step / 60)
const bad: Readonly<Record<number, number>> = { 90: Number.NaN, 91: Number.POSITIVE_INFINITY, 400: 50 }

const jobs: readonly (readonly [string, ReportedJobOptions])[] = [
  ...modes.map((mode) => [`in mode ${mode}`, { budgetSteps: 1_000, mode, capabilities }] as const),
  ['without a budget', { budgetSteps: null, capabilities, learningRate: 0.1 }],
  ['that reports its loss alone', { budgetSteps: 600, learningRate: 0.1, reportsRate: false }],
  [
    'that takes rates of its own',
    { budgetSteps: 600, learningRate: 0.1, ownRate: (_step, rate) => rate / 3 },
  ],
  [
    'of Adam, with a warm-up and steps from 1',
    {
      budgetSteps: 600,
      optimizer: { name: 'AdamW', momentum: null },
      warmupSteps: 50,
      firstStep: 1,
      capabilities,
    },
  ],
]

it.each(jobs)('answers of a job %s are those of the schemas, at every step', (_name, options) => {
  const job = new ReportedJob(options)
  const from = options.firstStep ?? 0
  for (let step = from; step < 1_100 && !job.isFinished; step++) {
    const loss = bad[step] ?? lossAt(step) + 0.05 * Math.sin(step)
    const norms = {
      gradientNormSquared: 2 + Math.cos(step),
      microGradientNormSquared: 4,
      batchSize: 128,
      microBatchSize: 32,
    }
    job.step(step, { loss, ...norms })
    const every = job.plan.cadence?.valleySteps
    if (every != null && (step + 1) % every === 0)
      job.probe(step + 1, { raw: lossAt(step) + 0.1, averaged: lossAt(step) })
    if (step % 50 === 0) checkAnswers(job)
  }
  job.flush()
  checkAnswers(job)
  expect(job.decisions.length).toBeGreaterThan(0)
  for (const decision of overTheWire(job.decisions) as unknown[])
    expect(decisionSchema.parse(structuredClone(decision))).toEqual(decision)
})

it('tells the arms of a search while it goes on, and not any more after it', () => {
  const job = new ReportedJob({ budgetSteps: 1_000, capabilities })
  const nothing = { observations: 0, decisions: 0 }
  const seen = { now: 0, steps: null }
  const first = firstRecord('raced', realTuner, job.state, job.decisions.length, 0)
  job.step(0, { loss: 2 })
  job.flush()
  const racing = nextRecord(first, realTuner, job.state, nothing, seen, undefined)
  expect(racing.summary).toMatchObject({ phase: 'warmup', race: [{ signal: 'arm' }] })
  for (let step = 1; step < 1_000 && job.state.course.kind === 'search'; step++) {
    job.step(step, { loss: lossAt(step) })
    const { race } = job.state.course as { race?: { current: { toStep: number } | null } }
    if (race?.current?.toStep === step + 1) job.probe(step + 1, { raw: 1, averaged: 1 })
  }
  expect(job.state.course.kind).toBe('large')
  const after = nextRecord(racing, realTuner, job.state, nothing, seen, undefined)
  expect(after.summary).not.toHaveProperty('race')
})
