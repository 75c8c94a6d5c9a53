// The order in which training examples come: a new seeded permutation each epoch, whole batches only (the
// examples left at the end of an epoch wait for the next permutation). The state is three numbers, because the
// permutation of an epoch follows from the seed: restored, the same batches come again.

import { createRandom, hashSeed, permutation } from '../random.ts'

export type DataOrderState = { readonly seed: number; readonly epoch: number; readonly position: number }

export type DataOrder = {
  /** Indices of the next batch; valid until the next call. */
  nextBatch(): Uint32Array
  /** Leaves out so many batches. */
  skip(batches: number): void
  state(): DataOrderState
  restore(state: DataOrderState): void
}

/** @throws RangeError if the batch is empty or larger than the data. */
export function createDataOrder(options: { count: number; batchSize: number; seed: number }): DataOrder {
  const { count, batchSize } = options
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > count)
    throw new RangeError(
      `batchSize must be a whole number from 1 to the ${count} training examples, got ${batchSize}`,
    )
  const shuffle = (seed: number, epoch: number) =>
    permutation(count, createRandom(hashSeed(seed, 0x6f72_6472, epoch)))
  let { seed } = options
  let epoch = 0
  let position = 0
  let order = shuffle(seed, epoch)
  const nextBatch = (): Uint32Array => {
    if (position + batchSize > count) {
      epoch++
      position = 0
      order = shuffle(seed, epoch)
    }
    position += batchSize
    return order.subarray(position - batchSize, position)
  }
  return {
    nextBatch,
    skip: (batches) => {
      for (let i = 0; i < batches; i++) nextBatch()
    },
    state: () => ({ seed, epoch, position }),
    restore: (state) => {
      const moved = state.seed !== seed || state.epoch !== epoch
      ;({ seed, epoch, position } = state)
      if (moved) order = shuffle(seed, epoch)
    },
  }
}
