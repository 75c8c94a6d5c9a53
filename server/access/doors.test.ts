// The other doors of a server that demands tokens: the live socket and MCP take the same ones, and keep to their project.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Problem } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import { expiryMilliseconds } from '../live/live.ts'
import { type ClosedServer, startClosedServer } from '../testing/closedServer.ts'

let server: ClosedServer
const closing: (() => void)[] = []
beforeEach(async () => {
  server = await startClosedServer()
})
afterEach(async () => {
  for (const close of closing.splice(0)) close()
  await server.close()
})

async function connectWith(auth: object) {
  const socket = io(`${server.url}/live`, {
    auth,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  })
  closing.push(() => socket.close())
  return new Promise<{ socket: typeof socket; problem?: Problem }>((resolve) => {
    socket.once('connect', () => resolve({ socket }))
    socket.once('connect_error', (error) =>
      resolve({ socket, problem: (error as Error & { data: Problem }).data }),
    )
  })
}

test('the live socket takes the same tokens, tells runs of their project alone, and ends with them', async () => {
  expect((await connectWith({})).problem?.code).toBe('token-missing')
  expect((await connectWith({ token: 5 })).problem?.code).toBe('token-missing')
  expect((await connectWith({ token: `tw_${'y'.repeat(43)}` })).problem?.code).toBe('token-invalid')
  const writer = await server.make(['write'])
  expect((await connectWith({ token: writer.secret })).problem?.code).toBe('scope-missing')
  const ends = new Date(server.clock.now() + expiryMilliseconds).toISOString()
  const own = await server.make(['read'], { project: 'p' })
  const short = await server.make(['read'], { expiresAt: ends })
  await server.call('POST', '/api/v1/runs', { runId: 'own', project: 'p' })
  await server.call('POST', '/api/v1/runs', { runId: 'other', project: 'q' })
  const { socket } = await connectWith({ token: own.secret })
  const list = await socket.emitWithAck('subscribe-runs', {})
  expect(list).toMatchObject({ all: 1, runs: [{ id: 'own' }] })
  const wish = { afterDecision: 0, afterStep: 0, points: 100 }
  const refused = await socket.emitWithAck('subscribe', { runId: 'other', ...wish })
  expect(refused).toMatchObject({ ok: false, problem: { code: 'run-not-found' } })
  expect((await socket.emitWithAck('subscribe', { runId: 'own', ...wish })).ok).toBe(true)
  const heard: string[] = []
  socket.on('run', ({ run }) => heard.push(run.id))
  socket.on('removed', ({ runId }) => heard.push(`removed ${runId}`))
  await server.call('PATCH', '/api/v1/runs/other', { name: 'renamed' })
  await server.call('DELETE', '/api/v1/runs/other')
  await server.call('PATCH', '/api/v1/runs/own', { project: 'q' })
  await vi.waitFor(() => expect(heard).toContain('removed own'))
  server.clock.advance(1_000)
  const expiring = (await connectWith({ token: short.secret })).socket
  await socket.emitWithAck('subscribe-runs', {})
  expect(heard).toEqual(['removed own'])
  const kept = (await connectWith({ token: (await server.make(['read'])).secret })).socket
  const grace = await server.make(['read'])
  const rotated = (await connectWith({ token: grace.secret })).socket
  await server.call('POST', `/api/v1/tokens/${grace.token.id}/rotate`, { graceSeconds: 1 })
  await server.call('DELETE', `/api/v1/tokens/${own.token.id}`)
  await vi.waitFor(() => expect(socket.connected).toBe(false))
  expect(expiring.connected).toBe(true)
  server.clock.advance(2 * expiryMilliseconds)
  await vi.waitFor(() => expect(expiring.connected).toBe(false))
  await vi.waitFor(() => expect(rotated.connected).toBe(false))
  expect(kept.connected).toBe(true)
})

test('a run that is moved while its subscription waits is none for who may not see where it went', async () => {
  const own = await server.make(['read'], { project: 'p' })
  await server.call('POST', '/api/v1/runs', { runId: 'own', project: 'p' })
  const { socket } = await connectWith({ token: own.secret })
  let release = () => {}
  const held = server.app.runs.inLine('own', () => new Promise<void>((resolve) => (release = resolve)))
  const moved = server.call('PATCH', '/api/v1/runs/own', { project: 'q' })
  await vi.waitFor(() => expect(server.app.runs.waiting).toBe(2))
  const wish = { runId: 'own', afterDecision: 0, afterStep: 0, points: 100 }
  const answer = socket.emitWithAck('subscribe', wish)
  await vi.waitFor(() => expect(server.app.runs.waiting).toBe(3))
  release()
  await Promise.all([held, moved])
  expect(await answer).toMatchObject({ ok: false, problem: { code: 'run-not-found' } })
})

test('where the storage fails, which host or file it is is told to who may read all runs alone', async () => {
  const place = 'the database db.inner:5432/runs could not be used (no route)'
  const one = await server.make(['read', 'write'], { project: 'p' })
  const all = await server.make(['read'])
  await server.call('POST', '/api/v1/runs', { runId: 'own', project: 'p' })
  const { socket } = await connectWith({ token: one.secret })
  const ask = async (secret: string) => {
    const client = new Client({ name: 'test', version: '0' })
    const requestInit = { headers: { authorization: `Bearer ${secret}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit }))
    closing.push(() => void client.close())
    const { content } = await client.callTool({ name: 'get_run', arguments: { run: 'own' } })
    return content[0]?.type === 'text' ? content[0].text : ''
  }
  vi.spyOn(server.storage, 'run').mockRejectedValue(new ServerError('storage-failed', place))
  const wish = { runId: 'own', afterDecision: 0, afterStep: 0, points: 100 }
  const read = async (secret: string) =>
    (await server.callWith(secret, 'GET', '/api/v1/runs/own')).body.detail
  const { problem } = await socket.emitWithAck('subscribe', wish)
  for (const detail of [await read(one.secret), await ask(one.secret), problem.detail]) {
    expect(detail).toMatch(/^the storage could not be used/)
    expect(detail).not.toMatch(/inner|route/)
  }
  for (const detail of [await read(all.secret), await ask(all.secret)]) expect(detail).toContain(place)
})

test('MCP takes the same tokens, and tells runs of their project alone', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'own', project: 'p' })
  await server.call('POST', '/api/v1/runs', { runId: 'other', project: 'q' })
  const connect = async (secret: string) => {
    const client = new Client({ name: 'test', version: '0' })
    const requestInit = { headers: { authorization: `Bearer ${secret}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit }))
    closing.push(() => void client.close())
    return client
  }
  await expect(connect((await server.make(['write'])).secret)).rejects.toThrow()
  const client = await connect((await server.make(['read'], { project: 'p' })).secret)
  const ask = async (name: string, words: Record<string, unknown>) => {
    const { content } = await client.callTool({ name, arguments: words })
    return content[0]?.type === 'text' ? content[0].text : ''
  }
  const { runs } = JSON.parse(await ask('list_runs', {}))
  expect(runs.map(({ id }: { id: string }) => id)).toEqual(['own'])
  for (const [tool, more] of Object.entries({
    get_run: {},
    get_schedule: {},
    get_recommendation: {},
    list_decisions: {},
    get_decision: { number: 1 },
  })) {
    expect(await ask(tool, { run: 'other', ...more }), tool).toContain('run-not-found')
    expect(await ask(tool, { run: 'own', ...more }), tool).not.toContain('run-not-found')
  }
})
