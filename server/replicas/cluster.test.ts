// Servers that share a PostgreSQL, as processes: what one of them would have done, they do together, also when one is killed.

import { existsSync } from 'node:fs'
import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Decision, Series } from '../../protocol/vocabulary.ts'
import { replayRun } from '../cli/replay.ts'
import { realTuner } from '../runs/realTuner.ts'
import { openPostgresStorage } from '../storage/postgres/postgresStorage.ts'
import { type ClusterServer, callServer, serverEntry, startClusterServer } from '../testing/cluster.ts'
import { dropDatabase, hasPostgres, newDatabase, sql } from '../testing/postgresDatabase.ts'
import { startReceiver } from '../testing/receiver.ts'
import { emptyLineProbe, sampleBatch, startTestServer } from '../testing/testServer.ts'

const batch = (sequence: number) => ({
  clientId: 'c',
  sequence,
  steps: sampleBatch(50 * (sequence - 1), 50),
  probes: [emptyLineProbe(50 * sequence)],
})
const runPath = '/api/v1/runs/r'
const patience = { timeout: 10_000, interval: 50 }

/** Of all tests: one that fails leaves no process behind. */
const started: ClusterServer[] = []
const start = async (...given: Parameters<typeof startClusterServer>): Promise<ClusterServer> => {
  const server = await startClusterServer(...given)
  started.push(server)
  return server
}
afterEach(() => Promise.all(started.splice(0).map((server) => server.end())))

describe.skipIf(!hasPostgres || !existsSync(serverEntry))(
  'two servers on one PostgreSQL',
  { timeout: 60_000 },
  () => {
    let url: string
    let servers: ClusterServer[]
    beforeEach(async () => {
      url = await newDatabase()
      servers = []
      for (let i = 0; i < 2; i++) servers.push(await start(url))
    })
    afterEach(async () => {
      await Promise.all(servers.map((server) => server.end()))
      await dropDatabase(url)
    })
    const create = () => callServer(servers[0]!, 'POST', '/api/v1/runs', { runId: 'r', budgetSteps: 100_000 })
    const post = (at: number, sequence: number) =>
      callServer(servers[at % servers.length]!, 'POST', `${runPath}/telemetry`, batch(sequence))
    /** Each is a decision. */
    const override = async (server: ClusterServer, learningRate: number) => {
      const wish = { learningRate, untilStep: 90_000, reason: 'a try' }
      expect((await callServer(server, 'POST', `${runPath}/overrides`, wish)).status).toBe(201)
    }
    /** As the job's client does: until it is taken, at whichever server answers. */
    const postUntilTaken = (at: number, sequence: number) => {
      let attempt = 0
      return vi.waitFor(
        async () => {
          const { status, body } = await post(at + attempt++, sequence)
          expect(status, JSON.stringify(body)).toBe(200)
          return body
        },
        { ...patience, interval: 20 },
      )
    }
    const stored = async () => {
      const storage = await openPostgresStorage({ url })
      try {
        const count = (await storage.run('r'))!.observationCount
        const [batches] = await sql<{ count: number; taken: number }>(
          url,
          'SELECT count(*)::integer AS count, sum(last - after)::integer AS taken FROM batches',
        )
        return { ...batches!, observations: count, replay: await replayRun(storage, realTuner, 'r') }
      } finally {
        await storage.close()
      }
    }
    /** The server that has the run in memory, and the other one. */
    const ownerFirst = async (): Promise<[ClusterServer, ClusterServer]> => {
      const folded = await Promise.all(
        servers.map(async (server) => {
          const metrics = await (await fetch(`${server.url}/metrics`)).text()
          return Number(/^twostep_observations_folded_total (\d+)/m.exec(metrics)?.[1] ?? 0)
        }),
      )
      return folded[0]! >= folded[1]! ? [servers[0]!, servers[1]!] : [servers[1]!, servers[0]!]
    }

    test('a job that alternates between them gets the decisions of one server', async () => {
      await create()
      const alone = await startTestServer({ tuner: realTuner })
      await alone.call('POST', '/api/v1/runs', { runId: 'r', budgetSteps: 100_000 })
      for (let sequence = 1; sequence <= 40; sequence++) {
        expect((await post(sequence, sequence)).body).toMatchObject({ accepted: 50, duplicate: false })
        await alone.call('POST', `${runPath}/telemetry`, batch(sequence))
      }
      expect((await post(1, 40)).body).toMatchObject({ duplicate: true, nextSequence: 41 })
      expect((await post(0, 42)).body).toMatchObject({ code: 'sequence-gap', expectedSequence: 41 })
      // But for when they were made.
      const timeless = (body: unknown) => JSON.stringify(body).replaceAll(/"madeAt":"[^"]*"/g, '')
      for (const server of servers)
        for (const path of ['/decisions', '/series?points=100', '/series?from=100&to=140&points=500']) {
          const expected = (await alone.call('GET', runPath + path)).body
          expect(timeless((await callServer(server, 'GET', runPath + path)).body), path).toBe(
            timeless(expected),
          )
        }
      expect(await stored()).toMatchObject({
        count: 40,
        taken: 80,
        observations: 81,
        replay: { identical: true },
      })
      await alone.close()
    })

    test('what a person does at one is heeded by the job at the other', async () => {
      await create()
      for (let sequence = 1; sequence <= 4; sequence++) {
        await post(0, sequence)
        const at = servers[sequence % 2]!
        await override(at, sequence / 1_000)
        const renamed = await callServer(servers[(sequence + 1) % 2]!, 'PATCH', runPath, {
          name: `name ${sequence}`,
        })
        expect(renamed.body.options.name).toBe(`name ${sequence}`)
      }
      const { body } = await post(1, 5)
      expect(body.plan.segments[0]).toMatchObject({ from: 0.004, to: 0.004 })
      const told = await Promise.all(servers.map((server) => callServer(server, 'GET', runPath)))
      expect(told[0]!.body).toEqual(told[1]!.body)
      expect(told[0]!.body.options.name).toBe('name 4')
    })

    test('one that is killed is replaced at once, and nothing is lost, doubled or decided otherwise', async () => {
      await create()
      let sequence = 0
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 6; i++) await postUntilTaken(i, ++sequence)
        const [owner, other] = await ownerFirst()
        // With a batch on its way to it.
        const onItsWay = postUntilTaken(servers.indexOf(other), ++sequence)
        await owner.end()
        expect(await onItsWay).toMatchObject({ nextSequence: sequence + 1 })
        servers = [other, await start(url)]
      }
      expect(await stored()).toMatchObject({
        count: sequence,
        observations: 2 * sequence + 1,
        replay: { identical: true },
      })
    })

    test('one that is halted is passed over, and does no harm when it goes on', async () => {
      await create()
      for (let sequence = 1; sequence <= 6; sequence++) await post(sequence, sequence)
      const [owner, other] = await ownerFirst()
      servers = [other]
      owner.process.kill('SIGSTOP')
      expect((await post(0, 7)).body).toMatchObject({ duplicate: false, nextSequence: 8 })
      for (let sequence = 8; sequence <= 12; sequence++) expect((await post(0, sequence)).status).toBe(200)
      owner.process.kill('SIGCONT')
      servers = [other, owner]
      for (let sequence = 13; sequence <= 20; sequence++) await postUntilTaken(sequence, sequence)
      expect(await stored()).toMatchObject({ count: 20, observations: 41, replay: { identical: true } })
    })

    const subscribed = async (
      server: ClusterServer,
      { token, ...from }: { afterDecision: number; afterStep: number; token?: string } = {
        afterDecision: 0,
        afterStep: 0,
      },
    ) => {
      const socket: Socket = io(`${server.url}/live`, {
        transports: ['websocket'],
        forceNew: true,
        ...(token === undefined ? {} : { auth: { token } }),
      })
      const decisions: number[] = []
      const steps = new Set<number>()
      socket.on('decision', ({ decision }: { decision: Decision }) => decisions.push(decision.number))
      // The last steps may come as buckets of several.
      const note = ({ toStep }: Series) => steps.add(toStep)
      socket.on('samples', ({ series }) => note(series))
      const removed = new Promise((resolve) => socket.on('removed', resolve))
      const answer = await socket.emitWithAck('subscribe', { runId: 'r', ...from, points: 500 })
      expect(answer.ok).toBe(true)
      for (const { number } of answer.decisions) decisions.push(number)
      note(answer.series)
      return { socket, decisions, steps, removed }
    }

    test('a run that another server moves to another project is gone at once for a page that may not see that one', async () => {
      await callServer(servers[0]!, 'POST', '/api/v1/runs', {
        runId: 'r',
        project: 'p',
        budgetSteps: 100_000,
      })
      await post(0, 1)
      const [owner, other] = await ownerFirst()
      const wish = { name: 'reader', scopes: ['read'], project: 'p' }
      const { secret } = (await callServer(other, 'POST', '/api/v1/tokens', wish)).body
      const page = await subscribed(other, { afterDecision: 0, afterStep: 0, token: secret })
      const told = page.decisions.length
      // With what is written to its log, so that the other server hears of both by reading it.
      const moved = await callServer(owner, 'PATCH', runPath, { project: 'q', budgetSteps: 90_000 })
      expect(moved.status).toBe(200)
      await override(owner, 0.01)
      expect(await page.removed).toEqual({ runId: 'r' })
      expect(page.decisions).toHaveLength(told)
      page.socket.disconnect()
    })

    test('a page at the other server is told of each decision once and in order, also after the first was killed', async () => {
      await create()
      for (let sequence = 1; sequence <= 4; sequence++) await post(sequence, sequence)
      const [owner, other] = await ownerFirst()
      const page = await subscribed(other)
      for (let sequence = 5; sequence <= 10; sequence++) {
        await callServer(owner, 'POST', `${runPath}/telemetry`, batch(sequence))
        await override(owner, sequence / 1_000)
      }
      const decided = async () => (await callServer(other, 'GET', runPath)).body.decisionCount as number
      const told = async () => {
        const count = await decided()
        expect(page.decisions).toEqual(Array.from({ length: count }, (_, i) => i + 1))
      }
      await vi.waitFor(told, patience)
      await owner.end()
      servers = [other]
      for (let sequence = 11; sequence <= 14; sequence++) {
        await postUntilTaken(0, sequence)
        await override(other, sequence / 1_000)
      }
      await vi.waitFor(told, patience)
      expect(await decided()).toBeGreaterThan(9)
      await vi.waitFor(() => expect(Math.max(...page.steps)).toBe(14 * 50 - 1), patience)
      page.socket.disconnect()
    })

    test('a page at one is told that a run was deleted at the other', async () => {
      await create()
      const page = await subscribed(servers[1]!)
      await callServer(servers[0]!, 'DELETE', runPath)
      expect(await page.removed).toEqual({ runId: 'r' })
      expect((await post(1, 1)).body).toMatchObject({ code: 'run-not-found' })
      page.socket.disconnect()
    })
  },
)

describe.skipIf(!hasPostgres || !existsSync(serverEntry))(
  'what one server is told, the others know',
  { timeout: 60_000 },
  () => {
    test('a token that is made at one is taken by the other, and one that is revoked is refused, on open connections too', async () => {
      const url = await newDatabase()
      const first = await start(url, { requireTokens: '1' })
      const second = await start(url, { requireTokens: '1' })
      const admin = first.token!
      expect(second.token).toBeUndefined()
      const made = await callServer(
        first,
        'POST',
        '/api/v1/tokens',
        { name: 'page', scopes: ['read'] },
        admin,
      )
      const { secret, token } = made.body
      const status = async () => (await callServer(second, 'GET', '/api/v1/runs', undefined, secret)).status
      // At once, without waiting for it to be told.
      expect(await status()).toBe(200)
      const socket = io(`${second.url}/live`, { transports: ['websocket'], auth: { token: secret } })
      await new Promise<void>((resolve) => socket.on('connect', resolve))
      const ended = new Promise<string>((resolve) => socket.on('disconnect', resolve))
      expect((await callServer(first, 'DELETE', `/api/v1/tokens/${token.id}`, undefined, admin)).status).toBe(
        204,
      )
      await vi.waitFor(async () => expect(await status()).toBe(401), patience)
      expect(await ended).toBe('io server disconnect')
      socket.disconnect()
      await Promise.all([first.end(), second.end()])
      await dropDatabase(url)
    })

    test('what happens at any of them is told to a webhook under one id, also after one was killed', async () => {
      const url = await newDatabase()
      const receiver = await startReceiver()
      const settings = { webhookAllow: '127.0.0.1' }
      let both = [await start(url, settings), await start(url, settings)]
      const wish = { url: receiver.url, events: ['decision'], project: null, shape: 'generic' }
      const webhookId = (await callServer(both[0]!, 'POST', '/api/v1/webhooks', wish)).body.webhook.id
      let made = 0
      /** A run's first decision is that it begins. */
      const begin = (server: ClusterServer) =>
        callServer(server, 'POST', '/api/v1/runs', { runId: `run-${++made}` })
      // The other one has heard of the webhook when it tells of a run that began there.
      await vi.waitFor(async () => {
        await begin(both[1]!)
        await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), { timeout: 600 })
      }, patience)
      // From here on each knows of the other.
      const first = made
      const told = () =>
        receiver.received.filter(({ body }) => Number(body.data.run.id.split('-')[1]) > first)
      const toldOnce = async (count: number) => {
        await vi.waitFor(() => expect(told().length).toBeGreaterThanOrEqual(count), patience)
        const path = `/api/v1/webhooks/${webhookId}/deliveries`
        await vi.waitFor(async () => {
          const { body } = await callServer(both[0]!, 'GET', path)
          expect(new Set(body.deliveries.map(({ state }: { state: string }) => state))).toEqual(
            new Set(['delivered']),
          )
        }, patience)
        // What was sent and not noted, or by a server that was taken for gone for a moment, comes again, under the same id.
        expect(new Set(told().map(({ headers }) => headers['webhook-id'])).size).toBe(count)
        expect(new Set(told().map(({ body }) => body.data.run.id)).size).toBe(count)
      }
      for (let i = 0; i < 10; i++) await begin(both[i % 2]!)
      await toldOnce(10)
      await both[0]!.end()
      both = [both[1]!]
      for (let i = 0; i < 5; i++) await begin(both[0]!)
      await toldOnce(15)
      await both[0]!.end()
      await receiver.close()
      await dropDatabase(url)
    })

    test('an address between servers is nothing for anybody else', async () => {
      const url = await newDatabase()
      const server = await start(url)
      const answer = await callServer(server, 'POST', '/replica/runs/r/telemetry', batch(1))
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } })
      await server.end()
      await dropDatabase(url)
    })
  },
)
