// The tasks by name, with what a run may ask of their data: fewer training examples, and label noise.

import { createRandom, hashSeed } from '../random.ts'
import { type Dataset, type Examples, sliceExamples } from './dataset.ts'
import { loadDigits } from './digits.ts'
import { loadFashion } from './fashion.ts'
import { loadMnist } from './mnist.ts'
import { loadText } from './text.ts'

export const taskNames = ['mnist', 'fashion', 'digits', 'text'] as const
export type TaskName = (typeof taskNames)[number]

const loaders: Readonly<Record<TaskName, () => Dataset>> = {
  mnist: loadMnist,
  fashion: loadFashion,
  digits: loadDigits,
  text: loadText,
}

export type TaskOptions = {
  /** Use only the first so many training examples (the held-out and test sets stay whole). */
  readonly trainExamples?: number
  /** Share of the training labels, in [0, 1), replaced by another class drawn uniformly. Held-out and test labels stay clean. */
  readonly labelNoise?: number
  readonly seed: number
}

/** Labels of which a share is wrong; the inputs are shared with the input. */
export function withLabelNoise(
  examples: Examples,
  share: number,
  classCount: number,
  seed: number,
): Examples {
  if (share === 0) return examples
  const random = createRandom(hashSeed(seed, 0x6e6f6973))
  const labels = examples.labels.map((label) =>
    random.next() < share ? (label + 1 + random.integer(classCount - 1)) % classCount : label,
  )
  return { ...examples, labels }
}

/** @throws DataError if the data is missing or broken; RangeError for an impossible number of examples or share. */
export function loadTask(name: TaskName, options: TaskOptions, dataset: Dataset = loaders[name]()): Dataset {
  const { trainExamples = dataset.train.count, labelNoise = 0, seed } = options
  if (!Number.isInteger(trainExamples) || trainExamples < 1 || trainExamples > dataset.train.count)
    throw new RangeError(
      `trainExamples must be a whole number from 1 to ${dataset.train.count}, got ${trainExamples}`,
    )
  if (!(labelNoise >= 0 && labelNoise < 1))
    throw new RangeError(`labelNoise must be in [0, 1), got ${labelNoise}`)
  const train = sliceExamples(dataset.train, 0, trainExamples)
  return { ...dataset, train: withLabelNoise(train, labelNoise, dataset.classCount, seed) }
}
