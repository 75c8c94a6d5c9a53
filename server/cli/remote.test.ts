import { expect, test } from 'vitest'
import { startTestServer } from '../testing/testServer.ts'
import { listDecisions, listRuns } from './read.ts'
import { asOptions, callRemote, demandAddress } from './remote.ts'

test.each([
  'ftp://x',
  'http://h:18199x',
  'localhost:7317',
  'x',
  '',
  'http://a:b@h',
  'http://h/?q',
  'http://h/#x',
])('what is no address of a server is told so, not that none answers there: "%s"', async (server) => {
  const refused = callRemote({ server }, '/runs')
  await expect(refused).rejects.toThrow('must be an address such as http://127.0.0.1:7317, got "')
  await expect(refused).rejects.toMatchObject({ exitStatus: 2 })
  await expect(refused).rejects.not.toThrow('a:b')
})

test('an address is one with a path and with a slash, too; where none answers, that is said', async () => {
  expect(demandAddress('https://ml.example/twostep/')).toBe('https://ml.example/twostep')
  await expect(callRemote({ server: 'http://127.0.0.1:1' }, '/runs')).rejects.toThrow(
    'no twostep server answers',
  )
})

test('what a server says of a query is told by the names of the options', async () => {
  const server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
  const remote = { server: server.url }
  await expect(listRuns({ ...remote, limit: '0' })).rejects.toThrow(/^--limit must be at least 1, got "0"/)
  await expect(listDecisions('r', { ...remote, kind: 'nope' })).rejects.toThrow(
    /^--kind must be one of "start", .*, got "nope" \(invalid-request\)$/,
  )
  await server.close()
  expect(asOptions('run "?limit" exists; import it under another id (?runId=, of 1 to 9)')).toBe(
    'run "?limit" exists; import it under another id (--run-id, of 1 to 9)',
  )
  expect(asOptions('?limited and ?q must be')).toBe('?limited and --search must be')
})
