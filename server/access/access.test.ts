// A server that demands tokens, over HTTP: without one, with a wrong one, one that is over, one that lacks a scope, one of
// another project.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Scope } from '../../protocol/vocabulary.ts'
import { operations, scopesOf } from '../http/operations.ts'
import { createLog } from '../log.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { type ClosedServer, startClosedServer } from '../testing/closedServer.ts'
import { sampleBatch, startTestServer } from '../testing/testServer.ts'
import { attemptsMax, attemptsMilliseconds } from './attempts.ts'

let server: ClosedServer
beforeEach(async () => {
  server = await startClosedServer()
})
afterEach(() => server.close())

test('without a token nothing is told but the page, health and the contract, and what is demanded', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json'])
    expect((await server.callWith(undefined, 'GET', path)).status).toBe(200)
  const refused = await server.callWith(undefined, 'GET', '/api/v1/runs')
  expect(refused).toMatchObject({ status: 401, body: { code: 'token-missing' } })
  expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="twostep"')
  expect((await server.callWith(undefined, 'GET', '/api/v1/access')).body).toEqual({
    isRequired: true,
    caller: null,
  })
  expect((await server.callWith(undefined, 'POST', '/mcp', {})).status).toBe(401)
})

test('versions of other programs are told to who may read all runs, and no answer of the API is kept on the way', async () => {
  const one = (await server.make(['read'], { project: 'p' })).secret
  const all = (await server.make(['read'])).secret
  for (const [secret, isTold] of [
    [undefined, false],
    [one, false],
    [all, true],
  ] as const) {
    const version = await server.callWith(secret, 'GET', '/version')
    expect(version.body.node).toBe(isTold ? process.versions.node : undefined)
    expect((await server.callWith(secret, 'GET', '/readyz')).body.storage).toMatch(
      isTold ? /^SQLite \d/ : /^SQLite$/,
    )
  }
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
  const told = [
    '/healthz',
    '/readyz',
    '/version',
    '/metrics',
    '/api/v1/access',
    '/api/v1/runs',
    '/api/v1/tokens',
  ]
  for (const path of [...told, '/api/v1/runs/r/recommendation', '/api/v1/runs/r/export', '/api/v1/nothing']) {
    const { headers } = await server.call('GET', path)
    expect([path, headers.get('cache-control')]).toEqual([path, 'no-store'])
  }
  const run = await server.call('GET', '/api/v1/runs/r')
  expect(run.headers.get('cache-control')).toBe('private, no-cache')
})

test('every address of the contract asks for a token but those that are said to be open', async () => {
  const open: string[] = []
  for (const [template, methods] of Object.entries(operations))
    for (const [method, operation] of Object.entries(methods)) {
      const path = template
        .replace('{id}', 'r')
        .replace('{number}', '1')
        .replace('{token}', 't')
        .replace('{webhook}', 'w')
      const { status, body } = await server.callWith(undefined, method.toUpperCase(), path)
      if (status !== 401) open.push(`${method} ${path}`)
      else expect(body.code, path).toBe('token-missing')
      expect(status !== 401, path).toBe(scopesOf(method as 'get', operation) === 'open')
    }
  expect(open.sort()).toEqual(['get /api/v1/access', 'get /healthz', 'get /readyz'])
})

test('no other way of writing an address leads past the scope', async () => {
  const { secret } = await server.make(['read'])
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  const body = { kind: 'pause', reason: '' }
  for (const [path, expected] of [
    // Another address, at which there is nothing.
    ['/api/v1/runs/r1/commands/', 404],
    ['/API/v1/RUNS/r1/Commands', 403],
    ['/api/v1/runs/%72%31/commands', 403],
  ] as const) {
    const { status } = await server.callWith(secret, 'POST', path, body)
    expect([path, status]).toEqual([path, expected])
  }
})

test('a wrong, an expired and a revoked token are told apart, and a right one is let in', async () => {
  const day = 86_400_000
  const soon = new Date(server.clock.now() + day).toISOString()
  const expiring = await server.make(['read'], { expiresAt: soon })
  const revoked = await server.make(['read'])
  expect((await server.callWith(expiring.secret, 'GET', '/api/v1/runs')).status).toBe(200)
  expect((await server.callWith(revoked.secret, 'GET', '/api/v1/runs')).status).toBe(200)
  server.clock.advance(day)
  await server.call('DELETE', `/api/v1/tokens/${revoked.token.id}`)
  const codeOf = async (secret: string) => (await server.callWith(secret, 'GET', '/api/v1/runs')).body.code
  expect(await codeOf(expiring.secret)).toBe('token-expired')
  expect(await codeOf(revoked.secret)).toBe('token-revoked')
  expect(await codeOf(`tw_${'y'.repeat(43)}`)).toBe('token-invalid')
  expect(await codeOf('tw_short')).toBe('token-invalid')
  expect((await server.callWith(expiring.secret, 'GET', '/api/v1/access')).body.code).toBe('token-expired')
})

test('each scope allows its own and names what is missing', async () => {
  const secrets = Object.fromEntries(
    await Promise.all(
      (['read', 'write', 'control'] as const).map(async (scope) => [
        scope,
        (await server.make([scope])).secret,
      ]),
    ),
  ) as Record<Scope, string>
  const steps = sampleBatch(0, 5)
  const calls: [Scope, string, string, unknown?][] = [
    ['write', 'POST', '/api/v1/runs', { runId: 'r1' }],
    ['write', 'POST', '/api/v1/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps }],
    ['read', 'GET', '/api/v1/runs/r1'],
    ['read', 'GET', '/api/v1/runs/r1/series?signals=loss'],
    ['read', 'POST', '/api/v1/runs/r1/what-if', { mode: 'advisory' }],
    ['control', 'POST', '/api/v1/runs/r1/commands', { kind: 'pause', reason: 'tea' }],
    ['control', 'PATCH', '/api/v1/runs/r1', { name: 'n' }],
    ['control', 'DELETE', '/api/v1/runs/r1'],
    ['control', 'POST', '/api/v1/runs/r1/restore'],
  ]
  for (const [scope, method, path, body] of calls)
    for (const [held, secret] of Object.entries(secrets)) {
      if (held === scope) continue
      const refused = await server.callWith(secret, method, path, body)
      expect([path, held, refused.status]).toEqual([path, held, 403])
      expect(refused.body.detail).toMatch(new RegExp(`^this needs the scope "${scope}".*; .* has ${held}$`))
      expect(refused.headers.get('www-authenticate')).toContain(
        `error="insufficient_scope", scope="${scope}"`,
      )
    }
  for (const [scope, method, path, body] of calls) {
    const { status } = await server.callWith(secrets[scope], method, path, body)
    expect([path, status < 300]).toEqual([path, true])
  }
  for (const path of ['/api/v1/tokens', '/api/v1/removed-runs'])
    for (const secret of Object.values(secrets))
      expect((await server.callWith(secret, 'GET', path)).body.code).toBe('scope-missing')
  await server.callWith(secrets.write, 'POST', '/api/v1/runs', { runId: 'r2' })
  const end = { kind: 'finish', reason: 'a job ends its own run' }
  expect((await server.callWith(secrets.write, 'POST', '/api/v1/runs/r2/commands', end)).status).toBe(200)
  expect((await server.callWith(secrets.read, 'POST', '/api/v1/runs/r2/commands', end)).status).toBe(403)
})

test('what a person does is recorded under the name of the token', async () => {
  const { secret, token } = await server.make(['control', 'write'])
  await server.callWith(secret, 'POST', '/api/v1/runs', { runId: 'r1' })
  const override = { learningRate: 0.05, untilStep: 100, reason: 'a try' }
  expect((await server.callWith(secret, 'POST', '/api/v1/runs/r1/overrides', override)).status).toBe(201)
  const log: string = (await server.call('GET', '/api/v1/runs/r1/export')).body
  expect(log).toContain(`"by":"${token.name}"`)
})

test('for a token of one project there are no other runs', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'other', project: 'q', tags: ['secret'] })
  const { secret } = await server.make(['read', 'write', 'control'], { project: 'p' })
  const call = (method: string, path: string, body?: unknown) => server.callWith(secret, method, path, body)
  expect((await call('POST', '/api/v1/runs', { runId: 'own' })).body.run.options.project).toBe('p')
  const list = (await call('GET', '/api/v1/runs?counts=true&group=tag')).body
  expect(list).toMatchObject({ total: 1, all: 1, runs: [{ id: 'own' }], groups: [] })
  expect(list.counts).toMatchObject({ projects: [{ name: 'p', count: 1 }], tags: [] })
  expect((await call('GET', '/api/v1/runs?project=q')).body).toMatchObject({ total: 0, runs: [] })
  for (const [method, path, body] of [
    ['GET', '/api/v1/runs/other'],
    ['GET', '/api/v1/runs/other/export'],
    ['DELETE', '/api/v1/runs/other'],
    ['POST', '/api/v1/runs/other/telemetry', { clientId: 'c', sequence: 1 }],
    ['POST', '/api/v1/runs/other/commands', { kind: 'pause', reason: '' }],
  ] as const)
    expect([path, (await call(method, path, body)).body.code]).toEqual([path, 'run-not-found'])
  const resumed = await call('POST', '/api/v1/runs', { runId: 'other', resume: 'must' })
  expect(resumed.body.code).toBe('run-exists')
  for (const [method, path] of [
    ['POST', '/api/v1/runs'],
    ['PATCH', '/api/v1/runs/own'],
    ['POST', '/api/v1/schedules/recommend'],
  ] as const)
    expect(
      (await call(method, path, { project: 'q', ...(path.includes('rec') ? { budgetSteps: 100 } : {}) })).body
        .code,
    ).toBe('project-not-allowed')
  const log = await server.callWith(server.token, 'GET', '/api/v1/runs/other/export')
  const file = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${secret}` }
  const taken = await server.call('POST', '/api/v1/runs/import?runId=copy', log.body, file)
  expect(taken.body.code).toBe('project-not-allowed')
  // What is told of all projects at once, now or by whoever adds to the contract and does not say otherwise.
  expect((await call('GET', '/metrics')).body.code).toBe('project-not-allowed')
  for (const [path, methods] of Object.entries(operations)) {
    const { get } = methods
    if (get === undefined || path.includes('{') || scopesOf('get', get) !== 'open') continue
    expect((await call('GET', path)).status).toBe(200)
  }
  for (const path of ['/version', '/api/v1/forecasts/calibration'])
    expect((await call('GET', path)).status).toBe(200)
  const admin = await server.call('POST', '/api/v1/tokens', { name: 'a', scopes: ['admin'], project: 'p' })
  expect(admin).toMatchObject({ status: 422, body: { errors: [{ pointer: '/project' }] } })
})

test('at every address of the contract a run of another project is as one that there is not', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'other', project: 'q' })
  const { secret } = await server.make(['read', 'write', 'control'], { project: 'p' })
  let tried = 0
  for (const [template, methods] of Object.entries(operations))
    for (const method of Object.keys(methods)) {
      if (!template.includes('{id}')) continue
      const [other, none] = await Promise.all(
        ['other', 'never'].map(async (id) => {
          const path = template.replace('{id}', id).replace('{number}', '1')
          const body = method === 'get' || method === 'delete' ? undefined : {}
          const answer = await server.callWith(secret, method.toUpperCase(), path, body)
          const text = JSON.stringify({ ...answer.body, requestId: '' }).replaceAll(id, 'ID')
          return { status: answer.status, text }
        }),
      )
      expect(other, `${method} ${template}`).toEqual(none)
      expect(other!.status, `${method} ${template}`).toBe(404)
      tried++
    }
  expect(tried).toBeGreaterThan(15)
})

test('a token of one project brings back a deleted run of its own, and no other', async () => {
  const create = (runId: string, project: string) => server.call('POST', '/api/v1/runs', { runId, project })
  await create('own', 'p')
  await create('other', 'q')
  const { secret } = await server.make(['read', 'control'], { project: 'p' })
  const restore = (runId: string) => server.callWith(secret, 'POST', `/api/v1/runs/${runId}/restore`)
  // Of one that is there, too, nothing is told.
  expect((await restore('other')).body.code).toBe('run-not-found')
  for (const id of ['own', 'other']) await server.call('DELETE', `/api/v1/runs/${id}`)
  expect((await restore('other')).body.code).toBe('run-not-found')
  expect(await restore('own')).toMatchObject({ status: 200, body: { id: 'own' } })
  expect((await restore('own')).body.code).toBe('run-exists')
  expect((await server.call('GET', '/api/v1/removed-runs')).body.runs).toMatchObject([{ id: 'other' }])
  await server.call('DELETE', '/api/v1/runs/own')
  expect((await server.storage.removedRuns('p')).map(({ record }) => record.id)).toEqual(['own'])
  // An id that another project has taken since.
  await create('own', 'q')
  expect((await restore('own')).body.code).toBe('run-not-found')
})

test('what was noticed about the data names runs, and is told to those who may read all', async () => {
  await server.storage.addNotice({ at: 0, kind: 'damage', detail: 'run "r"' })
  const ofOne = (await server.make(['read'], { project: 'p' })).secret
  for (const secret of [undefined, 'tw_wrong', ofOne, (await server.make(['write'])).secret])
    expect((await server.callWith(secret, 'GET', '/healthz')).body).toEqual({ status: 'ok' })
  const ofAll = (await server.make(['read'])).secret
  expect((await server.callWith(ofAll, 'GET', '/healthz')).body.notices).toMatchObject([
    { detail: 'run "r"' },
  ])
  server.storage.checkWritable = () => Promise.reject(new Error('run "r" is damaged'))
  const told = async (secret: string | undefined) => (await server.callWith(secret, 'GET', '/readyz')).body
  expect((await told(ofAll)).detail).toBe('run "r" is damaged')
  for (const secret of [undefined, ofOne]) {
    expect(await told(secret)).toMatchObject({ status: 503, code: 'not-ready' })
    expect((await told(secret)).detail).not.toContain('run "r"')
  }
})

test('a secret is told once, stored as its digest, found after a restart, and rotated with a grace', async () => {
  const { secret, token } = await server.make(['read'])
  const text = JSON.stringify((await server.call('GET', '/api/v1/tokens')).body)
  expect(text).toContain(token.id)
  expect(text).not.toContain(secret.slice(3))
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(`${server.folder}/twostep.db`, { readOnly: true })
  expect(JSON.stringify(database.prepare('SELECT * FROM tokens').all())).not.toContain(secret.slice(3))
  database.close()
  await server.restart()
  expect((await server.callWith(secret, 'GET', '/api/v1/runs')).status).toBe(200)
  const listed = (await server.call('GET', '/api/v1/tokens')).body.tokens
  expect(listed.find(({ id }: { id: string }) => id === token.id)).toMatchObject({
    state: 'active',
    lastUsedAt: new Date(server.clock.now()).toISOString(),
  })
  const rotated = await server.call('POST', `/api/v1/tokens/${token.id}/rotate`, { graceSeconds: 60 })
  expect(rotated.body.token).toMatchObject({ name: token.name, scopes: ['read'], state: 'active' })
  expect((await server.callWith(rotated.body.secret, 'GET', '/api/v1/runs')).status).toBe(200)
  expect((await server.callWith(secret, 'GET', '/api/v1/runs')).status).toBe(200)
  server.clock.advance(60_000)
  expect((await server.callWith(secret, 'GET', '/api/v1/runs')).body.code).toBe('token-expired')
})

test('names are told apart, the past is no end, and the last admin stays', async () => {
  const { token } = await server.make(['read'])
  const create = (body: object) => server.call('POST', '/api/v1/tokens', { scopes: ['read'], ...body })
  expect((await create({ name: token.name })).body.code).toBe('token-exists')
  const past = await create({ name: 'p', expiresAt: '2020-01-01T00:00:00Z' })
  expect(past).toMatchObject({ status: 422, body: { errors: [{ pointer: '/expiresAt' }] } })
  expect((await create({ name: 'p', scopes: ['all'] })).status).toBe(422)
  const { tokens } = (await server.call('GET', '/api/v1/tokens')).body
  const first = tokens.find(({ name }: { name: string }) => name === 'first')
  expect((await server.call('DELETE', `/api/v1/tokens/${first.id}`)).body.code).toBe('token-needed')
  expect((await server.call('DELETE', '/api/v1/tokens/none')).body.code).toBe('token-not-found')
  expect(await server.app.tokens.first()).toBeUndefined()
})

test('where the only admin has expired the next start gives another, and none where there is one', async () => {
  const other = await startTestServer({ config: { requireTokens: true } })
  const day = 86_400_000
  const expiresAt = new Date(other.clock.now() + day).toISOString()
  await other.app.tokens.create({ name: 'short', scopes: ['admin'], project: null, expiresAt })
  await other.app.tokens.create({ name: 'first', scopes: ['read'], project: null, expiresAt: null })
  expect(await other.app.tokens.first()).toBeUndefined()
  other.clock.advance(day)
  await other.restart()
  const made = await other.app.tokens.first()
  expect(made?.token).toMatchObject({
    scopes: ['admin'],
    state: 'active',
    name: expect.stringMatching(/^admin /),
  })
  await other.close()
})

test('wrong tokens from one address are bounded, for a minute, and lock nobody out who has a right one', async () => {
  const guess = (i: number) => server.callWith(`tw_${String(i).padStart(43, 'z')}`, 'GET', '/api/v1/runs')
  for (let i = 0; i < attemptsMax; i++) expect((await guess(i)).status).toBe(401)
  const refused = await guess(attemptsMax)
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } })
  expect(refused.headers.get('retry-after')).toBe('60')
  expect((await server.call('GET', '/api/v1/runs')).status).toBe(200)
  server.clock.advance(attemptsMilliseconds)
  expect((await guess(1)).status).toBe(401)
})

test('that many wrong tokens come is logged once for each address and time, without any of them', async () => {
  const lines: string[] = []
  const log = createLog(
    'warn',
    () => 0,
    (line) => lines.push(line),
  )
  const watched = await startTestServer({ config: { requireTokens: true }, log })
  const guess = (i: number) =>
    watched.call('GET', '/api/v1/runs', undefined, {
      authorization: `Bearer tw_${String(i).padStart(43, 'z')}`,
    })
  for (let time = 1; time <= 2; time++) {
    for (let i = 0; i < attemptsMax + 5; i++) await guess(i)
    expect(lines).toHaveLength(time)
    watched.clock.advance(attemptsMilliseconds)
  }
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', from: '127.0.0.1' })
  expect(lines.join()).not.toContain('zzz')
  await watched.close()
})

test('where none is demanded a token still says who acts and what it may, and a wrong one is nobody', async () => {
  const open = await startTestServer()
  const { secret, token } = await open.app.tokens.create({
    name: 'reader',
    scopes: ['read'],
    project: null,
    expiresAt: null,
  })
  const call = (path: string, bearer: string) =>
    open.call('GET', path, undefined, { authorization: `Bearer ${bearer}` })
  expect((await call('/api/v1/tokens', secret)).status).toBe(403)
  expect((await call('/api/v1/access', secret)).body.caller).toMatchObject({
    name: token.name,
    scopes: ['read'],
  })
  expect((await call('/api/v1/access', 'wrong')).body).toMatchObject({
    isRequired: false,
    caller: { name: 'local', scopes: ['admin'] },
  })
  expect(await open.app.tokens.first()).toBeUndefined()
  await open.close()
})
