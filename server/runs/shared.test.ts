// Two servers' runs over one storage, in one process: what one has in memory is behind what the other has written.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CreateRun } from '../../protocol/schemas.ts'
import { createRunSchema, telemetrySchema } from '../../protocol/schemas.ts'
import { replayRun } from '../cli/replay.ts'
import { silentLog } from '../log.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import type { Storage } from '../storage/storage.ts'
import { createFakeClock } from '../testing/fakeClock.ts'
import { createFakeTuner } from '../testing/fakeTuner.ts'
import { emptyLineProbe, sampleBatch } from '../testing/testServer.ts'
import { noListeners } from '../webhooks/webhooks.ts'
import type { RunEvent } from './apply.ts'
import { Runs } from './runs.ts'
import { SeriesReader, wholeRange } from './seriesReader.ts'

let folder: string
let storage: Storage
let one: Runs
let two: Runs
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-shared-'))
  storage = openSqliteStorage({ file: join(folder, 'twostep.db') })
  one = runsOn(storage)
  two = runsOn(storage)
  await one.create(createRunSchema.parse({ runId: 'r', budgetSteps: 100_000 }) as CreateRun, 'job')
})
afterEach(async () => {
  await Promise.all([one.stop(), two.stop()])
  await storage.close()
  rmSync(folder, { recursive: true, force: true })
})

const clock = createFakeClock()
const tuner = createFakeTuner()
function runsOn(on: Storage, more: Partial<ConstructorParameters<typeof Runs>[0]> = {}): Runs {
  return new Runs({
    ...{ storage: on, tuner, clock, log: silentLog, webhooks: noListeners },
    metrics: createMetrics(false),
    newRunId: () => 'made',
    isShared: true,
    ...more,
  })
}
const post = (runs: Runs, sequence: number, first = 50 * (sequence - 1)) =>
  runs.telemetry(
    'r',
    telemetrySchema.parse({
      clientId: 'c',
      sequence,
      steps: sampleBatch(first, 50),
      probes: [emptyLineProbe(first + 50)],
    }),
  )
/** Samples in the chart of a server, of each signal of the job. */
async function charted(runs: Runs): Promise<Record<string, number>> {
  const reader = new SeriesReader({ storage, runs, clock })
  const { series } = await reader.live('r', { ...wholeRange, points: 20 }, () => undefined)
  const names = ['loss', 'learningRate', 'gradientNormSquared']
  const sum = (name: string) => (series.signals[name]?.count ?? []).reduce((all, count) => all + count, 0)
  return Object.fromEntries(names.map((name) => [name, sum(name)]))
}
const each = (count: number) => ({ loss: count, learningRate: count, gradientNormSquared: count })

test('batches may go to either, and are applied once and in order', async () => {
  for (let sequence = 1; sequence <= 30; sequence++) {
    const answer = await post(sequence % 3 === 0 ? one : two, sequence)
    expect(answer).toMatchObject({ accepted: 50, duplicate: false, nextSequence: sequence + 1 })
  }
  expect(await post(one, 30)).toMatchObject({ duplicate: true, nextSequence: 31 })
  await expect(post(one, 33)).rejects.toMatchObject({ code: 'sequence-gap' })
  expect(await charted(one)).toEqual(each(1_500))
  expect(await charted(two)).toEqual(each(1_500))
  expect(await replayRun(storage, tuner, 'r')).toMatchObject({ observations: 61, identical: true })
})

test('batches and commands at the same moment at both come after each other', async () => {
  const command = (learningRate: number) =>
    ({ kind: 'override', learningRate, untilStep: 90_000, reason: '', by: 'a person' }) as const
  for (let sequence = 1; sequence <= 8; sequence++)
    await Promise.all([
      post(one, sequence),
      two.command('r', command(sequence)),
      two.change('r', { name: `name ${sequence}`, reason: '' }, 'a person'),
    ])
  const record = (await storage.run('r'))!
  expect(record).toMatchObject({ observationCount: 1 + 8 * 3, name: 'name 8' })
  expect((await one.summary('r')).options.name).toBe('name 8')
  expect(await replayRun(storage, tuner, 'r')).toMatchObject({ identical: true })
})

test('who watches at one is told what the other wrote: decisions and samples as if it had come here', async () => {
  await post(one, 1)
  await post(two, 2)
  const heard: RunEvent[] = []
  const origins: boolean[] = []
  one.onEvent((event, isOwn) => {
    heard.push(event)
    origins.push(isOwn)
  })
  await one.catchUp('r')
  await one.catchUp('r')
  expect(heard).toMatchObject([{ kind: 'batch', record: { observationCount: 5 } }])
  expect(origins).toEqual([false])
  const [event] = heard
  if (event?.kind !== 'batch') throw new Error('no batch')
  const stored = await storage.decisions('r', { after: 2, limit: 9 })
  expect(event.decisions.map((decision) => JSON.stringify(decision))).toEqual(stored.map(({ body }) => body))
  expect(event.points[0]?.steps).toEqual(sampleBatch(50, 50).step)
  await two.change('r', { name: 'new', reason: '' }, 'a person')
  await one.catchUp('r')
  expect(heard.at(-1)).toMatchObject({ kind: 'changed', record: { name: 'new' } })
})

test('one that is far behind reads the run anew, and says that it has jumped', async () => {
  await post(one, 1)
  for (let sequence = 2; sequence <= 150; sequence++) await post(two, sequence)
  const heard: RunEvent[] = []
  one.onEvent((event) => heard.push(event))
  await one.catchUp('r')
  expect(heard).toMatchObject([{ kind: 'jumped', record: { observationCount: 301 } }])
  expect(await charted(one)).toEqual(each(150 * 50))
})

test('old steps that come again are charted once more and not twice, whoever has saved them meanwhile', async () => {
  // A snapshot, with which the first chunks are let go.
  for (let sequence = 1; sequence <= 40; sequence++) await post(one, sequence)
  // Into those chunks, and another snapshot with what they have now.
  await post(two, 41, 0)
  for (let sequence = 42; sequence <= 80; sequence++) await post(two, sequence)
  expect(await charted(one)).toEqual(each(80 * 50))
  await post(one, 81, 50)
  await post(two, 82, 100)
  expect(await charted(one)).toEqual(each(82 * 50))
  expect(await charted(two)).toEqual(each(82 * 50))
  expect(await charted(runsOn(storage))).toEqual(each(82 * 50))
})

test('a run that was deleted elsewhere, and one that came in its place, is what is stored', async () => {
  await post(one, 1)
  await post(two, 2)
  await two.remove('r', true)
  await expect(post(one, 2)).rejects.toMatchObject({ code: 'run-not-found' })
  await clock.advance(1_000)
  await two.create(createRunSchema.parse({ runId: 'r' }) as CreateRun, 'job')
  expect(await post(one, 1)).toMatchObject({ duplicate: false, nextSequence: 2 })
  expect(await charted(one)).toEqual(each(50))
})

test('batches with nothing in them are known to the other, though the log is as long as before', async () => {
  const empty = (runs: Runs, sequence: number) =>
    runs.telemetry('r', telemetrySchema.parse({ clientId: 'c', sequence }))
  await post(one, 1)
  await post(two, 2)
  for (const sequence of [3, 4]) expect(await empty(one, sequence)).toMatchObject({ duplicate: false })
  // The other one believes in 2.
  expect(await empty(two, 4)).toMatchObject({ duplicate: true, nextSequence: 5 })
  expect(await empty(two, 5)).toMatchObject({ duplicate: false, nextSequence: 6 })
  await expect(post(one, 5)).rejects.toMatchObject({ code: 'sequence-reused' })
  expect(await post(one, 6)).toMatchObject({ duplicate: false, nextSequence: 7 })
  expect(await charted(two)).toEqual(each(150))
})

test('two that begin a run at once begin one', async () => {
  const wish = createRunSchema.parse({ runId: 's', resume: 'allow' }) as CreateRun
  const both = await Promise.all([one.create(wish, 'job'), two.create(wish, 'job')])
  expect(both.map(({ created }) => created).sort()).toEqual([false, true])
  const never = createRunSchema.parse({ runId: 't', resume: 'never' }) as CreateRun
  const made = await Promise.allSettled([one.create(never, 'job'), two.create(never, 'job')])
  expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('an older server leaves a run that a newer one has folded as it is', async () => {
  await post(one, 1)
  const newer = runsOn(storage, { tuner: createFakeTuner('fake-2', 2) })
  const older = runsOn(storage, { mayRefold: () => false })
  await newer.catchUp('r')
  expect(await older.record('r')).toMatchObject({ tunerVersion: 'fake-2' })
  await expect(post(older, 2)).rejects.toMatchObject({ code: 'run-moved' })
  expect(await post(newer, 2)).toMatchObject({ duplicate: false })
  expect((await storage.run('r'))?.tunerVersion).toBe('fake-2')
})
