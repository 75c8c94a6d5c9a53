// What every task's data looks like to the trainer: examples as bytes, labels as class numbers, in three parts
// that never mix: training examples, a fixed held-out probe set (taken out of training), and the test set, which
// is used for the final accuracy alone.

/** Examples of one length, one byte per pixel or character, row after row; labels in [0, classCount). */
export type Examples = {
  readonly count: number
  readonly inputs: Uint8Array
  readonly labels: Uint8Array
}

/** How the bytes of an example become the network's inputs. */
export type Encoding =
  /** A pixel is one number, (byte / 255 − mean) / deviation, over the training pixels. */
  | { readonly kind: 'standardised'; readonly mean: number; readonly deviation: number }
  /** A byte below `width` is `width` numbers: 1 at its own place, 0 elsewhere. */
  | { readonly kind: 'oneHot' }

export type Dataset = {
  readonly name: string
  /** Inputs of the network are height × width: an image's, or (one-hot) characters × their classes. */
  readonly height: number
  readonly width: number
  readonly classCount: number
  readonly encoding: Encoding
  readonly train: Examples
  readonly heldOut: Examples
  readonly test: Examples
}

/** Examples taken from the end of the training images as the held-out probe set. */
export const heldOutCount = 2_000

/** A missing package or a broken file: the message is a sentence for the person who started the run. */
export class DataError extends Error {
  override readonly name = 'DataError'
}

/** The examples from `from` to `to` (exclusive), without a copy. */
export function sliceExamples(examples: Examples, from: number, to: number): Examples {
  const size = examples.inputs.length / examples.count
  return {
    count: to - from,
    inputs: examples.inputs.subarray(from * size, to * size),
    labels: examples.labels.subarray(from, to),
  }
}

/** Splits the training images into those trained on and the held-out tail. */
export function withHeldOutTail(
  all: Examples,
  tail: number = heldOutCount,
): { train: Examples; heldOut: Examples } {
  return {
    train: sliceExamples(all, 0, all.count - tail),
    heldOut: sliceExamples(all, all.count - tail, all.count),
  }
}

/** Standardising by the mean and standard deviation of pixels / 255; the deviation of constant images counts as 1. */
export function standardisedBy(pixels: Uint8Array): Encoding & { kind: 'standardised' } {
  let sum = 0
  let squares = 0
  for (const pixel of pixels) {
    sum += pixel
    squares += pixel * pixel
  }
  const mean = sum / Math.max(1, pixels.length)
  const deviation = Math.sqrt(Math.max(0, squares / Math.max(1, pixels.length) - mean * mean))
  return { kind: 'standardised', mean: mean / 255, deviation: deviation > 0 ? deviation / 255 : 1 }
}

/** The whole numbers from `from` to `to` (exclusive). */
export const indexRange = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)
