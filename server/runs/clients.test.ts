import { join } from 'node:path'
import { expect, test } from 'vitest'
import { limits } from '../../protocol/schemas.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { sampleBatch, startTestServer } from '../testing/testServer.ts'

test('any number of processes report to a run; of all of them it is known what they sent, of the newest the answer', async () => {
  const server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
  const post = (clientId: string, sequence: number, step: number) =>
    server.call('POST', '/api/v1/runs/r/telemetry', { clientId, sequence, steps: sampleBatch(step, 2) })
  const count = limits.clientsMax * 2
  for (let i = 0; i < count; i++) expect((await post(`c${i}`, 1, 2 * i)).status).toBe(200)
  await server.restart()
  expect((await post('c0', 1, 0)).body).toMatchObject({ duplicate: true, nextSequence: 2 })
  expect((await post('c0', 1, 7)).body).toMatchObject({ code: 'sequence-reused', expectedSequence: 2 })
  expect((await post('c0', 3, 7)).body).toMatchObject({ code: 'sequence-gap', expectedSequence: 2 })
  expect((await post('c0', 2, 2 * count)).body).toMatchObject({ duplicate: false, accepted: 2 })
  const { body } = await server.call('POST', '/api/v1/runs', { runId: 'r', resume: 'must' })
  expect(body.nextSequence).toMatchObject({ c0: 3, [`c${count - 1}`]: 2 })
  expect(Object.keys(body.nextSequence)).toHaveLength(limits.clientsMax)
  expect(body.nextSequence).not.toHaveProperty('c1')
  await server.app.close()
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(join(server.folder, 'twostep.db'))
  expect(database.prepare('SELECT count(*) AS rows FROM clients').get()).toEqual({
    rows: limits.clientsMax + 1,
  })
  database.close()
})
