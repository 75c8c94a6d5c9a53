// Schedules for a job that reports to nobody are those of a run that had told the same.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import { realTuner } from '../runs/realTuner.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer

beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
})
afterEach(() => server.close())

const ask = (wish: object) => server.call('POST', `${api}/schedules/recommend`, wish)
const sgd = { name: 'sgd', momentum: 0.9 }
const lossAt = (step: number) => 0.5 + 2 / (1 + step / 40)

const probeAt = (step: number) => ({
  ...({ kind: 'valley', step, set: 'held-out', examples: 512, seconds: 0.01 } as const),
  raw: { loss: lossAt(step) + 0.1 },
  averaged: [{ windowSteps: 20, loss: lossAt(step) }],
})

const stepsBetween = (from: number, to: number) => {
  const step = Array.from({ length: to - from }, (_, i) => from + i)
  return { step, loss: step.map(lossAt) }
}

/** A run of 1,000 steps at a rate, annealed by hand at a step, that ends better than it began. */
async function finishedRun(runId: string, initial: number, switchAt: number): Promise<void> {
  await server.call('POST', `${api}/runs`, {
    ...{ runId, project: 'digits', budgetSteps: 1_000, firstStep: 0, optimizer: sgd },
    learningRate: { initial },
    capabilities: ['heldOutLoss', 'averagedWeights'],
  })
  for (let at = 0; at < 1_000; at += 100) {
    const probes = [probeAt(at + 50), probeAt(at + 100)]
    const batch = { clientId: 'c', sequence: at / 100 + 1, steps: stepsBetween(at, at + 100), probes }
    await server.call('POST', `${api}/runs/${runId}/telemetry`, batch)
    if (at + 100 === switchAt)
      await server.call('POST', `${api}/runs/${runId}/commands`, { kind: 'switch-now' })
  }
  await server.call('POST', `${api}/runs/${runId}/commands`, { kind: 'finish' })
  expect((await server.call('GET', `${api}/runs/${runId}`)).body).toMatchObject({
    state: 'finished',
    switchStep: switchAt,
    largeLearningRate: initial,
    outcome: { isBetter: true },
  })
}

test('with nothing told it is the plan of a run that only reports its loss, and said to be little evidence', async () => {
  const { body } = await ask({ budgetSteps: 1_000, optimizer: sgd })
  const run = await server.call('POST', `${api}/runs`, { budgetSteps: 1_000, optimizer: sgd })
  expect(body.plan.segments).toEqual(run.body.plan.segments)
  expect(body).toMatchObject({
    step: 0,
    status: 'insufficient-evidence',
    confidence: { level: 'assumed', probability: null },
    basis: [{ kind: 'usual-rate', count: 0 }, { kind: 'fallback-plan' }],
    learned: null,
    reason: run.body.run.headline,
  })
})

test('first step, warm-up, rate and its bounds are those of the job', async () => {
  const { body } = await ask({
    ...{ budgetSteps: 5_000, firstStep: 4_000, warmupSteps: 100, optimizer: sgd },
    learningRate: { initial: 0.2 },
  })
  expect(body.plan.segments.map((segment: { fromStep: number }) => segment.fromStep)).toEqual([
    4_000, 4_100, 4_750,
  ])
  expect(body.basis[0]).toMatchObject({ kind: 'given-rate' })
  expect(body.plan.segments[1].from).toBe(0.2)
})

test('with probes and losses it is the plan of the run that reported them', async () => {
  const wish = { budgetSteps: 1_000, firstStep: 0, optimizer: sgd, learningRate: { initial: 0.1 } }
  const capabilities = ['heldOutLoss', 'averagedWeights']
  const run = await server.call('POST', `${api}/runs`, { ...wish, runId: 'r1', capabilities })
  const probes = Array.from({ length: 12 }, (_, i) => probeAt(40 * (i + 1)))
  const steps = stepsBetween(0, 480)
  await server.call('POST', `${api}/runs/r1/telemetry`, { clientId: 'c', sequence: 1, steps, probes })
  const told = await server.call('GET', `${api}/runs/r1/recommendation`)
  const { body } = await ask({ ...wish, steps, probes })
  expect(body.plan).toEqual({ version: told.body.plan.version, segments: told.body.plan.segments })
  expect(body.plan).not.toEqual(run.body.plan)
  expect(body.reason).toBe(told.body.reason)
  expect(body.confidence.probability).toBe(told.body.confidence)
  expect(body).toMatchObject({ step: 480, status: 'recommended', confidence: { level: 'measured' } })
  // The steps between are not needed.
  const alone = await ask({ ...wish, probes })
  expect(alone.body).toMatchObject({ step: 480, confidence: { level: 'measured' } })
})

test('probes far apart are believed, from whatever step on', async () => {
  const probes = Array.from({ length: 20 }, (_, i) => probeAt(7_000_000 + 50_000 * (i + 1)))
  const { body } = await ask({ budgetSteps: 9_000_000, firstStep: 7_000_000, optimizer: sgd, probes })
  expect(body.step).toBe(8_000_000)
  expect(body.confidence.level).toBe('measured')
})

test('a project gives the medians of its runs that ended better than they began, and says which', async () => {
  await finishedRun('a', 0.1, 300)
  await finishedRun('b', 0.4, 500)
  const two = (await ask({ budgetSteps: 2_000, optimizer: sgd, project: 'digits' })).body
  expect(two).toMatchObject({ status: 'insufficient-evidence', confidence: { level: 'learned' } })
  expect(two.confidence.why).toContain('fewer than 3 are little evidence')
  await finishedRun('c', 0.2, 400)
  const { body } = await ask({ budgetSteps: 2_000, optimizer: sgd, project: 'digits' })
  expect(body.learned).toEqual({
    ...{ project: 'digits', finished: 3, runs: ['c', 'b', 'a'] },
    ...{ learningRate: 0.2, switchShare: 0.4 },
  })
  expect(body.status).toBe('recommended')
  expect(body.plan.segments.slice(1)).toEqual([
    { fromStep: 100, toStep: 800, shape: 'constant', from: 0.2, to: 0.2, phase: 'large' },
    expect.objectContaining({ fromStep: 800, toStep: 2_000, from: 0.2, to: 0, phase: 'anneal' }),
  ])
  const limited = await ask({
    budgetSteps: 2_000,
    optimizer: sgd,
    project: 'digits',
    learningRate: { max: 0.15 },
  })
  expect(limited.body.plan.segments[1].from).toBe(0.15)
  const other = await ask({ budgetSteps: 2_000, optimizer: { name: 'adamw' }, project: 'digits' })
  expect(other.body).toMatchObject({ status: 'insufficient-evidence', learned: { finished: 3, runs: [] } })
  expect(other.body.basis[1].text).toContain('None of 3 finished runs of project digits')
})

test('what is missing or wrong is named', async () => {
  expect((await ask({})).body.errors[0]).toEqual({
    pointer: '/budgetSteps',
    detail: 'is missing: it must be a number',
  })
  const rates = await ask({ budgetSteps: 100, learningRate: { initial: 1, max: 0.5 } })
  expect(rates.body.errors[0].pointer).toBe('/learningRate/initial')
})
