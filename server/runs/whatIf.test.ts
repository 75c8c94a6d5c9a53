// What a run would have been told, from its own log, with the real tuner.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'
import { realTuner } from './realTuner.ts'
import { whatIf } from './whatIf.ts'

let server: TestServer

beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
})
afterEach(() => server.close())

const capabilities = ['heldOutLoss', 'averagedWeights'] as const

/** A job of 1,000 steps with a probe each 40, up to a step. */
async function report(runId: string, upTo: number): Promise<void> {
  const learningRate = { initial: 0.1 }
  await server.call('POST', `${api}/runs`, {
    runId,
    budgetSteps: 1_000,
    firstStep: 0,
    capabilities,
    learningRate,
  })
  for (let from = 0; from < upTo; from += 40) {
    const step = Array.from({ length: 40 }, (_, i) => from + i)
    const lossAt = (at: number) => 0.5 + 2 / (1 + at / 40)
    const steps = { step, loss: step.map(lossAt), learningRate: step.map(() => 0.1) }
    const at = from + 40
    const averaged = [{ windowSteps: 20, loss: lossAt(at) - 0.1 }]
    const probe = {
      kind: 'valley',
      step: at,
      set: 'held-out',
      examples: 512,
      seconds: 0.01,
      raw: { loss: lossAt(at) },
      averaged,
    }
    const batch = { clientId: 'c', sequence: from / 40 + 1, steps, probes: [probe] }
    expect((await server.call('POST', `${api}/runs/${runId}/telemetry`, batch)).status).toBe(200)
  }
}

const ask = async (runId: string, wish: object) =>
  (await server.call('POST', `${api}/runs/${runId}/what-if`, wish)).body

test('under its own settings a run would have been told what it was', async () => {
  await report('r1', 600)
  await server.call('POST', `${api}/runs/r1/commands`, { kind: 'switch-now', reason: 'enough' })
  const run = (await server.call('GET', `${api}/runs/r1`)).body
  const answer = await ask('r1', {})
  expect(answer).toMatchObject({ differsFrom: null, commandsLeftOut: 0, observations: 32 })
  expect(answer.run).toEqual(run)
  expect(answer.plan.whatIf).toEqual(answer.plan.real)
  expect(answer.decisions).toHaveLength(run.decisionCount)
  expect(answer.decisionCount).toEqual({ real: run.decisionCount, whatIf: run.decisionCount })
  expect(
    (await ask('r1', run.options.learningRate && { learningRate: { initial: 0.1 } })).differsFrom,
  ).toBeNull()
})

test('another budget gives the decisions and the plan of a run that had it from the start, and writes nothing', async () => {
  await report('r1', 400)
  await server.call('PATCH', `${api}/runs/r1`, { budgetSteps: 1_500 })
  const before = await server.call('GET', `${api}/runs/r1/export`)
  const answer = await ask('r1', { budgetSteps: 4_000 })
  expect(answer).toMatchObject({ differsFrom: 1, commandsLeftOut: 1, run: { budgetSteps: 4_000 } })
  expect(answer.plan.whatIf.segments.at(-1).toStep).toBe(4_000)
  expect(answer.plan.real.segments.at(-1).toStep).toBe(1_500)
  const [first] = answer.decisions
  expect(first).toMatchObject({ number: 1, real: { kind: 'start' }, whatIf: { kind: 'start' } })
  expect(first.real.summary).not.toBe(first.whatIf.summary)
  expect((await server.call('GET', `${api}/runs/r1/export`)).body).toBe(before.body)
  expect((await server.call('GET', `${api}/runs/r1`)).body.budgetSteps).toBe(1_500)
})

test('a mode in which nothing is decided leaves one side empty', async () => {
  await report('r1', 400)
  const answer = await ask('r1', { mode: 'off' })
  expect(answer.decisionCount.whatIf).toBeLessThan(answer.decisionCount.real)
  expect(answer.decisions.at(-1)).toMatchObject({ number: answer.decisionCount.real, whatIf: null })
  expect(answer.run.mode).toBe('off')
})

test('without a capability the run is judged as one that never had it', async () => {
  await report('r1', 400)
  const answer = await ask('r1', { capabilities: [] })
  expect(answer.run.options.capabilities).toEqual([])
  expect(answer.plan.whatIf).not.toEqual(answer.plan.real)
})

test('what makes no sense is refused by name', async () => {
  await report('r1', 40)
  const offered = await ask('r1', { capabilities: ['heldOutLoss', 'lineProbe'] })
  expect(offered.detail).toBe(
    '/capabilities/1 must be one that the run has (heldOutLoss, averagedWeights), got "lineProbe": the log holds nothing of another',
  )
  const rates = await ask('r1', { learningRate: { max: 0.01 } })
  expect(rates.errors).toEqual([
    { pointer: '/learningRate/initial', detail: 'must be at most max 0.01, got 0.1' },
  ])
  const optimizer = await ask('r1', { optimizer: { name: 'adam' } })
  expect(optimizer.errors[0].detail).toBe(
    'is not a known field; allowed are mode, budgetSteps, capabilities, learningRate, warmupSteps, untilStep',
  )
  expect((await ask('nobody', {})).code).toBe('run-not-found')
})

test('a log that is too long is refused with the bound', async () => {
  await report('r1', 40)
  const record = { ...(await server.storage.run('r1'))!, observationCount: 100_001 }
  const context = { storage: server.storage, tuner: realTuner, now: 0, signal: new AbortController().signal }
  await expect(whatIf(context, record, {})).rejects.toMatchObject({
    code: 'run-too-long',
    message: expect.stringContaining('has 100001 observations, and at most 100000 are folded'),
  })
})

test('one at a time: the next is told when to come back', async () => {
  await report('r1', 600)
  const answers = await Promise.all(
    [{}, {}, {}].map((wish) => server.call('POST', `${api}/runs/r1/what-if`, wish)),
  )
  const busy = answers.filter(({ status }) => status === 503)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3 - busy.length)
  expect(busy.length).toBeGreaterThan(0)
  expect(busy[0]!.body.code).toBe('server-busy')
  expect(busy[0]!.headers.get('retry-after')).toBe('5')
  expect((await server.call('POST', `${api}/runs/r1/what-if`, {})).status).toBe(200)
})

test('what was known at a step is what a run says that was reported up to there', async () => {
  await report('long', 600)
  await report('short', 320)
  const short = (await server.call('GET', `${api}/runs/short`)).body
  const then = await ask('long', { untilStep: 320 })
  const { headline, plan, regime, step, phases, decisionCount } = short
  expect(then.run).toMatchObject({ headline, plan, regime, step, phases })
  expect(then).toMatchObject({ differsFrom: null, decisionCount: { whatIf: decisionCount } })
  // In the midst of a batch its first samples count.
  expect((await ask('long', { untilStep: 301 })).run.step).toBe(301)
  expect((await ask('long', { untilStep: 0 })).run.step).toBe(0)
})
