import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readsAtOnceMax, readsWaitingMax, streamsAtOnceMax } from '../runs/readGate.ts'
import { slowReads } from '../testing/slowReads.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
let sequence = 0
beforeEach(async () => {
  server = await startTestServer()
  sequence = 0
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
})
afterEach(() => server.close())

const post = async (from: number, count: number) => {
  const body = { clientId: 'c', sequence: ++sequence, steps: sampleBatch(from, count) }
  const { status } = await server.call('POST', '/api/v1/runs/r1/telemetry', body)
  expect(status).toBe(200)
}
const series = (more = '') => server.call('GET', `/api/v1/runs/r1/series?from=0&to=99999&points=4000${more}`)

test('batches are taken while a chart is read, and the chart is of the moment when it was asked for', async () => {
  await post(0, 1_000)
  const slow = slowReads(server.storage)
  const asked = series('&signals=loss')
  await vi.waitFor(() => expect(slow.opened()).toBe(1))
  // Far more than a line of the run may hold, one after the other.
  for (let i = 0; i < 3; i++) await post(1_000 + 1_000 * i, 1_000)
  slow.release()
  const { body } = await asked
  expect(body.signals.loss.step).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  expect((await series('&signals=loss')).body.stored).toBe(4_000)
})

test('buckets of one moment are whole, whether they are stored or not yet', async () => {
  await post(0, 1_200)
  await post(1_200, 100)
  const slow = slowReads(server.storage)
  const asked = series('&signals=loss')
  const wide = server.call('GET', '/api/v1/runs/r1/series?signals=loss,learningRate&points=50')
  await vi.waitFor(() => expect(slow.opened()).toBe(2))
  for (let i = 0; i < 3; i++) await post(1_300 + 1_000 * i, 1_000)
  slow.release()
  const { signals } = (await wide).body
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)
  expect([sum(signals.loss.count), sum(signals.learningRate.count)]).toEqual([1_300, 1_300])
  expect((await asked).body.stored).toBe(1_300)
})

test('of many readers some are at work, some wait, and the rest is told to come back; a batch passes them all', async () => {
  await post(0, 10)
  const slow = slowReads(server.storage)
  const places = readsAtOnceMax + readsWaitingMax
  // Each another question: who asks the same waits for the same answer.
  const asked = Array.from({ length: places + 5 }, (_, i) => series(`&signals=loss&signals=metrics.m${i}`))
  const refused = await Promise.race([Promise.all(asked.slice(-5)), Promise.all(asked)])
  for (const { status, headers, body } of refused.slice(-5)) {
    expect([status, body.code]).toEqual([503, 'server-busy'])
    expect(headers.get('retry-after')).toBe('1')
  }
  expect(slow.opened()).toBe(readsAtOnceMax)
  await post(10, 10)
  slow.release()
  const answers = await Promise.all(asked)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(places)
})

test('who asks the same of the same state is answered by one read', async () => {
  await post(0, 10)
  const slow = slowReads(server.storage)
  const asked = Array.from({ length: 50 }, () => series())
  await vi.waitFor(() => expect(slow.opened()).toBe(1))
  slow.release()
  const answers = await Promise.all(asked)
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  await series()
  expect(slow.opened()).toBe(1)
  await post(10, 1)
  expect((await series()).body.stored).toBe(11)
})

test('a chart of a run that was deleted and made anew shows nothing of the old one', async () => {
  await post(0, 10)
  expect((await series()).body.stored).toBe(10)
  await server.call('DELETE', '/api/v1/runs/r1')
  server.clock.advance(1)
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  sequence = 0
  const other = { step: [0, 1], loss: [7, 8] }
  await server.call('POST', '/api/v1/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps: other })
  expect((await series('&signals=loss')).body.signals.loss.last).toEqual([7, 8])
})

test('so many files are sent at once, and the next one is no file', async () => {
  await post(0, 10)
  const { observations } = server.storage
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let begun = 0
  const slow: typeof observations = async (...asked) => {
    begun++
    await released
    return observations(...asked)
  }
  Object.assign(server.storage, { observations: slow })
  const sent = Array.from({ length: streamsAtOnceMax }, () => fetch(`${server.url}/api/v1/runs/r1/export`))
  await expect.poll(() => begun).toBe(streamsAtOnceMax)
  const refused = await server.call('GET', '/api/v1/runs/r1/export')
  expect([refused.status, refused.body.code]).toEqual([503, 'server-busy'])
  expect(refused.headers.get('content-disposition')).toBeNull()
  release()
  for (const file of await Promise.all(sent)) expect(await file.text()).toContain('"end":true')
})
