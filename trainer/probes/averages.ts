// Averaged weights: the device keeps the weights of every 4th step (of every step in blocks shorter than 8), and of
// the last blocks so many that the longest window is covered. They are added only when a probe asks for a window's
// mean, or when so many wait that memory bounds them: adding at each sample cost 1.3 % of a small network's time,
// keeping costs .1 % (bench/records/2026-11-24-signal-cost). Memory: at most `blocksKept` + 1 blocks of
// `samplesHeld` + 1 copies of the weights.

import * as tf from '@tensorflow/tfjs-core'
import type { Weights } from '../models/model.ts'
import { cloneAll, disposeAll } from '../optimizers/optimizer.ts'

/** Windows of averaged weights, in blocks. */
export const allWindows = [1, 2, 4] as const
/** With the longest alone no decision of the traces is worse, for a third of a probe's cost: the same record. */
export type Windows = 'all' | 'longest'
/** Finished blocks kept on the device: the longest window. */
export const blocksKept = 4
/** Samples of a block that wait to be added: all samples of a block of at most 24 steps. */
export const samplesHeld = 6
const sampleSteps = 4
const shortBlockSteps = 8

/** The samples are `held`, and the ones before them are in `sums`. */
type Block = { held: tf.Tensor[][]; sums: tf.Tensor[] | undefined; sampleCount: number; stepCount: number }

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
  /** Means over those windows that exist since the last reset, or over the longest of them. */
  windows(which: Windows): AveragedWindow[]
  /** Mean over all finished blocks that are kept; undefined if there is none. The caller disposes it. */
  longest(): tf.Tensor[] | undefined
  /** Mean over the newest finished block; undefined if there is none. */
  lastBlock(): tf.Tensor[] | undefined
  /** Forgets everything: after a restore old weights must not be averaged with new ones. */
  reset(): void
}

const emptyBlock = (): Block => ({ held: [], sums: undefined, sampleCount: 0, stepCount: 0 })

/** What a block's sum consists of. */
const partsOf = ({ held, sums }: Block): tf.Tensor[][] => (sums === undefined ? held : [sums, ...held])

const disposeBlock = (block: Block): void => {
  for (const part of partsOf(block)) disposeAll(part)
}

function sumOf(parts: readonly (readonly tf.Tensor[])[]): tf.Tensor[] {
  return parts[0]!.map((first, index) =>
    parts.length === 1 ? first.clone() : tf.addN(parts.map((part) => part[index]!)),
  )
}

function addSample(block: Block, weights: Weights): void {
  if (block.held.length === samplesHeld) {
    const sums = sumOf(partsOf(block))
    disposeBlock(block)
    block.sums = sums
    block.held = []
  }
  // Tensors are immutable: a clone is a reference.
  block.held.push(cloneAll(weights))
  block.sampleCount++
}

function meanOf(blocks: readonly Block[]): tf.Tensor[] {
  const sampleCount = blocks.reduce((sum, block) => sum + block.sampleCount, 0)
  const sums = sumOf(blocks.flatMap(partsOf))
  const means = sums.map((sum) => tf.div(sum, sampleCount))
  disposeAll(sums)
  return means
}

/** @param blockSteps length of a block in steps, a whole number of 1 or more. */
export function createWeightAverages(blockSteps: number): WeightAverages {
  let length = blockSteps
  let current = emptyBlock()
  const finished: Block[] = []

  const close = (): void => {
    if (current.sampleCount > 0) finished.push(current)
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
    windows: (which) => {
      const existing = allWindows.filter((count) => count <= finished.length)
      return (which === 'all' ? existing : existing.slice(-1)).map((count) => {
        const blocks = finished.slice(-count)
        const windowSteps = blocks.reduce((sum, block) => sum + block.stepCount, 0)
        return { windowSteps, weights: meanOf(blocks) }
      })
    },
    longest: () => (finished.length === 0 ? undefined : meanOf(finished)),
    lastBlock: () => (finished.length === 0 ? undefined : meanOf(finished.slice(-1))),
    reset: () => {
      for (const block of finished.splice(0)) disposeBlock(block)
      disposeBlock(current)
      current = emptyBlock()
    },
  }
}
