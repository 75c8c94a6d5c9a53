// Reads series for a chart, in pieces, beside the batches that come in meanwhile: from what stood in memory at one moment, and
// from a view of the storage at the same one. Only the signals that are asked for are decoded.

import { type Series, type SeriesColumns, sampleColumnNames } from '../../protocol/vocabulary.ts'
import { readDerived, readStored } from '../storage/damage.ts'
import type { RowSource, SeriesReads, StoredRow } from '../storage/storage.ts'
import { BucketMap, Buckets, chunkBuckets, levelSizes } from './buckets.ts'
import { storedPoints } from './observationCodec.ts'
import { pointsOfStored } from './points.ts'
import type { KnownValues, RowCache } from './rowCache.ts'
import type { SeriesMoment } from './runSeries.ts'
import type { Pause } from './turns.ts'

const chunksAtOnce = 64
const rowNumbersAtOnce = 1_000

export type ReadTools = {
  readonly pause: Pause
  readonly cache: RowCache
  /** The run and what made its readings, as no other run of that id has them. */
  readonly life: string
  /** Whether rows of readings are kept in the cache, as those of samples are. */
  readonly keepsReadings: boolean
}

type Maps = ReadonlyMap<string, BucketMap>
/** What was read, before it is made columns, which takes as long again. */
export type Read = { readonly moment: SeriesMoment; readonly maps: Maps }

export async function readSeries(moment: SeriesMoment, reads: SeriesReads, tools: ReadTools): Promise<Read> {
  const { names, from, to, level, width } = moment
  const maps = new Map(names.map((name) => [name, new BucketMap(width)]))
  if (from <= to) {
    if (level !== -1) for (const [signal, map] of maps) await readLevel(moment, signal, map, reads, tools)
    else for (const source of sourcesOf(names)) await readRows(moment, source, maps, reads, tools)
  }
  return { moment, maps }
}

async function readLevel(
  { runId, level, from, to, newest }: SeriesMoment,
  signal: string,
  map: BucketMap,
  reads: SeriesReads,
  { pause }: ReadTools,
): Promise<void> {
  const size = levelSizes[level]!
  const last = Math.floor(to / size / chunkBuckets)
  for (let first = Math.floor(from / size / chunkBuckets); first <= last; first += chunksAtOnce) {
    const until = Math.min(last, first + chunksAtOnce - 1)
    const chunks = new Map<number, Buckets>()
    const range = { signal, level, fromChunk: first, toChunk: until }
    for (const { chunk, body } of await reads.chunkRange(runId, range))
      chunks.set(chunk, Buckets.fromBytes(body))
    for (const [chunk, buckets] of newest.get(signal) ?? [])
      if (chunk >= first && chunk <= until) chunks.set(chunk, buckets)
    for (const [chunk, buckets] of [...chunks].sort((a, b) => a[0] - b[0])) {
      for (let i = 0; i < buckets.length; i++) {
        const start = (chunk * chunkBuckets + i) * size
        if (start + size > from && start <= to) map.merge(buckets, i)
      }
    }
    await pause()
  }
}

const columnNames: ReadonlySet<string> = new Set(sampleColumnNames)
const isColumn = (name: string) => columnNames.has(name) || name.startsWith('metrics.')

/** Columns of samples and readings have no name in common. */
const sourcesOf = (names: readonly string[]): RowSource[] => [
  ...(names.some(isColumn) ? (['samples'] as const) : []),
  ...(names.every(isColumn) ? [] : (['readings'] as const)),
]

async function readRows(
  { runId, from, to }: SeriesMoment,
  source: RowSource,
  maps: Maps,
  reads: SeriesReads,
  { pause, cache, life, keepsReadings }: ReadTools,
): Promise<void> {
  const isKept = source === 'samples' || keepsReadings
  const wanted = new Set([...maps.keys()].filter((name) => isColumn(name) === (source === 'samples')))
  const nothing: KnownValues = { steps: [], values: [] }
  for (let after = 0; ; ) {
    const page = { source, fromStep: from, toStep: to, after, limit: rowNumbersAtOnce }
    const numbers = await reads.rowNumbers(runId, page)
    for (const number of numbers) {
      after = number
      const keyOf = (name: string) => `${life}/${source}/${number}/${name}`
      const known = new Map([...wanted].map((name) => [name, isKept ? cache.get(keyOf(name)) : undefined]))
      if ([...known.values()].includes(undefined)) {
        const row = await reads.row(runId, source, number)
        const found = row === undefined ? undefined : decoded(runId, source, row, wanted)
        for (const name of wanted) {
          known.set(name, found?.get(name) ?? nothing)
          if (isKept) cache.put(keyOf(name), found?.get(name) ?? nothing)
        }
      }
      for (const [name, values] of known) addRange(maps.get(name)!, values!, from, to)
      await pause()
    }
    if (numbers.length < rowNumbersAtOnce) return
    await pause()
  }
}

function decoded(
  runId: string,
  source: RowSource,
  row: StoredRow,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, KnownValues> {
  if (source === 'readings') return readDerived(runId, 'a row of readings', () => pointsOfStored(row.body))
  const { steps, values } = readStored('observation', () => storedPoints(row, wanted))
  return new Map([...values].map(([name, column]) => [name, known(steps, column)]))
}

function known(steps: readonly number[], column: readonly (number | null)[]): KnownValues {
  // Nearly always all are.
  if (!column.includes(null)) return { steps, values: column as number[] }
  const places = column.flatMap((value, i) => (value === null ? [] : [i]))
  return { steps: places.map((i) => steps[i]!), values: places.map((i) => column[i]!) }
}

function addRange(map: BucketMap, { steps, values }: KnownValues, from: number, to: number): void {
  for (let i = 0; i < values.length; i++) {
    const step = steps[i]!
    if (step >= from && step <= to) map.add(step, values[i]!)
  }
}

/** `stored` and `shown` are those of the signal with the most samples. */
function headOf({ moment, maps }: Read): Omit<Series, 'signals'> {
  const { runId, asked, to } = moment
  let stored = 0
  let shown = 0
  for (const map of maps.values()) {
    stored = Math.max(stored, map.stored())
    shown = Math.max(shown, map.size)
  }
  return { runId, fromStep: asked.from, toStep: Math.min(asked.to, to), stored, shown }
}

export async function seriesOf(read: Read, pause: Pause): Promise<Series> {
  const signals: Record<string, SeriesColumns> = {}
  for (const [name, map] of read.maps) {
    // A name is one like any other, `__proto__` too.
    Object.defineProperty(signals, name, { value: map.columns(), enumerable: true })
    await pause()
  }
  return { ...headOf(read), signals }
}

/** The same as JSON, signal by signal. @param unknown signals that the run does not have */
export async function seriesText(read: Read, unknown: readonly string[], pause: Pause): Promise<Buffer> {
  const signals: string[] = []
  for (const [name, map] of read.maps) {
    signals.push(`${JSON.stringify(name)}:${JSON.stringify(map.columns())}`)
    await pause()
  }
  const head = JSON.stringify(unknown.length === 0 ? headOf(read) : { ...headOf(read), unknown })
  return Buffer.from(`${head.slice(0, -1)},"signals":{${signals.join(',')}}}`)
}
