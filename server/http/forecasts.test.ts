// What is told of promises over HTTP: nothing while no run has ended, then whether its own came true.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import { realTuner } from '../runs/realTuner.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
})
afterEach(() => server.close())

const lossAt = (step: number) => 0.5 + 2 / (1 + step / 40)
const batchOf = (sequence: number, from: number, to: number) => {
  const step = Array.from({ length: to - from }, (_, i) => from + i)
  const probe = {
    ...({ kind: 'valley', step: to, set: 'held-out', examples: 512, seconds: 0.01 } as const),
    raw: { loss: lossAt(to) + 0.1 },
    averaged: [{ windowSteps: 20, loss: lossAt(to) }],
  }
  return { clientId: 'c', sequence, steps: { step, loss: step.map(lossAt) }, probes: [probe] }
}

test('a promise is counted once its run has ended, as the run itself tells it', async () => {
  const none = await server.call('GET', `${api}/forecasts/calibration`)
  expect(none.status).toBe(200)
  expect(none.body).toMatchObject({ runs: 0, count: 0, inside: 0, widthMedian: null })
  await server.call('POST', `${api}/runs`, {
    ...{ runId: 'r1', budgetSteps: 1_000, firstStep: 0, optimizer: { name: 'sgd' } },
    ...{ learningRate: { initial: 0.1 }, capabilities: ['heldOutLoss', 'averagedWeights'] },
  })
  for (let i = 0; i < 20; i++)
    await server.call('POST', `${api}/runs/r1/telemetry`, batchOf(i + 1, 50 * i, 50 * (i + 1)))
  const { forecast, state } = (await server.call('GET', `${api}/runs/r1`)).body
  expect(state).toBe('finished')
  expect(forecast.reached).toBeCloseTo(lossAt(1_000), 9)
  expect(forecast.isInside).toBe(forecast.low <= forecast.reached && forecast.reached <= forecast.high)
  const { body } = await server.call('GET', `${api}/forecasts/calibration`)
  expect(body).toMatchObject({ runs: 1, count: 1, inside: forecast.isInside ? 1 : 0 })
  expect(body.widthMedian).toBeCloseTo((forecast.high - forecast.low) / forecast.reached, 9)
  expect(body.bins.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(1)
})

test('it is not changed by what nobody may send it', async () => {
  expect((await server.call('POST', `${api}/forecasts/calibration`, {})).status).toBe(405)
})
