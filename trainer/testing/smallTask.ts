// A tiny classification task for tests: blobs of bytes in `classCount` classes, made from a seed in a millisecond,
// easy enough that a few dozen steps lower the loss and noisy enough that gradients differ between batches.

import { createBatchMaker } from '../data/batches.ts'
import { type Dataset, type Examples, standardisedBy } from '../data/dataset.ts'
import { createRandom, type Random } from '../random.ts'

const classCount = 4

function blobs(count: number, side: number, random: Random): Examples {
  const size = side * side
  const pixels = new Uint8Array(count * size)
  const labels = new Uint8Array(count)
  for (let example = 0; example < count; example++) {
    const label = random.integer(classCount)
    labels[example] = label
    for (let i = 0; i < size; i++) {
      const centre = 60 + 45 * ((i * (label + 1)) % classCount)
      pixels[example * size + i] = Math.max(0, Math.min(255, Math.round(centre + 60 * random.normal())))
    }
  }
  return { count, inputs: pixels, labels }
}

/** 256 training, 64 held-out and 64 test images of side×side (7 by default). */
export function smallTask(side = 7, seed = 5): Dataset {
  const random = createRandom(seed)
  const train = blobs(256, side, random)
  const heldOut = blobs(64, side, random)
  const test = blobs(64, side, random)
  return {
    name: 'small',
    height: side,
    width: side,
    classCount,
    encoding: standardisedBy(train.inputs),
    train,
    heldOut,
    test,
  }
}

/** The first so many training examples as a batch; the caller disposes it. */
export const smallBatch = (dataset: Dataset, count: number, from = 0) =>
  createBatchMaker(dataset)(
    dataset.train,
    Array.from({ length: count }, (_, index) => from + index),
  )
