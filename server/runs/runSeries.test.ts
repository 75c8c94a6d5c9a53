import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import type { SeriesReads, Storage } from '../storage/storage.ts'
import { runRecord } from '../testing/runRecord.ts'
import { encodeObservation } from './observationCodec.ts'
import type { Points } from './points.ts'
import { readSeries, seriesOf } from './readSeries.ts'
import { RowCache } from './rowCache.ts'
import { RunSeries, type SeriesQuery, seriesEntriesMax } from './runSeries.ts'

let folder: string
let storage: Storage
let number = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-series-'))
  storage = openSqliteStorage({ file: join(folder, 'twostep.db') })
  number = 0
})
afterEach(async () => {
  await storage.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Adds samples as the server does: the log first, the buckets when `save` says so. */
async function append(series: RunSeries, step: number[], loss: (number | null)[], save = true) {
  const run = runRecord('a', { observationCount: number })
  if (number === 0) await storage.createRun({ run, observations: [], decisions: [] })
  const points: Points = { steps: step, values: new Map([['loss', loss]]) }
  await series.add([points])
  const observation = encodeObservation(
    { kind: 'samples', columns: { step, loss } },
    { number: ++number, receivedAt: 0 },
  )
  const chunks = save ? { chunks: series.dirtyChunks() } : {}
  const longer = { ...run, observationCount: number }
  await storage.append({ run: longer, observations: [observation], decisions: [], ...chunks })
  if (save) series.markSaved()
}

/** Without cutting it into pieces. */
async function read(series: RunSeries, query: SeriesQuery, from: SeriesReads = storage) {
  const pause = () => Promise.resolve()
  const tools = { pause, cache: new RowCache(), life: 'a', keepsReadings: true }
  return seriesOf(await readSeries(series.moment(query), from, tools), pause)
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
const all = { from: 0, to: 1e12 }

test('a run without samples has empty series', async () => {
  const series = new RunSeries(storage, 'a')
  expect(await read(series, { ...all, points: 100 })).toMatchObject({ stored: 0, shown: 0, signals: {} })
  const asked = await read(series, { ...all, points: 100, signals: ['loss'] })
  expect(asked.signals.loss?.step).toEqual([])
})

test('a short run is shown sample by sample', async () => {
  const series = new RunSeries(storage, 'a')
  await append(series, range(0, 100), range(0, 100))
  const { signals, stored, shown } = await read(series, { ...all, points: 100 })
  expect([stored, shown]).toEqual([100, 100])
  expect(signals.loss?.last).toEqual(range(0, 100))
})

test('a spike in 300,000 steps is seen at 300 points, from a bounded number of rows', async () => {
  const series = new RunSeries(storage, 'a')
  for (let from = 0; from < 300_000; from += 10_000) {
    const loss: number[] = range(from, 10_000).map(() => 1)
    if (from === 120_000) loss[3_456] = 99
    await append(series, range(from, 10_000), loss)
  }
  let bytes = 0
  const reading: Storage = {
    ...storage,
    chunkRange: async (runId, asked) => {
      const chunks = await storage.chunkRange(runId, asked)
      for (const { body } of chunks) bytes += body.length
      return chunks
    },
    row: () => Promise.reject(new Error('the log must not be read for this')),
  }
  const { signals, stored, shown } = await read(
    new RunSeries(storage, 'a', series.head()),
    { ...all, points: 300 },
    reading,
  )
  expect(stored).toBe(300_000)
  expect(shown).toBeLessThanOrEqual(300)
  expect(signals.loss?.max.filter((value) => value === 99)).toHaveLength(1)
  expect(signals.loss?.count.reduce((sum, count) => sum + count, 0)).toBe(300_000)
  expect(bytes / 56).toBeLessThan(20 * 300)
})

test('zoomed in, single samples are shown again', async () => {
  const series = new RunSeries(storage, 'a')
  for (let from = 0; from < 50_000; from += 10_000)
    await append(series, range(from, 10_000), range(from, 10_000))
  const { signals } = await read(series, { from: 20_010, to: 20_059, points: 50 })
  expect(signals.loss?.step).toEqual(range(20_010, 50))
})

test('what was not saved yet, and what was saved and let go, count alike', async () => {
  const series = new RunSeries(storage, 'a')
  await append(series, range(0, 5_000), range(0, 5_000))
  await append(series, range(5_000, 5_000), range(5_000, 5_000), false)
  // Old steps again, as after a restore: their chunk comes back from the storage.
  await append(series, range(100, 50), range(9_000, 50), false)
  const { signals } = await read(series, { ...all, points: 100 })
  expect(signals.loss?.count.reduce((sum, count) => sum + count, 0)).toBe(10_050)
  expect(signals.loss?.max[1]).toBe(9_049)
})

test('unknown and non-finite samples are told apart', async () => {
  const series = new RunSeries(storage, 'a')
  await append(series, [0, 1, 2, 3], [null, Number.NaN, 2, Number.POSITIVE_INFINITY])
  const { signals } = await read(series, { ...all, points: 50 })
  expect(signals.loss).toMatchObject({
    step: [1, 2, 3],
    min: [null, 2, null],
    nonFinite: [1, 0, 1],
    count: [0, 1, 0],
  })
})

test('many signals share the entries of one answer', async () => {
  const series = new RunSeries(storage, 'a')
  const steps = range(0, 10_000)
  const values = new Map(range(0, 100).map((i) => [`metrics.m${i}`, steps]))
  await storage.createRun({ run: runRecord('a', { observationCount: 0 }), observations: [], decisions: [] })
  await series.add([{ steps, values }])
  const { signals } = await read(series, { ...all, points: 1_000 })
  const entries = Object.values(signals).reduce((sum, { step }) => sum + step.length, 0)
  expect(entries).toBeLessThanOrEqual(seriesEntriesMax)
  expect(signals['metrics.m99']?.count.length).toBeGreaterThan(0)
})

test('steps spread over too wide a range are refused before anything changes', async () => {
  const series = new RunSeries(storage, 'a')
  const steps = range(0, 10_000).map((i) => i * 50_000_000)
  const values = new Map(['loss', 'momentum'].map((name) => [name, steps]))
  await expect(series.add([{ steps, values }])).rejects.toMatchObject({ code: 'invalid-request' })
  expect(series.has('loss')).toBe(false)
})
