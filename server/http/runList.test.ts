// The list of runs over HTTP; what it finds and in which order is told by the laws of the storage.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

const api = '/api/v1'
let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server.close())

test('a list is searched, ordered and counted on the server, and refuses what it does not know', async () => {
  for (const [id, project] of [
    ['a', 'vision'],
    ['b', 'vision'],
    ['c', 'language'],
  ])
    await server.call('POST', `${api}/runs`, { runId: id, project, settings: { lr: 0.1 } })
  const list = async (query: string) => (await server.call('GET', `${api}/runs?${query}`)).body
  const found = await list('q=vision+lr%3D0.1&sort=name&order=asc&limit=1&counts=true&first=waiting')
  expect(found).toMatchObject({ runs: [{ id: 'a' }], total: 2, all: 3 })
  expect(found.counts.projects).toEqual([
    { name: 'vision', count: 2 },
    { name: 'language', count: 1 },
  ])
  expect(
    (await list(`q=vision&sort=name&order=asc&limit=1&first=waiting&after=${found.next}`)).runs,
  ).toMatchObject([{ id: 'b' }])
  expect(await list('sort=luck')).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(await list('after=%25')).toMatchObject({ status: 422, errors: [{ pointer: '?after' }] })
  expect(await list('after=abc')).toMatchObject({ status: 422, errors: [{ pointer: '?after' }] })
})
