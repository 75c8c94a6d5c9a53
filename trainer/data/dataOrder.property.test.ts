import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDataOrder } from './dataOrder.ts'

const sizes = fc.record({ count: fc.integer({ min: 1, max: 60 }), seed: fc.nat() }).chain(({ count, seed }) =>
  fc.record({
    count: fc.constant(count),
    seed: fc.constant(seed),
    batchSize: fc.integer({ min: 1, max: count }),
  }),
)

describe('the data order', () => {
  it('shows each example at most once an epoch, in whole batches', () => {
    fc.assert(
      fc.property(sizes, (options) => {
        const order = createDataOrder(options)
        const perEpoch = Math.floor(options.count / options.batchSize)
        for (let epoch = 0; epoch < 3; epoch++) {
          const seen = Array.from({ length: perEpoch }, () => [...order.nextBatch()]).flat()
          expect(new Set(seen).size).toBe(perEpoch * options.batchSize)
          expect(order.state().epoch).toBe(epoch)
        }
      }),
    )
  })
  it('brings the same batches again after a restore, from anywhere', () => {
    fc.assert(
      fc.property(sizes, fc.nat(20), fc.nat(20), (options, before, between) => {
        const order = createDataOrder(options)
        order.skip(before)
        const state = order.state()
        const first = Array.from({ length: 5 }, () => [...order.nextBatch()])
        order.skip(between)
        order.restore(JSON.parse(JSON.stringify(state)))
        expect(Array.from({ length: 5 }, () => [...order.nextBatch()])).toEqual(first)
        const other = createDataOrder({ ...options, seed: options.seed + 1 })
        other.restore(state)
        expect([...other.nextBatch()]).toEqual(first[0])
      }),
    )
  })
  it('skips exactly so many batches', () => {
    const order = createDataOrder({ count: 10, batchSize: 3, seed: 1 })
    const all = Array.from({ length: 7 }, () => [...order.nextBatch()])
    const skipped = createDataOrder({ count: 10, batchSize: 3, seed: 1 })
    skipped.skip(5)
    expect([...skipped.nextBatch()]).toEqual(all[5])
  })
  it('differs between seeds and between epochs', () => {
    const batch = (seed: number, skip: number) => {
      const order = createDataOrder({ count: 50, batchSize: 50, seed })
      order.skip(skip)
      return [...order.nextBatch()]
    }
    expect(batch(1, 0)).not.toEqual(batch(2, 0))
    expect(batch(1, 0)).not.toEqual(batch(1, 1))
  })
  it('refuses a batch that the data cannot fill', () => {
    expect(() => createDataOrder({ count: 5, batchSize: 6, seed: 1 })).toThrow(
      'batchSize must be a whole number from 1 to the 5 training examples, got 6',
    )
    expect(() => createDataOrder({ count: 5, batchSize: 0, seed: 1 })).toThrow(RangeError)
  })
})
