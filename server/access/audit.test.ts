// The audit of a server: every action with who, what, why, from where, and what came of it.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuditEntry } from '../../protocol/vocabulary.ts'
import { operations, scopesOf } from '../http/operations.ts'
import { startTestServer, type TestServer } from '../testing/testServer.ts'
import { Audit } from './audit.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer({ config: { requireTokens: true } })
  server.token = (await server.app.tokens.first())!.secret
  await server.call('POST', '/api/v1/runs', { runId: 'r1', budgetSteps: 1_000 })
})
afterEach(() => server.close())

const entries = async (query = '') =>
  (await server.call('GET', `/api/v1/audit${query}`)).body.entries as AuditEntry[]

test('what is done to a run and to tokens is told with its reason; what is read or reported is not', async () => {
  const { body } = await server.call('POST', '/api/v1/tokens', { name: 'laptop', scopes: ['control'] })
  const headers = { authorization: `Bearer ${body.secret}` }
  const act = (method: string, path: string, what?: unknown) =>
    server.call(method, `/api/v1/runs/r1${path}`, what, headers)
  await act('POST', '/commands', { kind: 'pause', reason: 'tea' })
  await act('POST', '/overrides', { learningRate: 0.05, untilStep: 900, reason: 'a try' })
  await act('DELETE', '/overrides/current?reason=enough')
  await act('PATCH', '', { name: 'renamed', tags: ['a'], reason: 'clearer' })
  await act('POST', '/decisions/99/approve', { reason: 'sure' })
  await act('DELETE', '')
  await act('POST', '/restore')
  await act('DELETE', '?forGood=true')
  await server.call('DELETE', `/api/v1/tokens/${body.token.id}`)
  await server.call('GET', '/api/v1/runs')
  const told = (await entries()).map(({ caller, operation, runId, detail, reason, status }) =>
    [caller, operation, runId ?? '-', detail, reason, status].join(' | '),
  )
  expect(told.reverse()).toEqual([
    'first | createToken | - | token "laptop": control |  | 201',
    'laptop | command | r1 | pause | tea | 200',
    'laptop | override | r1 | rate 0.05 until step 900 | a try | 201',
    expect.stringMatching(/^laptop \| handBack \| r1 \| hand back \| enough \| (200|404)$/),
    'laptop | changeRun | r1 | name "renamed", tags ["a"] | clearer | 200',
    'laptop | approveDecision | r1 | decision 99 | sure | 404',
    'laptop | deleteRun | r1 |  |  | 204',
    'laptop | restoreRun | r1 |  |  | 200',
    'laptop | deleteRun | r1 | for good |  | 204',
    `first | revokeToken | - | token "laptop" (${body.token.id}) |  | 204`,
  ])
  const [newest] = await entries('?limit=1')
  expect(newest).toMatchObject({
    at: new Date(server.clock.now()).toISOString(),
    from: expect.stringMatching(/127\.0\.0\.1|::1/),
  })
  expect(JSON.stringify(await entries())).not.toContain('tw_')
})

test('it comes in pages, of all or of one run, to an admin alone', async () => {
  for (let i = 0; i < 5; i++) await server.call('PATCH', '/api/v1/runs/r1', { name: `n${i}` })
  await server.call('POST', '/api/v1/tokens', { name: 't', scopes: ['read'] })
  const first = (await server.call('GET', '/api/v1/audit?limit=4')).body
  expect(first.entries.map(({ number }: AuditEntry) => number)).toEqual([6, 5, 4, 3])
  const second = (await server.call('GET', `/api/v1/audit?limit=4&before=${first.next}`)).body
  expect(second.entries.map(({ number }: AuditEntry) => number)).toEqual([2, 1])
  expect(second.next).toBeNull()
  expect(await entries('?run=r1')).toHaveLength(5)
  expect(await entries('?run=other')).toEqual([])
  const { secret } = await server.app.tokens.create({
    name: 'c',
    scopes: ['control'],
    project: null,
    expiresAt: null,
  })
  const refused = await server.call('GET', '/api/v1/audit', undefined, { authorization: `Bearer ${secret}` })
  expect(refused.body.code).toBe('scope-missing')
})

test('an action that is refused for want of a scope is none, and one that was never answered has no status', async () => {
  const { secret } = await server.app.tokens.create({
    name: 'r',
    scopes: ['read'],
    project: null,
    expiresAt: null,
  })
  await server.call('DELETE', '/api/v1/runs/r1', undefined, { authorization: `Bearer ${secret}` })
  expect(await entries()).toEqual([])
  const action = { operation: 'command', runId: 'r1', from: 'here', requestId: 'q' }
  const audit = new Audit({ store: server.storage.access, clock: server.clock, log: () => {} })
  await audit.begin({ name: 'r', tokenId: null }, action)
  expect(await entries()).toMatchObject([{ caller: 'r', status: null, detail: '', ...action }])
})

test('every operation that steers or administers is one that the audit hears of', () => {
  const acting = Object.values(operations).flatMap((methods) =>
    Object.entries(methods).filter(([method, operation]) => {
      const scopes = scopesOf(method as 'get', operation)
      return method !== 'get' && scopes !== 'open' && scopes.some((one) => ['control', 'admin'].includes(one))
    }),
  )
  expect(acting.map(([, { id }]) => id).sort()).toEqual(
    [
      ...['approveDecision', 'rejectDecision', 'override', 'handBack', 'command', 'changeRun', 'deleteRun'],
      ...['restoreRun', 'createToken', 'revokeToken', 'rotateToken'],
      ...['createWebhook', 'deleteWebhook', 'testWebhook', 'redeliver'],
    ].sort(),
  )
})
