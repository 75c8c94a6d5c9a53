// Webhooks over HTTP, from the batch to a real receiver on loopback, which the owner allows.

import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { limits } from '../../protocol/limits.ts'
import type { Delivery, Webhook } from '../../protocol/vocabulary.ts'
import { patienceMilliseconds } from '../app.ts'
import { startClosedServer } from '../testing/closedServer.ts'
import { type Receiver, startReceiver } from '../testing/receiver.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { answerMilliseconds } from './post.ts'
import { ageMillisecondsMax } from './retry.ts'
import { failingMillisecondsMax } from './webhooks.ts'

let server: TestServer
let receiver: Receiver
/** What names resolve to, one answer after another. */
let names: string[]
let closing: (() => Promise<void>)[]
beforeEach(async () => {
  names = []
  receiver = await startReceiver()
  closing = [() => receiver.close()]
  server = await startTestServer({
    config: { webhookAllow: ['127.0.0.1'], publicUrl: 'https://runs.example' },
    resolveName: async () => [{ address: names.shift() ?? '192.168.7.7', family: 4 }],
  })
})
afterEach(async () => {
  await server.close()
  for (const close of closing) await close()
})

async function create(more: object = {}): Promise<{ webhook: Webhook; secret: string }> {
  const body = { url: receiver.url, events: ['decision'], ...more }
  const answer = await server.call('POST', '/api/v1/webhooks', body)
  expect(answer.status).toBe(201)
  return answer.body
}
const begin = (runId: string, more: object = {}) =>
  server.call('POST', '/api/v1/runs', { runId, budgetSteps: 1_000, ...more })
let sequence = 0
const probe = (runId: string, count = 1) =>
  server.call('POST', `/api/v1/runs/${runId}/telemetry`, {
    clientId: `c${++sequence}`,
    sequence: 1,
    steps: sampleBatch(0, 2),
    probes: Array.from({ length: count }, () => emptyLineProbe(1)),
  })
const log = async ({ id }: Webhook, query = ''): Promise<Delivery[]> =>
  (await server.call('GET', `/api/v1/webhooks/${id}/deliveries${query}`)).body.deliveries
const settled = (webhook: Webhook, state: string, count = 1) =>
  vi.waitFor(async () => {
    const found = (await log(webhook)).filter((one) => one.state === state)
    if (found.length < count) throw new Error(`${found.length} of ${count} are ${state}`)
    return found
  }, 20_000)
const events = () => receiver.received.map(({ body }) => `${body.data.run.id} ${body.type}`)

test('a decision is told with its run and its page, signed as Standard Webhooks say', async () => {
  const { webhook, secret } = await create()
  await begin('r1', { project: 'vision' })
  const [message] = await receiver.until(1)
  const { headers, body, text, path } = message!
  expect(path).toBe('/hook')
  expect(body).toMatchObject({
    type: 'decision',
    timestamp: new Date(server.clock.now()).toISOString(),
    data: {
      run: { id: 'r1', project: 'vision', state: 'running', budgetSteps: 1_000 },
      decision: { number: 1, kind: 'start', status: 'applied', summary: 'Started.' },
      url: 'https://runs.example/runs/r1?decision=1',
    },
  })
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  expect(key).toHaveLength(32)
  const signature = createHmac('sha256', key).update(signed).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${signature}`)
  const [delivered] = await settled(webhook, 'delivered')
  expect(delivered).toMatchObject({ event: 'decision', runId: 'r1', attempts: 1, status: 204, error: '' })
  const listed = JSON.stringify((await server.call('GET', '/api/v1/webhooks')).body)
  expect(listed).toContain(webhook.id)
  expect(listed).not.toContain(secret.slice(6))
})

test('each hears of what it asked for, of its project alone', async () => {
  await create({ events: ['finished', 'stale'] })
  await create({ url: `${receiver.url}/vision`, project: 'vision' })
  await begin('other')
  await begin('own', { project: 'vision' })
  await server.call('POST', '/api/v1/runs/other/commands', { kind: 'finish', reason: '' })
  await receiver.until(2)
  server.clock.advance(10 * 60_000)
  await receiver.until(3)
  expect(events().sort()).toEqual(['other finished', 'own decision', 'own stale'])
  const stale = receiver.received.find(({ body }) => body.type === 'stale')!
  expect(stale.body.data).toMatchObject({ run: { state: 'stale' }, decision: null })
})

test('a run that fell silent while no server was there is told once, over any number of restarts, and so is the next time', async () => {
  const day = 86_400_000
  const { webhook } = await create({ events: ['stale'] })
  await begin('r1')
  await begin('done')
  await server.call('POST', '/api/v1/runs/done/commands', { kind: 'finish', reason: '' })
  const exported = await server.call('GET', '/api/v1/runs/r1/export')
  await server.restart({ meanwhile: async () => void server.clock.advance(day) })
  await settled(webhook, 'delivered')
  await server.restart()
  await server.restart({ meanwhile: async () => void server.clock.advance(60_000) })
  // It speaks again, and falls silent while a server is there.
  await probe('r1', 2)
  server.clock.advance(day)
  await settled(webhook, 'delivered', 2)
  // What came here silent is no news, nor is what comes back.
  const file = { 'content-type': 'application/x-ndjson' }
  expect((await server.call('POST', '/api/v1/runs/import?runId=copy', exported.body, file)).status).toBe(201)
  await server.call('DELETE', '/api/v1/runs/copy')
  expect((await server.call('POST', '/api/v1/runs/copy/restore')).status).toBe(200)
  await server.restart()
  await begin('last')
  await server.restart({ meanwhile: async () => void server.clock.advance(day) })
  await settled(webhook, 'delivered', 3)
  expect(events()).toEqual(['r1 stale', 'r1 stale', 'last stale'])
})

test('what fails is tried again with the same id, after waits that grow, and goes on in the order of its run', async () => {
  const { webhook } = await create()
  let broken = true
  receiver.answer = (response) => void response.writeHead(broken ? 503 : 200).end()
  await begin('r1')
  await receiver.until(1)
  await probe('r1', 2)
  const [first] = await vi.waitFor(async () => {
    const found = (await log(webhook)).filter(({ attempts }) => attempts === 1)
    expect(found).toHaveLength(1)
    return found
  })
  expect(first).toMatchObject({ state: 'waiting', status: 503, error: 'the receiver answered 503' })
  expect(Date.parse(first!.nextAt!) - server.clock.now()).toBe(5_000)
  expect((await server.call('GET', '/api/v1/webhooks')).body.webhooks).toMatchObject([{ state: 'failing' }])
  server.clock.advance(4_999)
  expect(receiver.received).toHaveLength(1)
  broken = false
  server.clock.advance(1)
  await receiver.until(4)
  expect(receiver.received.map(({ body }) => body.data.decision.number)).toEqual([1, 1, 2, 3])
  const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
  expect(ids[0]).toBe(ids[1])
  expect(new Set(ids).size).toBe(3)
  await settled(webhook, 'delivered', 3)
  expect((await server.call('GET', '/api/v1/webhooks')).body.webhooks).toMatchObject([
    { state: 'active', failingSince: null },
  ])
})

test('what is owed survives a restart, and so does what was refused', async () => {
  const { webhook } = await create()
  await receiver.close()
  await begin('r1')
  await vi.waitFor(async () => expect((await log(webhook))[0]).toMatchObject({ attempts: 1, status: null }))
  await server.restart()
  receiver = await startReceiver(receiver.port)
  closing.push(() => receiver.close())
  server.clock.advance(5_000)
  await receiver.until(1)
  expect(events()).toEqual(['r1 decision'])
})

test('a receiver that is silent holds up neither another nor a batch', async () => {
  const slow = await startReceiver()
  closing.push(() => slow.close())
  slow.answer = () => {}
  const { webhook } = await create({ url: slow.url })
  await create()
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) expect((await begin(id)).status).toBe(201)
  await receiver.until(6)
  // As many at once as there may be, each of another run.
  await slow.until(4)
  expect(slow.received).toHaveLength(4)
  expect((await server.call('GET', '/api/v1/runs')).body.total).toBe(6)
  server.clock.advance(answerMilliseconds)
  const waiting = await vi.waitFor(async () => {
    const tried = (await log(webhook)).filter(({ attempts }) => attempts === 1)
    expect(tried).toHaveLength(4)
    return tried
  })
  expect(waiting[0]!.error).toBe('the receiver did not answer within 10 seconds')
})

test('a thousand events come, each once, and no more than that wait', async () => {
  const { webhook } = await create()
  await begin('r1')
  await receiver.until(1)
  await probe('r1', 999)
  await receiver.until(1_000)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1_000)
  const numbers = receiver.received.map(({ body }) => body.data.decision.number)
  expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1))
  receiver.answer = (response) => void response.writeHead(500).end()
  await probe('r1', 1_000)
  await probe('r1', 100)
  const left = await log(webhook, '?limit=500')
  expect(left).toHaveLength(500)
  const all = await server.storage.webhooks.deliveries(webhook.id, {
    before: Number.MAX_SAFE_INTEGER,
    limit: 9_999,
  })
  expect(all.filter(({ state }) => state === 'waiting')).toHaveLength(limits.webhookWaitingMax)
  expect(all.length).toBeLessThanOrEqual(limits.webhookWaitingMax + limits.webhookLogMax)
}, 60_000)

test('a redirect is not followed, and a great answer is not read', async () => {
  const { webhook } = await create()
  receiver.answer = (response) => void response.writeHead(302, { location: '/elsewhere' }).end()
  const moved = (await server.call('POST', `/api/v1/webhooks/${webhook.id}/test`)).body
  expect(moved).toMatchObject({
    taken: false,
    status: 302,
    error: 'the receiver answered 302, and redirects are not followed',
  })
  expect(receiver.received.map(({ path }) => path)).toEqual(['/hook'])
  receiver.answer = (response) => {
    response.writeHead(200)
    const fill = () => {
      while (response.write('x'.repeat(65_536))) if (response.destroyed) return
      response.once('drain', fill)
    }
    fill()
  }
  const test = await server.call('POST', `/api/v1/webhooks/${webhook.id}/test`)
  expect(test.body).toMatchObject({ taken: true, status: 200 })
})

test('a name is resolved once, its address is checked, and the connection goes there', async () => {
  const url = `http://hooks.example:${receiver.port}/hook`
  const { webhook } = await create({ url, events: ['stale'] })
  const tried = async () => (await server.call('POST', `/api/v1/webhooks/${webhook.id}/test`)).body
  expect(await tried()).toMatchObject({
    taken: false,
    status: null,
    error: expect.stringMatching(/^hooks\.example is 192\.168\.7\.7, which is an address of a private/),
  })
  // Allowed when it is checked, and another one had it been asked once more.
  names = ['127.0.0.1', '192.168.7.7']
  expect(await tried()).toMatchObject({ taken: true })
  expect(names).toEqual(['192.168.7.7'])
  expect(receiver.received[0]!.headers.host).toBe(`hooks.example:${receiver.port}`)
  expect(receiver.received[0]!.body).toEqual({ type: 'test', timestamp: expect.any(String), data: {} })
})

test('what may not be reached, and the server itself, is refused when it is made', async () => {
  const refused = async (url: string) => {
    const { status, body } = await server.call('POST', '/api/v1/webhooks', { url, events: ['stale'] })
    expect([status, body.errors[0].pointer]).toEqual([422, '/url'])
    return body.detail
  }
  expect(await refused('http://192.168.0.1/')).toContain('TWOSTEP_WEBHOOK_ALLOW can allow it')
  expect(await refused(`${server.url}/api/v1/runs`)).toContain('this server itself')
  expect(await refused('gopher://example.org')).toContain('must be an address such as')
  const wrong = await server.call('POST', '/api/v1/webhooks', { url: receiver.url, events: ['all'] })
  expect(wrong.body.detail).toMatch(/^\/events\/0 must be one of "decision", .*, got "all"$/)
})

test('a receiver that fails for days is switched off and told of, and a test that is taken brings it back', async () => {
  const { webhook } = await create()
  receiver.answer = (response) => void response.writeHead(500).end()
  await begin('r1')
  await receiver.until(1)
  await vi.waitFor(async () => expect((await log(webhook))[0]!.attempts).toBe(1))
  server.clock.advance(Math.max(failingMillisecondsMax, ageMillisecondsMax))
  await settled(webhook, 'failed')
  const list = async () => (await server.call('GET', '/api/v1/webhooks')).body.webhooks
  await vi.waitFor(async () => expect(await list()).toMatchObject([{ state: 'disabled' }]))
  const { notices } = (await server.call('GET', '/healthz')).body
  expect(notices[0]).toMatchObject({
    kind: 'webhook',
    detail: expect.stringMatching(/^the webhook to 127\.0\.0\.1:\d+ \(.*\) was switched off/),
  })
  const before = (await log(webhook)).length
  await begin('r2')
  expect(await log(webhook)).toHaveLength(before)
  receiver.answer = (response) => void response.writeHead(200).end()
  await server.call('POST', `/api/v1/webhooks/${webhook.id}/test`)
  expect(await list()).toMatchObject([{ state: 'active', failingSince: null, disabledAt: null }])
  await begin('r3')
  expect((await settled(webhook, 'delivered'))[0]).toMatchObject({ runId: 'r3' })
})

test('one that answers 410 is switched off at once', async () => {
  await create()
  receiver.answer = (response) => void response.writeHead(410).end()
  await begin('r1')
  await vi.waitFor(async () =>
    expect((await server.call('GET', '/api/v1/webhooks')).body.webhooks).toMatchObject([
      { state: 'disabled' },
    ]),
  )
})

test('a delivery that was given up is sent again on a word, under the same id', async () => {
  const { webhook } = await create()
  await begin('r1')
  const [done] = await settled(webhook, 'delivered')
  const path = `/api/v1/webhooks/${webhook.id}/deliveries`
  expect((await server.call('POST', `${path}/${done!.number}/redeliver`)).body).toMatchObject({
    state: 'waiting',
    attempts: 0,
  })
  const [first, again] = await receiver.until(2)
  expect(again!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
  expect(again!.text).toBe(first!.text)
  expect((await server.call('POST', `${path}/999/redeliver`)).body.code).toBe('delivery-not-found')
  expect((await server.call('POST', `${path}/x/redeliver`)).body.code).toBe('delivery-not-found')
})

test('the log comes in pages; a webhook that is deleted is gone with it', async () => {
  const { webhook } = await create()
  await begin('r1')
  await probe('r1', 4)
  await settled(webhook, 'delivered', 5)
  const page = (query: string) =>
    server.call('GET', `/api/v1/webhooks/${webhook.id}/deliveries?limit=3${query}`)
  const { body: first } = await page('')
  const { body: second } = await page(`&before=${first.next}`)
  expect([first.deliveries.length, second.deliveries.length, second.next]).toEqual([3, 2, null])
  expect((await server.call('DELETE', `/api/v1/webhooks/${webhook.id}`)).status).toBe(204)
  expect((await page('')).body.code).toBe('webhook-not-found')
  expect((await server.call('DELETE', `/api/v1/webhooks/${webhook.id}`)).status).toBe(404)
  for (let i = 0; i < limits.webhooksMax; i++) await create()
  const full = await server.call('POST', '/api/v1/webhooks', { url: receiver.url, events: ['stale'] })
  expect(full.body.code).toBe('too-many-webhooks')
})

test('they are for an admin, and what is done to them is in the audit, without the secret', async () => {
  const closed = await startClosedServer()
  closing.push(() => closed.close())
  const { secret } = await closed.make(['read', 'write', 'control'], { project: 'p' })
  const body = { url: 'https://example.org/secret/path', events: ['stale'] }
  for (const [method, given] of [['GET'], ['POST', body]] as const)
    expect((await closed.callWith(secret, method, '/api/v1/webhooks', given)).body.code).toBe('scope-missing')
  const made = await closed.call('POST', '/api/v1/webhooks', body)
  await closed.call('DELETE', `/api/v1/webhooks/${made.body.webhook.id}`)
  const { entries } = (await closed.call('GET', '/api/v1/audit?limit=2')).body
  expect(entries).toMatchObject([
    { operation: 'deleteWebhook', detail: `webhook to example.org (${made.body.webhook.id})`, status: 204 },
    { operation: 'createWebhook', detail: 'webhook to example.org: stale', status: 201 },
  ])
  expect(JSON.stringify(entries)).not.toMatch(/whsec_|secret\/path/)
})

test('deliveries are counted by what came of them', async () => {
  const { webhook } = await create()
  await begin('r1')
  await settled(webhook, 'delivered')
  const { body } = await server.call('GET', '/metrics')
  expect(body).toContain('twostep_webhook_deliveries_total{outcome="delivered"} 1')
})

test('a test that the end of the server breaks off says nothing of the receiver', async () => {
  const { webhook } = await create()
  receiver.answer = () => {}
  const tested = server.call('POST', `/api/v1/webhooks/${webhook.id}/test`)
  const cutOff = expect(tested).rejects.toThrow()
  await receiver.until(1)
  const restarted = server.restart()
  await new Promise(setImmediate)
  server.clock.advance(patienceMilliseconds)
  await cutOff
  await restarted
  expect((await server.call('GET', '/api/v1/webhooks')).body.webhooks).toMatchObject([{ state: 'active' }])
})
