import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server.close())

const api = '/api/v1'

test('the schedule is a Python file for each framework, by the name that it is imported by', async () => {
  await server.call('POST', `${api}/runs`, { runId: 'r1' })
  const steps = { step: [0, 1, 2], learningRate: [0.1, 0.1, 0.2] }
  await server.call('POST', `${api}/runs/r1/telemetry`, { clientId: 'c', sequence: 1, steps })
  for (const format of ['pytorch', 'keras', 'optax', 'transformers']) {
    const { status, headers, body } = await server.call('GET', `${api}/runs/r1/schedule?format=${format}`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/x-python; charset=utf-8')
    expect(headers.get('content-disposition')).toBe('attachment; filename="schedule.py"')
    expect(body).toContain('# Applied: steps 0 to 2. Planned: steps 3 to 1999.')
    expect(body).toContain('    (0, 1, "held", (0.1,)),\n    (2, 1, "held", (0.2,)),\n)')
  }
})

test('a format that is unknown, and a run without a rate, are told what is possible', async () => {
  await server.call('POST', `${api}/runs`, { runId: 'silent' })
  await server.call('POST', `${api}/runs/silent/commands`, { kind: 'finish' })
  const none = await server.call('GET', `${api}/runs/silent/schedule?format=optax`)
  expect(none.body).toMatchObject({ status: 422, code: 'invalid-request', errors: [{ pointer: '?format' }] })
  const unknown = await server.call('GET', `${api}/runs/silent/schedule?format=jax`)
  expect(unknown.body.detail).toContain('"json", "csv", "pytorch", "keras", "optax", "transformers"')
})

test('the contract names all media that a schedule may come in', async () => {
  const { body } = await server.call('GET', '/openapi.json')
  const { content } = body.paths['/api/v1/runs/{id}/schedule'].get.responses[200]
  expect(Object.keys(content)).toEqual(['application/json', 'text/csv', 'text/x-python'])
})
