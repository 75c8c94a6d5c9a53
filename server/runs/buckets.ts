// Samples folded into buckets of steps: first, min, max, last, count, so that a spike is never lost however far
// one zooms out. A bucket is seven doubles; an array of them is a chunk (stored as its bytes, little-endian,
// as on every machine that Node runs on) or the columns of a chart.
//
// "First" and "last" are by arrival: after a restore the same steps come again, and the newest is the last.

import type { SeriesColumns } from '../../protocol/vocabulary.ts'

/** Steps per bucket at each level; the finest data are the log's own samples. */
export const levelSizes = [16, 256, 4_096, 65_536, 1_048_576] as const
export const chunkBuckets = 64

const fields = 7
const STEP = 0
const FIRST = 1
const MIN = 2
const MAX = 3
const LAST = 4
const COUNT = 5
const NON_FINITE = 6

/** Some of the samples of a column. */
type Samples = {
  readonly steps: readonly number[]
  readonly values: readonly (number | null)[]
  readonly from: number
  readonly to: number
}

/** Buckets in one growing array; bucket i is empty while its two counts are 0. */
export class Buckets {
  data: Float64Array

  constructor(data: Float64Array = new Float64Array(0)) {
    this.data = data
  }

  get length(): number {
    return this.data.length / fields
  }

  /** Makes room for bucket `index`; doubles, so that appending costs O(1), but a chunk never takes more than it can hold. */
  reserve(index: number): void {
    const needed = (index + 1) * fields
    if (needed <= this.data.length) return
    // A chunk is stored as it is, so it never grows beyond one.
    const room = needed <= chunkBuckets * fields ? chunkBuckets * fields : Number.POSITIVE_INFINITY
    const grown = new Float64Array(Math.max(needed, Math.min(this.data.length * 2, room)))
    grown.set(this.data)
    this.data = grown
  }

  /** Adds bucket `from` of another array to bucket `index` of this one. */
  merge(index: number, other: Buckets, from: number): void {
    this.reserve(index)
    const a = this.data
    const i = index * fields
    const b = other.data
    const j = from * fields
    const samples = b[j + COUNT]! + b[j + NON_FINITE]!
    if (samples === 0) return
    if (a[i + COUNT]! + a[i + NON_FINITE]! === 0 || b[j + STEP]! < a[i + STEP]!) a[i + STEP] = b[j + STEP]!
    if (b[j + COUNT]! > 0) {
      const fresh = a[i + COUNT] === 0
      if (fresh) a[i + FIRST] = b[j + FIRST]!
      if (fresh || b[j + MIN]! < a[i + MIN]!) a[i + MIN] = b[j + MIN]!
      if (fresh || b[j + MAX]! > a[i + MAX]!) a[i + MAX] = b[j + MAX]!
      a[i + LAST] = b[j + LAST]!
    }
    a[i + COUNT] = a[i + COUNT]! + b[j + COUNT]!
    a[i + NON_FINITE] = a[i + NON_FINITE]! + b[j + NON_FINITE]!
  }

  /** Makes bucket `index` one of samples from ≤ i < to of a column, null = not known. */
  set(index: number, { steps, values, from, to }: Samples): void {
    this.reserve(index)
    let [step, count, nonFinite] = [Number.POSITIVE_INFINITY, 0, 0]
    let [first, min, max, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
    for (let i = from; i < to; i++) {
      const value = values[i]
      if (value === null || value === undefined) continue
      if (steps[i]! < step) step = steps[i]!
      // NaN and the infinities alone give no 0 here.
      if (value - value !== 0) {
        nonFinite++
        continue
      }
      if (count++ === 0) first = value
      if (value < min) min = value
      if (value > max) max = value
      last = value
    }
    const a = this.data
    const i = index * fields
    a[i + STEP] = count + nonFinite === 0 ? 0 : step
    a[i + FIRST] = first
    a[i + MIN] = count === 0 ? 0 : min
    a[i + MAX] = count === 0 ? 0 : max
    a[i + LAST] = last
    a[i + COUNT] = count
    a[i + NON_FINITE] = nonFinite
  }

  /**
   * Makes buckets 0, 1, … that stand at some places those of a level with wider ones: neighbours that fall into one become one.
   * @param places changed along with them, as many as are left
   */
  coarsen(places: number[], ratio: number): void {
    let kept = 0
    for (const [i, fine] of places.entries()) {
      const place = Math.floor(fine / ratio)
      if (kept > 0 && places[kept - 1] === place) {
        this.merge(kept - 1, this, i)
        continue
      }
      if (kept < i) this.data.copyWithin(kept * fields, i * fields, (i + 1) * fields)
      places[kept++] = place
    }
    places.length = kept
  }

  add(index: number, step: number, value: number): void {
    this.reserve(index)
    const a = this.data
    const i = index * fields
    if (a[i + COUNT]! + a[i + NON_FINITE]! === 0 || step < a[i + STEP]!) a[i + STEP] = step
    if (!Number.isFinite(value)) {
      a[i + NON_FINITE] = a[i + NON_FINITE]! + 1
      return
    }
    if (a[i + COUNT] === 0) {
      a[i + FIRST] = value
      a[i + MIN] = value
      a[i + MAX] = value
    } else {
      if (value < a[i + MIN]!) a[i + MIN] = value
      if (value > a[i + MAX]!) a[i + MAX] = value
    }
    a[i + LAST] = value
    a[i + COUNT] = a[i + COUNT]! + 1
  }

  isEmpty(index: number): boolean {
    const i = index * fields
    return (this.data[i + COUNT] ?? 0) + (this.data[i + NON_FINITE] ?? 0) === 0
  }

  /** First step of a bucket that is not empty. */
  stepAt(index: number): number {
    return this.data[index * fields + STEP]!
  }

  toBytes(): Uint8Array {
    return new Uint8Array(this.data.buffer, this.data.byteOffset, this.data.byteLength)
  }

  static fromBytes(bytes: Uint8Array): Buckets {
    // A copy: the driver's bytes need not be aligned to 8, and may be a part of a pool (a Buffer's slice is no copy).
    return new Buckets(new Float64Array(new Uint8Array(bytes).buffer))
  }
}

/** Buckets of any width over any steps, for a chart: a sparse map in front of `Buckets`. */
export class BucketMap {
  readonly width: number
  private readonly places = new Map<number, number>()
  private readonly buckets = new Buckets()

  constructor(width: number) {
    this.width = width
  }

  private place(step: number): number {
    const key = Math.floor(step / this.width)
    let place = this.places.get(key)
    if (place === undefined) {
      place = this.places.size
      this.places.set(key, place)
    }
    return place
  }

  get size(): number {
    return this.places.size
  }

  add(step: number, value: number): void {
    this.buckets.add(this.place(step), step, value)
  }

  merge(other: Buckets, from: number): void {
    if (!other.isEmpty(from)) this.buckets.merge(this.place(other.stepAt(from)), other, from)
  }

  /** Samples held, the non-finite ones too. */
  stored(): number {
    let sum = 0
    for (let i = 0; i < this.size; i++)
      sum += this.buckets.data[i * fields + COUNT]! + this.buckets.data[i * fields + NON_FINITE]!
    return sum
  }

  columns(): SeriesColumns {
    const order = [...this.places].sort((a, b) => a[0] - b[0]).map(([, place]) => place * fields)
    const { data } = this.buckets
    const plain = (field: number) => order.map((at) => data[at + field]!)
    // No finite sample means no value, never 0.
    const known = (field: number) => order.map((at) => (data[at + COUNT] === 0 ? null : data[at + field]!))
    return {
      step: plain(STEP),
      first: known(FIRST),
      min: known(MIN),
      max: known(MAX),
      last: known(LAST),
      count: plain(COUNT),
      nonFinite: plain(NON_FINITE),
    }
  }
}
