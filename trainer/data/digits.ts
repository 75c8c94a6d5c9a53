// A small task for tests and quick looks: MNIST digits shrunk to 7×7 by averaging 4×4 pixels, the first 12,000
// training images, the usual 2,000 held-out ones and the first 4,000 test images. It is made from MNIST and is
// not the `digits` set of scikit-learn: figures measured on it compare with nothing but themselves.

import { type Dataset, type Examples, sliceExamples, standardisedBy } from './dataset.ts'
import { loadMnist } from './mnist.ts'

const pool = 4
export const digitsTrainCount = 12_000
export const digitsTestCount = 4_000

/** Means of pool×pool squares of square images. */
export function pooledExamples(examples: Examples, side: number): Examples {
  const small = side / pool
  const pixels = new Uint8Array(examples.count * small * small)
  for (let image = 0; image < examples.count; image++)
    for (let row = 0; row < small; row++)
      for (let column = 0; column < small; column++) {
        let sum = 0
        for (let y = 0; y < pool; y++)
          for (let x = 0; x < pool; x++)
            sum += examples.inputs[image * side * side + (row * pool + y) * side + column * pool + x]!
        pixels[image * small * small + row * small + column] = Math.round(sum / (pool * pool))
      }
  return { count: examples.count, inputs: pixels, labels: examples.labels }
}

/** @throws DataError as loadMnist. */
export function loadDigits(source: Dataset = loadMnist()): Dataset {
  const pooled = (examples: Examples) => pooledExamples(examples, source.width)
  const train = pooled(sliceExamples(source.train, 0, digitsTrainCount))
  const heldOut = pooled(source.heldOut)
  const test = pooled(sliceExamples(source.test, 0, digitsTestCount))
  return {
    name: 'digits',
    height: 7,
    width: 7,
    classCount: 10,
    encoding: standardisedBy(train.inputs),
    train,
    heldOut,
    test,
  }
}
