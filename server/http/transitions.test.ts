// Changes of the measured regime, from telemetry to the list and the live event, by the real tuner.

import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ClientEvents, ServerEvents } from '../../protocol/vocabulary.ts'
import { realTuner } from '../runs/realTuner.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

const run = '/api/v1/runs/r1'
let server: TestServer
let socket: Socket<ServerEvents, ClientEvents>

beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
  await server.call('POST', '/api/v1/runs', {
    runId: 'r1',
    budgetSteps: 1_000,
    mode: 'off',
    capabilities: ['heldOutLoss', 'averagedWeights'],
    learningRate: { initial: 0.1 },
  })
  socket = io(`${server.url}/live`, { transports: ['websocket'], forceNew: true })
})
afterEach(async () => {
  socket.close()
  await server.close()
})

/** Steps of a constant loss at a rate, with a held-out probe at their end whose averages lie a share below it. */
async function post(sequence: number, rate: number, share: number): Promise<void> {
  const step = Array.from({ length: 40 }, (_, i) => 40 * (sequence - 1) + i)
  const probe = {
    kind: 'valley',
    step: 40 * sequence,
    set: 'held-out',
    examples: 512,
    seconds: 0.1,
    raw: { loss: 1 },
    averaged: [{ windowSteps: 10, loss: 1 - share }],
  }
  const steps = { step, loss: step.map(() => 1), learningRate: step.map(() => rate) }
  const { status } = await server.call('POST', `${run}/telemetry`, {
    clientId: 'c',
    sequence,
    steps,
    probes: [probe],
  })
  expect(status).toBe(200)
}

test('a transition is listed, streamed beside its decision, and read by its kind', async () => {
  const heard: number[] = []
  socket.on('transition', ({ decision }) => heard.push(decision.number))
  await socket.emitWithAck('subscribe', { runId: 'r1', afterDecision: 0, afterStep: 0, points: 100 })
  for (let sequence = 1; sequence <= 6; sequence++) await post(sequence, 0.1, 0.2 + 0.001 * (sequence % 3))
  for (let sequence = 7; sequence <= 12; sequence++) await post(sequence, 0.01, 0.001 * (sequence % 3))
  const { body } = await server.call('GET', `${run}/transitions`)
  expect(body.transitions).toMatchObject([
    { kind: 'transition', transition: { from: 'unknown', to: 'large-step' }, status: 'applied', mode: 'off' },
    { kind: 'transition', transition: { from: 'large-step', to: 'small-step' }, test: { key: 'regime' } },
  ])
  expect(body.next).toBeNull()
  const numbers = body.transitions.map(({ number }: { number: number }) => number)
  await vi.waitFor(() => expect(heard).toEqual(numbers), { timeout: 20_000 })
  const byKind = await server.call('GET', `${run}/decisions?kind=transition`)
  expect(byKind.body.decisions).toEqual(body.transitions)
  const first = await server.call('GET', `${run}/transitions?limit=1`)
  expect(first.body).toMatchObject({ transitions: [{ number: numbers[0] }], next: numbers[0] })
  const refused = await server.call('GET', `${run}/transitions?kind=hold`)
  expect(refused.status).toBe(422)
})
