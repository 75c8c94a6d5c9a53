// Approve mode over HTTP, with the real tuner: a loss-only run of 1,000 steps is asked for its fallback anneal at 750.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { realTuner } from '../runs/realTuner.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

const api = '/api/v1/runs'
let server: TestServer
let sequence = 0
beforeEach(async () => {
  sequence = 0
  server = await startTestServer({ tuner: realTuner })
  const learningRate = { initial: 0.1, min: null, max: null }
  await server.call('POST', api, { runId: 'r1', mode: 'approve', budgetSteps: 1_000, learningRate })
})
afterEach(() => server.close())

const report = (from: number, count: number) =>
  server.call('POST', `${api}/r1/telemetry`, {
    clientId: 'c',
    sequence: ++sequence,
    steps: sampleBatch(from, count),
  })
const answer = (number: number | string, kind: 'approve' | 'reject', body: unknown = {}) =>
  server.call('POST', `${api}/r1/decisions/${number}/${kind}`, body)

/** The number of the decision that awaits approval at step 770. */
async function awaited(): Promise<number> {
  await report(0, 770)
  const { body } = await server.call('GET', `${api}/r1`)
  expect(body).toMatchObject({ mode: 'approve', state: 'waiting', phase: 'large' })
  const decision = await server.call('GET', `${api}/r1/decisions/${body.awaitingDecision}`)
  expect(decision.body).toMatchObject({ kind: 'switch', status: 'awaiting-approval', step: 750 })
  return body.awaitingDecision
}

test('an approved decision changes the plan, and is answered by a record of its own', async () => {
  const number = await awaited()
  const { status, body } = await answer(number, 'approve', { reason: 'looks right' })
  expect(status).toBe(200)
  expect(body.run).toMatchObject({ awaitingDecision: null, state: 'running', phase: 'anneal' })
  expect(body.plan.segments[0]).toMatchObject({ phase: 'anneal', fromStep: 770, toStep: 1_000, to: 0 })
  expect(body.decisions).toMatchObject([{ kind: 'switch', status: 'approved', answers: number }])
  const before = await server.call('GET', `${api}/r1/decisions/${number}`)
  expect(before.body.status).toBe('awaiting-approval')
})

test('a rejected one changes nothing', async () => {
  const number = await awaited()
  const { body } = await answer(number, 'reject', { reason: 'too early' })
  expect(body.run).toMatchObject({ awaitingDecision: null, state: 'running', phase: 'large' })
  expect(body.decisions).toMatchObject([{ kind: 'switch', status: 'rejected', answers: number }])
  expect(body.decisions[0].summary).toContain('refused by hand (too early)')
})

test('what does not wait is 409, what does not exist is 404, and a reason must be text', async () => {
  const number = await awaited()
  expect((await answer(1, 'approve')).body).toMatchObject({
    status: 409,
    code: 'decision-not-awaiting',
    detail: `decision 1 of run "r1" does not await approval; decision ${number} does`,
  })
  for (const none of [99, 0, 'x', '1e1'])
    expect((await answer(none, 'reject')).body).toMatchObject({ status: 404, code: 'decision-not-found' })
  expect((await answer(number, 'approve', { reason: 1 })).body).toMatchObject({
    status: 422,
    errors: [{ pointer: '/reason' }],
  })
  await answer(number, 'approve')
  expect((await answer(number, 'approve')).body.detail).toContain('does not await approval; none does')
  await report(770, 250)
  expect((await answer(number, 'reject')).body).toMatchObject({ status: 409, code: 'run-finished' })
  const elsewhere = await server.call('POST', `${api}/nobody/decisions/1/approve`, {})
  expect(elsewhere.body.code).toBe('run-not-found')
})

test('an answer survives a restart: the log says it again', async () => {
  const number = await awaited()
  await answer(number, 'approve', { reason: 'looks right' })
  const before = (await server.call('GET', `${api}/r1/decisions`)).body
  await server.restart()
  expect((await server.call('GET', `${api}/r1/decisions`)).body).toEqual(before)
  expect((await server.call('GET', `${api}/r1`)).body.phase).toBe('anneal')
})

test('a running job is put into the mode, and out of it again', async () => {
  const number = await awaited()
  const { body } = await server.call('PATCH', `${api}/r1`, { mode: 'auto', reason: 'no time' })
  expect(body).toMatchObject({ mode: 'auto', awaitingDecision: null })
  const { body: all } = await server.call('GET', `${api}/r1/decisions`)
  expect(all.decisions.slice(-2)).toMatchObject([
    { status: 'superseded', answers: number },
    { kind: 'hold', status: 'applied' },
  ])
  expect((await server.call('PATCH', `${api}/r1`, { mode: 'approve' })).body.mode).toBe('approve')
})
