// One run's series: min/max buckets at five levels beside the log's own samples, so that a chart of a million
// steps reads about as many buckets as it has pixels. The newest chunks are kept in memory and written when
// the run's snapshot is; between two snapshots the log holds everything, and a restart folds it again.

import { ServerError } from '../errors.ts'
import type { ChunkKey, RunReads, StoredChunk } from '../storage/storage.ts'
import { Buckets, chunkBuckets, levelSizes } from './buckets.ts'
import { type Points, stepRange } from './points.ts'

/** Chunks that one batch may touch: its steps would else be spread too thinly to be kept as buckets. */
export const chunksPerBatchMax = 50_000
/** Entries of all signals in one answer; more signals get fewer buckets each. */
export const seriesEntriesMax = 40_000

/** What objects, maps and sets take beside the numbers, of a chunk and of a signal. */
const chunkOverheadBytes = 256
const signalOverheadBytes = 2_048

type ChunkReads = Pick<RunReads, 'chunks'>
type Level = { newest: number; readonly chunks: Map<number, Buckets>; readonly dirty: Set<number> }
type Head = { readonly from: number; readonly to: number; readonly newest: Record<string, number[]> }
export type SeriesQuery = {
  readonly signals?: readonly string[] | undefined
  readonly from: number
  readonly to: number
  readonly points: number
}
/** A question to a run's series, and what stood in memory when it was asked. */
export type SeriesMoment = {
  readonly runId: string
  readonly names: readonly string[]
  readonly asked: SeriesQuery
  /** Steps that there are of those asked for. */
  readonly from: number
  readonly to: number
  /** Of buckets; −1 = the log's samples. */
  readonly level: number
  /** Steps of a bucket of the answer. */
  readonly width: number
  /** Copies of the newest chunks of that level, by signal: some are not in the storage yet, or older there. */
  readonly newest: ReadonlyMap<string, ReadonlyMap<number, Buckets>>
}

const newLevels = (newest?: readonly number[]): Level[] =>
  levelSizes.map((_, level) => ({ newest: newest?.[level] ?? -1, chunks: new Map(), dirty: new Set() }))

/** The chunk numbers that steps fall into, per level. */
function touchedChunks(steps: readonly number[]): number[][] {
  const fine = new Set<number>()
  const finest = levelSizes[0] * chunkBuckets
  for (const step of steps) fine.add(Math.floor(step / finest))
  return levelSizes.map((size) => {
    const ratio = size / levelSizes[0]
    return ratio === 1 ? [...fine] : [...new Set([...fine].map((chunk) => Math.floor(chunk / ratio)))]
  })
}

/** Samples from ≤ i < to that follow each other in one of the finest buckets. */
type Span = { readonly bucket: number; readonly from: number; readonly to: number }

function spansOf(steps: readonly number[]): Span[] {
  const spans: Span[] = []
  const finest = levelSizes[0]
  for (let from = 0; from < steps.length; ) {
    const bucket = Math.floor(steps[from]! / finest)
    const [low, high] = [bucket * finest, (bucket + 1) * finest]
    let to = from + 1
    while (to < steps.length && steps[to]! >= low && steps[to]! < high) to++
    spans.push({ bucket, from, to })
    from = to
  }
  return spans
}

export class RunSeries {
  private readonly storage: ChunkReads
  private readonly runId: string
  private readonly signals = new Map<string, Level[]>()
  private range: { from: number; to: number } | undefined
  private readonly scratch = new Buckets()

  constructor(storage: ChunkReads, runId: string, head?: string) {
    this.storage = storage
    this.runId = runId
    if (head === undefined) return
    const { from, to, newest } = JSON.parse(head) as Head
    if (from <= to) this.range = { from, to }
    for (const [signal, numbers] of Object.entries(newest)) this.signals.set(signal, newLevels(numbers))
  }

  /** What a snapshot keeps to find the chunks again. */
  head(): string {
    const newest = Object.fromEntries(
      [...this.signals].map(([name, levels]) => [name, levels.map((l) => l.newest)]),
    )
    const head: Head = { from: this.range?.from ?? 0, to: this.range?.to ?? -1, newest }
    return JSON.stringify(head)
  }

  names(): readonly string[] {
    return [...this.signals.keys()]
  }

  has(signal: string): boolean {
    return this.signals.has(signal)
  }

  metricCount(): number {
    let count = 0
    for (const name of this.signals.keys()) if (name.startsWith('metrics.')) count++
    return count
  }

  /**
   * @param storage where chunks that were let go are read from
   * @throws ServerError `invalid-request` if the steps are spread over too many chunks; then nothing changed.
   */
  async add(all: readonly Points[], storage: ChunkReads = this.storage): Promise<void> {
    const touched = all.map(({ steps }) => touchedChunks(steps))
    const total = all.reduce(
      (sum, { values }, i) => sum + values.size * touched[i]!.reduce((n, chunks) => n + chunks.length, 0),
      0,
    )
    if (total > chunksPerBatchMax)
      throw new ServerError(
        'invalid-request',
        `steps.step is spread too widely: this batch touches ${total} blocks of the series, allowed are ${chunksPerBatchMax}; send fewer rows in one batch`,
        { errors: [{ pointer: '/steps/step', detail: 'is spread over too wide a range of steps' }] },
      )
    await this.loadOld(all, touched, storage)
    for (const { steps, values } of all) {
      const spans = spansOf(steps)
      for (const [signal, column] of values) this.fold(this.levelsOf(signal), { steps, spans }, column)
    }
    const range = stepRange(all)
    if (range === undefined) return
    this.range = {
      from: Math.min(range.from, this.range?.from ?? range.from),
      to: Math.max(range.to, this.range?.to ?? range.to),
    }
  }

  private levelsOf(signal: string): Level[] {
    let levels = this.signals.get(signal)
    if (levels === undefined) {
      levels = newLevels()
      this.signals.set(signal, levels)
    }
    return levels
  }

  /** Brings chunks that were written and let go back into memory. */
  private async loadOld(
    all: readonly Points[],
    touched: readonly number[][][],
    storage: ChunkReads,
  ): Promise<void> {
    const keys: ChunkKey[] = []
    for (const [i, { values }] of all.entries()) {
      for (const signal of values.keys()) {
        const levels = this.signals.get(signal)
        if (levels === undefined) continue
        for (const [level, { newest, chunks }] of levels.entries())
          for (const chunk of touched[i]![level]!)
            if (chunk <= newest && !chunks.has(chunk)) keys.push({ signal, level, chunk })
      }
    }
    if (keys.length === 0) return
    for (const { signal, level, chunk, body } of await storage.chunks(this.runId, keys))
      this.levelsOf(signal)[level]!.chunks.set(chunk, Buckets.fromBytes(body))
  }

  /** Folds samples into the finest buckets, those into the next level's, and so on: the hot loop. */
  private fold(
    levels: Level[],
    { steps, spans }: { readonly steps: readonly number[]; readonly spans: readonly Span[] },
    values: readonly (number | null)[],
  ): void {
    const { scratch } = this
    const places: number[] = []
    for (const { bucket, from, to } of spans) {
      scratch.set(places.length, { steps, values, from, to })
      if (!scratch.isEmpty(places.length)) places.push(bucket)
    }
    for (const [i, level] of levels.entries()) {
      if (i > 0) scratch.coarsen(places, levelSizes[i]! / levelSizes[i - 1]!)
      addParts(level, places, scratch)
    }
  }

  dirtyCount(): number {
    let count = 0
    for (const levels of this.signals.values()) for (const { dirty } of levels) count += dirty.size
    return count
  }

  /** Estimated, of what is in memory. */
  bytes(): number {
    let bytes = 0
    for (const levels of this.signals.values())
      for (const { chunks } of levels)
        for (const { data } of chunks.values()) bytes += data.byteLength + chunkOverheadBytes
    return bytes + this.signals.size * signalOverheadBytes
  }

  /** The chunks to store with the next snapshot. */
  dirtyChunks(): StoredChunk[] {
    const stored: StoredChunk[] = []
    for (const [signal, levels] of this.signals)
      for (const [level, { dirty, chunks }] of levels.entries())
        for (const chunk of dirty) stored.push({ signal, level, chunk, body: chunks.get(chunk)!.toBytes() })
    return stored
  }

  /** After they are stored: keeps only the newest of each level in memory. */
  markSaved(): void {
    for (const levels of this.signals.values()) {
      for (const { dirty, chunks, newest } of levels) {
        dirty.clear()
        for (const number of chunks.keys()) if (number !== newest) chunks.delete(number)
      }
    }
  }

  /**
   * What a chart is read from (readSeries.ts), as it is now: O(points) buckets per signal, or, zoomed in to fewer than 16 steps
   * a point, the log's samples. To be called together with the opening of a view.
   */
  moment(query: SeriesQuery): SeriesMoment {
    const names = query.signals ?? [...this.signals.keys()]
    const from = Math.max(query.from, this.range?.from ?? 0)
    const to = Math.min(query.to, this.range?.to ?? -1)
    const points = Math.max(
      1,
      Math.min(query.points, Math.floor(seriesEntriesMax / Math.max(1, names.length))),
    )
    const wanted = Math.max(1, Math.ceil((to - from + 1) / points))
    const level = levelSizes.findLastIndex((size) => size <= wanted)
    const size = level === -1 ? 1 : levelSizes[level]!
    const width = Math.ceil(wanted / size) * size
    const isInRange = (chunk: number) =>
      chunk >= Math.floor(from / size / chunkBuckets) && chunk <= Math.floor(to / size / chunkBuckets)
    const newest = names.map((name) => {
      const chunks = [...(this.signals.get(name)?.[level]?.chunks ?? [])]
      return [name, new Map(chunks.filter(([chunk]) => isInRange(chunk)).map(copied))] as const
    })
    return { runId: this.runId, names, asked: query, from, to, level, width, newest: new Map(newest) }
  }
}

/** A chunk that what is added later does not change. */
const copied = ([chunk, { data }]: [number, Buckets]): [number, Buckets] => [chunk, new Buckets(data.slice())]

/** Adds parts to the buckets of a level that stand at their places. */
function addParts(level: Level, places: readonly number[], parts: Buckets): void {
  let number = -1
  let chunk: Buckets | undefined
  for (const [i, place] of places.entries()) {
    const at = Math.floor(place / chunkBuckets)
    if (chunk === undefined || at !== number) {
      number = at
      chunk = chunkOf(level, number)
      chunk.reserve(lastOfChunk(places, i) - number * chunkBuckets)
    }
    chunk.merge(place - number * chunkBuckets, parts, i)
  }
}

/** The last of the places from `i` on that follow each other in one chunk: room for all of them is made at once. */
function lastOfChunk(places: readonly number[], i: number): number {
  const number = Math.floor(places[i]! / chunkBuckets)
  let last = i
  while (last + 1 < places.length && Math.floor(places[last + 1]! / chunkBuckets) === number) last++
  return places[last]!
}

function chunkOf(level: Level, number: number): Buckets {
  let buckets = level.chunks.get(number)
  if (buckets === undefined) {
    buckets = new Buckets()
    level.chunks.set(number, buckets)
  }
  if (number > level.newest) level.newest = number
  level.dirty.add(number)
  return buckets
}
