import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  decisionListSchema,
  runListSchema,
  runSummarySchema,
  telemetryAnswerSchema,
} from '../../protocol/schemas.ts'
import { replayRun, replaySentence } from '../cli/replay.ts'
import { createFakeTuner } from '../testing/fakeTuner.ts'
import { writeOldDatabase } from '../testing/oldDatabase.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { realTuner } from './realTuner.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
})
afterEach(() => server.close())

const post = (sequence: number, more: Record<string, unknown> = {}, run = 'r1') =>
  server.call('POST', `/api/v1/runs/${run}/telemetry`, { clientId: 'c', sequence, ...more })
const read = async (path: string) => (await server.call('GET', `/api/v1/runs/r1${path}`)).body

test('a restart in the middle gives what an uninterrupted run gives', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'r2' })
  for (let i = 0; i < 30; i++) {
    const more = { steps: sampleBatch(70 * i, 70), probes: [emptyLineProbe(70 * i + 35)] }
    await post(i + 1, more)
    await post(i + 1, more, 'r2')
    // r1 and r2 take turns of a restart, at different places between two snapshots.
    if (i % 7 === 3) await server.restart()
  }
  const [one, two] = await Promise.all(
    ['r1', 'r2'].map((id) => server.call('GET', `/api/v1/runs/${id}/series?points=50`)),
  )
  expect(one?.body.signals).toEqual(two?.body.signals)
  expect(one?.body.stored).toBe(2_100)
  expect(await replayRun(server.storage, createFakeTuner(), 'r1')).toEqual({
    runId: 'r1',
    observations: 91,
    decisions: 31,
    identical: true,
    difference: null,
    tunerVersion: { stored: 'fake-1', replayed: 'fake-1', refoldedFrom: null },
    needsRefold: false,
  })
})

test('a repeat after a restart is still a repeat', async () => {
  const first = await post(1, { steps: sampleBatch(0, 10) })
  await server.restart()
  expect((await post(1, { steps: sampleBatch(0, 10) })).body).toEqual({ ...first.body, duplicate: true })
  expect((await post(3)).body.code).toBe('sequence-gap')
})

test('another version of the tuner refolds the log and takes its own decisions', async () => {
  await post(1, { steps: sampleBatch(0, 40), probes: [emptyLineProbe(20), emptyLineProbe(40)] })
  const before = await read('/decisions')
  await server.restart({ tuner: createFakeTuner('fake-2', 2) })
  await post(2, { steps: sampleBatch(40, 10), probes: [emptyLineProbe(50)] })
  const after = await read('/decisions')
  expect(after.decisions).toHaveLength(4)
  expect(after.decisions[1].summary).toContain('Holding 0.2')
  expect(before.decisions[1].summary).toContain('Holding 0.1')
  expect((await read('/series?signals=lossSmoothed')).stored).toBe(50)
  const replay = await replayRun(server.storage, createFakeTuner('fake-2', 2), 'r1')
  expect(replay.identical).toBe(true)
  expect(replaySentence(replay)).toBe(
    '4 decisions, identical (from 7 observations)\nstored by tuner fake-2, after a refold from tuner fake-1, replayed by tuner fake-2',
  )
  const other = await replayRun(server.storage, createFakeTuner('fake-1', 1), 'r1')
  expect(other).toMatchObject({
    identical: false,
    difference: { number: 1 },
    tunerVersion: { stored: 'fake-2', replayed: 'fake-1' },
    needsRefold: true,
  })
  expect(replaySentence(other)).toContain(
    'stored by tuner fake-2, replayed by tuner fake-1: the run needs a refold',
  )
})

test('reading alone refolds a run of another version, so that no old record is ever shown', async () => {
  await post(1, { steps: sampleBatch(0, 40), probes: [emptyLineProbe(20)] })
  await server.restart({ tuner: createFakeTuner('fake-2', 2) })
  expect((await read('/decisions/2')).summary).toContain('Holding 0.2')
  await server.restart({ tuner: createFakeTuner('fake-3', 3) })
  expect((await read('')).learningRate).toBeCloseTo(0.3, 12)
  expect((await read('/decisions')).decisions[1].summary).toContain('Holding 0.3')
  expect((await server.storage.run('r1'))?.refoldedFrom).toBe('fake-2')
})

test('a database of version 0.1.0 is listed at once, refolded when it is read, and goes on', async () => {
  await server.close()
  server = await startTestServer({ prepare: writeOldDatabase })
  const listed = runListSchema.parse((await server.call('GET', '/api/v1/runs')).body)
  expect(listed.runs).toMatchObject([
    {
      id: 'old',
      headline: 'As 0.1.0 said it.',
      drift: null,
      options: { capabilities: ['checkpoint'], optimizer: { family: 'adam' } },
    },
  ])
  const path = '/api/v1/runs/old'
  const batch = { clientId: 'c', sequence: 1, steps: { step: [0, 1, 2], loss: [3, 'NaN', 2] } }
  // 0.1.0 did not keep what was sent as which sequence, so it is taken for the same batch.
  const repeat = await server.call('POST', `${path}/telemetry`, batch)
  expect(telemetryAnswerSchema.parse(repeat.body)).toMatchObject({ duplicate: true, accepted: 3 })
  const list = decisionListSchema.parse((await server.call('GET', `${path}/decisions`)).body)
  expect(list.decisions.map(({ kind }) => kind)).toEqual(['start', 'hold'])
  const run = runSummarySchema.parse((await server.call('GET', path)).body)
  expect(run.options.optimizer).toEqual({ name: 'AdamW', family: 'adam', momentum: null, weightDecay: null })
  const next = await server.call('POST', `${path}/telemetry`, { clientId: 'c', sequence: 2 })
  expect(next.body).toMatchObject({ duplicate: false, nextSequence: 3 })
})

test('a full disk answers 507, loses nothing accepted, and the same batch is taken once there is room', async () => {
  await server.restart({ pagesMax: 90 })
  let sequence = 1
  let answer = await post(sequence, { steps: sampleBatch(0, 500) })
  while (answer.status === 200) {
    sequence++
    answer = await post(sequence, { steps: sampleBatch(500 * (sequence - 1), 500) })
  }
  expect(answer.body).toMatchObject({ status: 507, code: 'disk-full' })
  expect(answer.headers.get('retry-after')).toBe('30')
  expect((await server.call('GET', '/healthz')).status).toBe(200)
  expect((await read('')).step).toBe(500 * (sequence - 1))
  expect((await read('/series?signals=loss')).stored).toBe(500 * (sequence - 1))
  await server.restart({ pagesMax: 10_000 })
  const again = await post(sequence, { steps: sampleBatch(500 * (sequence - 1), 500) })
  expect(again.body).toMatchObject({ accepted: 500, duplicate: false })
  expect((await read('/series?signals=loss')).stored).toBe(500 * sequence)
})

test('more runs than have room in memory all go on, and those used least recently are let go', async () => {
  await server.close()
  server = await startTestServer({ activeBytesMax: 1024 * 1024 })
  const ids = Array.from({ length: 20 }, (_, i) => `many-${i}`)
  for (const runId of ids) await server.call('POST', '/api/v1/runs', { runId })
  for (const sequence of [1, 2])
    for (const id of ids) {
      const answer = await post(sequence, { steps: sampleBatch(10 * (sequence - 1), 10) }, id)
      expect(answer.body).toMatchObject({ accepted: 10 })
      expect(server.app.runs.activeCount).toBeLessThan(8)
    }
  expect(server.app.runs.activeCount).toBeGreaterThan(4)
  expect((await server.call('GET', '/api/v1/runs/many-0')).body.step).toBe(20)
})

test('a run whose series fill the memory alone is kept, and goes on', async () => {
  await server.close()
  server = await startTestServer({ activeBytesMax: 1 })
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  for (const sequence of [1, 2])
    expect((await post(sequence, { steps: sampleBatch(10 * (sequence - 1), 10) })).body).toMatchObject({
      accepted: 10,
    })
  expect(server.app.runs.activeCount).toBe(1)
})

test('a silent run is stale, never failed, and comes back by itself', async () => {
  for (let i = 0; i < 30; i++) {
    await post(i + 1, { steps: sampleBatch(i, 1) })
    server.clock.advance(10_000)
  }
  const { lastSeenAt } = await read('')
  // Its usual pause is 10 s, so 60 s are no sign yet; 20 pauses are.
  server.clock.advance(140_000)
  expect((await read('')).state).toBe('running')
  server.clock.advance(60_000)
  expect(await read('')).toMatchObject({ state: 'stale', lastSeenAt })
  await post(31, { steps: sampleBatch(30, 1) })
  expect((await read('')).state).toBe('running')
})

test('a run falls silent, and is timed, as ever while the clock is set back', async () => {
  await post(1, { steps: sampleBatch(0, 10) })
  server.clock.set(server.clock.now() - 3_600_000)
  for (let i = 1; i <= 30; i++) {
    server.clock.advance(1_000)
    await post(i + 1, { steps: sampleBatch(10 * i, 10) })
  }
  expect((await read('')).stepsPerSecond).toBeGreaterThan(9)
  expect((await read('')).stepsPerSecond).toBeLessThan(12)
  server.clock.advance(50_000)
  expect((await read('')).state).toBe('running')
  server.clock.advance(30_000)
  expect((await read('')).state).toBe('stale')
})

test('batches of one run are applied in order even when they arrive together', async () => {
  const answers = await Promise.all(
    [1, 2, 3, 4].map((i) => server.app.runs.telemetry('r1', { clientId: 'c', sequence: i })),
  )
  expect(answers.map(({ nextSequence }) => nextSequence)).toEqual([2, 3, 4, 5])
})

test('the real tuner is folded, stored and replayed', async () => {
  await server.restart({ tuner: realTuner })
  await server.call('POST', '/api/v1/runs', {
    runId: 'real',
    budgetSteps: 2_000,
    optimizer: { name: 'sgd', momentum: 0.9 },
    learningRate: { initial: 0.1, min: null, max: null },
  })
  for (let i = 0; i < 20; i++) await post(i + 1, { steps: sampleBatch(100 * i, 100) }, 'real')
  const run = await server.call('GET', '/api/v1/runs/real')
  expect(run.body.headline.length).toBeGreaterThan(10)
  const { body } = await server.call('GET', '/api/v1/runs/real/decisions')
  expect(body.decisions).toHaveLength(run.body.decisionCount)
  const replay = await replayRun(server.storage, realTuner, 'real')
  expect(replay).toMatchObject({ identical: true, observations: 21 })
  expect(replay.decisions).toBeGreaterThan(0)
})
