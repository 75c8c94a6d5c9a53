import { expect, test } from 'vitest'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

const day = 86_400_000
const api = '/api/v1/runs'

async function report(server: TestServer, runId: string, steps = 10): Promise<void> {
  await server.call('POST', api, { runId })
  for (let from = 0; from < steps; from += 500) {
    const batch = {
      clientId: 'c',
      sequence: from / 500 + 1,
      steps: sampleBatch(from, Math.min(500, steps - from)),
    }
    await server.call('POST', `${api}/${runId}/telemetry`, batch)
  }
}
const finish = (server: TestServer, runId: string) =>
  server.call('POST', `${api}/${runId}/commands`, { kind: 'finish' })
const ids = async (server: TestServer) =>
  (await server.call('GET', api)).body.runs.map(({ id }: { id: string }) => id).sort()

test('a deleted run is gone, comes back whole within its days of grace, and not after them', async () => {
  const server = await startTestServer()
  await report(server, 'r')
  const before = (await server.call('GET', `${api}/r`)).body
  const series = (await server.call('GET', `${api}/r/series`)).body
  expect((await server.call('DELETE', `${api}/r`)).status).toBe(204)
  expect((await server.call('GET', `${api}/r`)).body.code).toBe('run-not-found')
  expect((await server.call('GET', '/api/v1/removed-runs')).body.runs).toMatchObject([{ id: 'r', name: 'r' }])
  await server.call('POST', api, { runId: 'r' })
  const refused = (await server.call('POST', `${api}/r/restore`)).body
  expect(refused).toMatchObject({ code: 'run-exists', detail: expect.stringContaining('?removedAt=') })
  await server.call('DELETE', `${api}/r?forGood=true`)
  await server.restart()
  expect((await server.call('POST', `${api}/r/restore`)).body).toEqual(before)
  expect((await server.call('GET', `${api}/r/series`)).body).toEqual(series)
  const more = { clientId: 'c', sequence: 2, steps: sampleBatch(10, 5) }
  expect((await server.call('POST', `${api}/r/telemetry`, more)).body).toMatchObject({ accepted: 5 })
  await server.call('DELETE', `${api}/r`)
  server.clock.advance(8 * day)
  await server.restart()
  expect((await server.call('POST', `${api}/r/restore`)).body.code).toBe('run-not-found')
  await server.close()
})

test('of several deleted runs of one id each can be brought back, none of them at the cost of another', async () => {
  const server = await startTestServer()
  const step = async () => (await server.call('GET', `${api}/r`)).body.step
  const removed = async (): Promise<{ removedAt: string }[]> =>
    (await server.call('GET', '/api/v1/removed-runs')).body.runs
  const restore = (removedAt: string) =>
    server.call('POST', `${api}/r/restore?${new URLSearchParams({ removedAt })}`)
  await report(server, 'r', 10)
  await server.call('DELETE', `${api}/r`)
  const [old] = await removed()
  server.clock.advance(1_000)
  await report(server, 'r', 20)
  expect((await restore(old!.removedAt)).body.code).toBe('run-exists')
  await server.call('DELETE', `${api}/r`)
  expect(await removed()).toHaveLength(2)
  expect((await restore('2000-01-01T00:00:00Z')).body.code).toBe('run-not-found')
  expect((await restore('yesterday')).status).toBe(422)
  expect((await restore(old!.removedAt)).status).toBe(200)
  expect(await step()).toBe(10)
  server.clock.advance(1_000)
  await server.call('DELETE', `${api}/r`)
  const [, other] = await removed()
  expect((await restore(other!.removedAt)).status).toBe(200)
  expect(await step()).toBe(20)
  await server.close()
})

test('ended runs go after the days that a person has set, with a word, and can be restored; others stay', async () => {
  const server = await startTestServer({ config: { retentionDays: 30 } })
  await report(server, 'old')
  await report(server, 'busy')
  await finish(server, 'old')
  server.clock.advance(29 * day)
  await report(server, 'new')
  await finish(server, 'new')
  await server.restart()
  expect(await ids(server)).toEqual(['busy', 'new', 'old'])
  server.clock.advance(2 * day)
  await server.restart()
  await new Promise(setImmediate)
  expect(await ids(server)).toEqual(['busy', 'new'])
  const { notices } = (await server.call('GET', '/healthz')).body
  expect(notices).toMatchObject([
    { kind: 'removed', detail: expect.stringContaining('"old" ended more than 30 days ago') },
  ])
  const { entries } = (await server.call('GET', '/api/v1/audit?run=old&limit=1')).body
  expect(entries).toMatchObject([
    {
      caller: 'retention',
      tokenId: null,
      operation: 'deleteRun',
      reason: 'it ended more than 30 days ago',
      from: 'this server',
      status: 204,
    },
  ])
  expect((await server.call('POST', `${api}/old/restore`)).status).toBe(200)
  await server.close()
})

test('a run that the retention has deleted and a person brought back stays for another whole term', async () => {
  const server = await startTestServer({ config: { retentionDays: 5 } })
  for (const id of ['r', 's']) {
    await report(server, id)
    await finish(server, id)
  }
  const look = async () => {
    await server.restart()
    await new Promise(setImmediate)
    return ids(server)
  }
  server.clock.advance(6 * day)
  expect(await look()).toEqual([])
  const before = (await server.call('GET', '/healthz')).body.notices
  expect(before[0].detail).toBe(
    '"r", "s" ended more than 5 days ago and were deleted (they can be restored for 7 days)',
  )
  expect((await server.call('POST', `${api}/r/restore`)).status).toBe(200)
  // What was refused gives nobody more time.
  expect((await server.call('POST', `${api}/nobody/restore`)).status).toBe(404)
  expect(await look()).toEqual(['r'])
  server.clock.advance(4 * day)
  expect(await look()).toEqual(['r'])
  server.clock.advance(2 * day)
  expect(await look()).toEqual([])
  const { notices } = (await server.call('GET', '/healthz')).body
  expect(notices.map(({ detail }: { detail: string }) => detail)).toContain(
    '"r" ended more than 5 days ago and was deleted (it can be restored for 7 days)',
  )
  await server.close()
})

test('beyond the bound of the storage the oldest ended runs go for good, after what was deleted already', async () => {
  const server = await startTestServer({ config: { storageMaxBytes: 1_000_000 } })
  for (const id of ['deleted', 'first', 'second', 'busy']) await report(server, id, 10_000)
  for (const id of ['first', 'second']) {
    server.clock.advance(1_000)
    await finish(server, id)
  }
  await server.call('DELETE', `${api}/deleted`)
  const used = await server.storage.usedBytes()
  expect(used).toBeGreaterThan(2_000_000)
  await server.restart()
  for (let turn = 0; turn < 500 && (await ids(server)).length > 1; turn++) await new Promise(setImmediate)
  expect(await ids(server)).toEqual(['busy'])
  expect((await server.call('GET', '/api/v1/removed-runs')).body.runs).toEqual([])
  const { notices } = (await server.call('GET', '/healthz')).body
  expect(notices[0].detail).toMatch(/^"first", "second" were deleted for good/)
  await server.close()
})
