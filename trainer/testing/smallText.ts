// A tiny task of characters for tests: the label follows from the last two of four characters, with some noise.

import type { Dataset, Examples } from '../data/dataset.ts'
import { createRandom, type Random } from '../random.ts'

const [height, width] = [4, 6]

function lines(count: number, random: Random): Examples {
  const inputs = Uint8Array.from({ length: count * height }, () => random.integer(width))
  const labels = Uint8Array.from({ length: count }, (_, example) => {
    const [before, last] = inputs.subarray((example + 1) * height - 2, (example + 1) * height)
    return random.next() < 0.1 ? random.integer(width) : (before! + 2 * last!) % width
  })
  return { count, inputs, labels }
}

export function smallText(seed = 6): Dataset {
  const random = createRandom(seed)
  const [train, heldOut, test] = [lines(256, random), lines(64, random), lines(64, random)]
  return {
    name: 'small text',
    height,
    width,
    classCount: width,
    encoding: { kind: 'oneHot' },
    train,
    heldOut,
    test,
  }
}
