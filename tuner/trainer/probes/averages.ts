// Averaged weights: the device keeps, per block of steps, the sum of the weights at every 4th step (at every
// step of blocks shorter than 8), and of the last blocks so many that the longest window is covered. Memory:
// `blocksKept` + 1 copies of the weights, stated. A window's mean is the sum of its newest blocks divided by
// their count of samples, made when a probe asks for it.

import * as tf from '@tensorflow/tfjs-core'
import type { Weights } from '../models/model.ts'
import { disposeAll } from '../optimizers/optimizer.ts'

/** Windows of averaged weights, in blocks. */
export const windowBlocks = [1, 2, 4] as const
/** Finished blocks kept on the device: the longest window. */
export const blocksKept = 4
const sampleSteps = 4
const shortBlockSteps = 8

type Block = { sums: tf.Tensor[] | undefined; sampleCount: number; stepCount: number }

export type AveragedWindow = {
  /** Steps that the window spans. */
  readonly windowSteps: number
  /** Weights averaged over the window; the caller disposes them. */
  readonly weights: tf.Tensor[]
}

export type WeightAverages = {
  /** Counts one step, after it was taken. */
  add(weights: Weights): void
  /** Takes effect with the next block; the present one is closed if it is at least half full, else left out. */
  setBlockSteps(blockSteps: number): void
  /** Means over the windows that exist since the last reset, shortest first. */
  windows(): AveragedWindow[]
  /** Mean over the newest finished block; undefined if there is none. */
  lastBlock(): tf.Tensor[] | undefined
  /** Forgets everything: after a restore old weights must not be averaged with new ones. */
  reset(): void
}

const emptyBlock = (): Block => ({ sums: undefined, sampleCount: 0, stepCount: 0 })

const disposeBlock = (block: Block): void => {
  if (block.sums !== undefined) disposeAll(block.sums)
}

function addSample(block: Block, weights: Weights): void {
  const { sums } = block
  block.sums = weights.map((weight, index) =>
    sums === undefined ? weight.clone() : tf.add(sums[index]!, weight),
  )
  if (sums !== undefined) disposeAll(sums)
  block.sampleCount++
}

function meanOf(blocks: readonly Block[]): tf.Tensor[] {
  const sampleCount = blocks.reduce((sum, block) => sum + block.sampleCount, 0)
  return blocks[0]!.sums!.map((_, index) =>
    tf.tidy(() => {
      const sums = blocks.map((block) => block.sums![index]!)
      return tf.div(sums.length === 1 ? sums[0]! : tf.addN(sums), sampleCount)
    }),
  )
}

/** @param blockSteps length of a block in steps, a whole number of 1 or more. */
export function createWeightAverages(blockSteps: number): WeightAverages {
  let length = blockSteps
  let current = emptyBlock()
  const finished: Block[] = []

  const close = (): void => {
    if (current.sums !== undefined) finished.push(current)
    current = emptyBlock()
    while (finished.length > blocksKept) disposeBlock(finished.shift()!)
  }
  return {
    add: (weights) => {
      const every = length < shortBlockSteps ? 1 : sampleSteps
      current.stepCount++
      // Counted back from the block's end, so that its last weights are always among the samples.
      if ((length - current.stepCount) % every === 0) addSample(current, weights)
      if (current.stepCount >= length) close()
    },
    setBlockSteps: (next) => {
      if (next === length) return
      if (current.stepCount * 2 >= length) close()
      else {
        disposeBlock(current)
        current = emptyBlock()
      }
      length = next
    },
    windows: () =>
      windowBlocks
        .filter((count) => count <= finished.length)
        .map((count) => {
          const blocks = finished.slice(-count)
          const windowSteps = blocks.reduce((sum, block) => sum + block.stepCount, 0)
          return { windowSteps, weights: meanOf(blocks) }
        }),
    lastBlock: () => (finished.length === 0 ? undefined : meanOf(finished.slice(-1))),
    reset: () => {
      for (const block of finished.splice(0)) disposeBlock(block)
      disposeBlock(current)
      current = emptyBlock()
    },
  }
}
