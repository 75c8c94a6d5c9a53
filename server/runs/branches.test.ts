// A branch over HTTP, with the real tuner: asked for by a person, done by the job, told in the records, and the same when the log
// is folded again.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import type { Action, Decision } from '../../protocol/vocabulary.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'
import { realTuner } from './realTuner.ts'

let server: TestServer
let sequence: number

beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
  sequence = 0
})
afterEach(() => server.close())

const send = async (batch: object) =>
  (await server.call('POST', `${api}/runs/r/telemetry`, { clientId: 'c', sequence: ++sequence, ...batch }))
    .body
const command = (body: object) => server.call('POST', `${api}/runs/r/commands`, body)

/** A job of 1,000 steps that has taken 400, with a probe each 40. */
async function started(capabilities = ['heldOutLoss', 'averagedWeights', 'branch']): Promise<void> {
  const rest = { budgetSteps: 1_000, firstStep: 0, learningRate: { initial: 0.1 }, capabilities }
  await server.call('POST', `${api}/runs`, { runId: 'r', ...rest })
  const lossAt = (at: number) => 0.5 + 2 / (1 + at / 40)
  for (let from = 0; from < 400; from += 40) {
    const step = Array.from({ length: 40 }, (_, i) => from + i)
    const at = from + 40
    const averaged = [{ windowSteps: 20, loss: lossAt(at) - 0.1 }]
    const common = { kind: 'valley', step: at, set: 'held-out', examples: 512, seconds: 0.01 }
    const steps = { step, loss: step.map(lossAt), learningRate: step.map(() => 0.1) }
    await send({ steps, probes: [{ ...common, raw: { loss: lossAt(at) }, averaged }] })
  }
}

const branchOf = (actions: readonly Action[]) => actions.find(({ kind }) => kind === 'branch')
const told = async (): Promise<Decision[]> =>
  (await server.call('GET', `${api}/runs/r/decisions?kind=branch`)).body.decisions

test('a copy is annealed beside the run, whose plan stays as it was', async () => {
  await started()
  const before = (await server.call('GET', `${api}/runs/r`)).body
  const { status, body } = await command({ kind: 'branch', steps: 80, reason: 'for the demo' })
  expect(status).toBe(200)
  expect(branchOf(body.actions)).toEqual({
    id: 'b-1',
    kind: 'branch',
    atStep: 400,
    steps: 80,
    shape: 'oneMinusSqrt',
  })
  expect(body.plan).toEqual(before.plan)
  expect(body.decisions).toMatchObject([{ kind: 'branch', person: { reason: 'for the demo' } }])
  const { promised } = body.decisions[0]
  const branch = { fromStep: 400, steps: 80, loss: promised.value }
  const done = { actionId: 'b-1', status: 'done', step: 400, branch }
  const answer = await send({ acknowledgements: [done] })
  expect(answer.actions).toEqual([])
  expect(answer.decision).toMatchObject({ kind: 'branch', reached: promised.value, isInside: true })
  expect(answer.plan).toEqual(before.plan)
  const after = (await server.call('GET', `${api}/runs/r`)).body
  expect(after.branches).toMatchObject([{ fromStep: 400, steps: 80, state: 'done', loss: promised.value }])
  expect({ ...after, branches: [], decisionCount: 0, lastSeenAt: '' }).toEqual({
    ...before,
    decisionCount: 0,
    lastSeenAt: '',
  })
  expect((await told()).map(({ reason }) => reason.key)).toEqual(['branch-begun', 'branch-reached'])
})

test('a loss that is no number is kept as one: the log folded again decides the same', async () => {
  await started()
  await command({ kind: 'branch' })
  const branch = { fromStep: 400, steps: 80, loss: 'NaN' }
  await send({ acknowledgements: [{ actionId: 'b-1', status: 'done', step: 400, branch }] })
  expect((await told()).at(-1)?.reason.key).toBe('branch-broken')
  const again = (await server.call('POST', `${api}/runs/r/what-if`, {})).body
  expect(again).toMatchObject({ differsFrom: null, run: { branches: [{ state: 'done', loss: null }] } })
})

test('what cannot be is refused with a sentence, or told in one', async () => {
  await started(['heldOutLoss'])
  const one = await command({ kind: 'branch', steps: 1 })
  expect(one.body).toMatchObject({ status: 422, errors: [{ pointer: '/steps' }] })
  expect(one.body.detail).toContain('steps')
  expect((await command({ kind: 'pause', steps: 5 })).body).toMatchObject({ status: 422 })
  const unable = await command({ kind: 'branch' })
  expect(unable.body.decisions).toMatchObject([
    {
      kind: 'hold',
      summary: 'Nothing done: the job does not offer to anneal a copy (capability branch).',
    },
  ])
  expect(unable.body.actions).toEqual([])
  await command({ kind: 'finish' })
  expect((await command({ kind: 'branch' })).body).toMatchObject({ status: 409, code: 'run-finished' })
})
