import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BucketMap, Buckets } from './buckets.ts'

// Adding 0 turns −0 into 0, which no minimum tells apart.
const sample = fc.tuple(
  fc.integer({ min: 0, max: 500 }),
  fc.double().map((value) => value + 0),
)

test('buckets hold what a plain loop over the samples finds', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (samples, width) => {
      const map = new BucketMap(width)
      for (const [step, value] of samples) map.add(step, value)
      const columns = map.columns()
      const keys = [...new Set(samples.map(([step]) => Math.floor(step / width)))].sort((a, b) => a - b)
      expect(columns.step.length).toBe(keys.length)
      for (const [i, key] of keys.entries()) {
        const inside = samples.filter(([step]) => Math.floor(step / width) === key)
        const finite = inside.map(([, value]) => value).filter(Number.isFinite)
        expect(columns.step[i]).toBe(Math.min(...inside.map(([step]) => step)))
        expect(columns.count[i]).toBe(finite.length)
        expect(columns.nonFinite[i]).toBe(inside.length - finite.length)
        expect(columns.first[i]).toBe(finite[0] ?? null)
        expect(columns.last[i]).toBe(finite.at(-1) ?? null)
        expect(columns.min[i]).toBe(finite.length === 0 ? null : Math.min(...finite))
        expect(columns.max[i]).toBe(finite.length === 0 ? null : Math.max(...finite))
      }
      expect(map.stored()).toBe(samples.length)
    }),
  )
})

test('merging parts in order gives what adding all at once gives, and bytes keep it', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 60 }), fc.array(sample, { maxLength: 60 }), (first, second) => {
      const whole = new Buckets()
      const parts = [first, second].map((samples) => {
        const part = new Buckets()
        for (const [step, value] of samples) {
          part.add(0, step, value)
          whole.add(0, step, value)
        }
        return part
      })
      const merged = new Buckets(new Float64Array(7))
      for (const part of parts) if (part.length > 0) merged.merge(0, Buckets.fromBytes(part.toBytes()), 0)
      if (whole.length > 0) expect([...merged.data]).toEqual([...whole.data])
    }),
  )
})

test('buckets made of columns at once, and then wider ones of them, hold what adding one by one gives', () => {
  const value = fc.option(fc.double().map((entry) => entry + 0))
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 2_000 }), value), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 9 }), (samples, ratio) => {
      const steps = samples.map(([step]) => step)
      const values = samples.map(([, entry]) => entry)
      const parts = new Buckets()
      const places: number[] = []
      for (let from = 0, to = 0; from < steps.length; from = to) {
        const place = Math.floor(steps[from]! / 16)
        while (to < steps.length && Math.floor(steps[to]! / 16) === place) to++
        parts.set(places.length, { steps, values, from, to })
        if (!parts.isEmpty(places.length)) places.push(place)
      }
      parts.coarsen(places, ratio)
      const found = new BucketMap(16 * ratio)
      for (const i of places.keys()) found.merge(parts, i)
      const expected = new BucketMap(16 * ratio)
      for (const [step, entry] of samples) if (entry !== null) expected.add(step, entry)
      expect(found.columns()).toEqual(expected.columns())
    }),
  )
})

test('bytes that are a part of a pool are read as what they are, and changing what was read changes no other', () => {
  const buckets = new Buckets()
  buckets.add(0, 3, 1.5)
  const pool = Buffer.alloc(4_096, 7)
  const part = pool.subarray(1_024, 1_024 + buckets.toBytes().length)
  part.set(buckets.toBytes())
  const read = Buckets.fromBytes(part)
  expect([...read.data]).toEqual([...buckets.data])
  const before = Buffer.from(pool)
  read.add(0, 4, 9)
  expect(pool.equals(before)).toBe(true)
})
