// Named checkpoints in memory: weights, the optimizer's state and the place in the data order, from which all
// randomness of later steps follows. Tensors are immutable, so a checkpoint is clones that share memory with the
// run until it moves on: taking one costs no copy. At most `checkpointsMax` are kept; a further one drops the
// oldest, and says which.

import type * as tf from '@tensorflow/tfjs-core'
import type { DataOrderState } from './data/dataOrder.ts'
import { cloneAll, disposeAll, disposeState, type OptimizerState } from './optimizers/optimizer.ts'

/** Checkpoints kept in memory, each a copy of the weights and of the optimizer's moments. */
export const checkpointsMax = 8

export type Checkpoint = {
  /** Steps taken when it was made. */
  readonly step: number
  readonly weights: readonly tf.Tensor[]
  readonly optimizer: OptimizerState
  readonly dataOrder: DataOrderState
}

export type Checkpoints = {
  /** Takes over the checkpoint's tensors. Returns the names dropped to make room. */
  save(name: string, checkpoint: Checkpoint): string[]
  get(name: string): Checkpoint | undefined
  /** Whether there was one of that name. */
  drop(name: string): boolean
  names(): string[]
  dispose(): void
}

export function disposeCheckpoint(checkpoint: Checkpoint): void {
  disposeAll(checkpoint.weights)
  disposeState(checkpoint.optimizer)
}

export function cloneCheckpoint(checkpoint: Checkpoint): Checkpoint {
  const { tensors, numbers } = checkpoint.optimizer
  const cloned = Object.fromEntries(Object.entries(tensors).map(([name, list]) => [name, cloneAll(list)]))
  return { ...checkpoint, weights: cloneAll(checkpoint.weights), optimizer: { tensors: cloned, numbers } }
}

export function createCheckpoints(limit: number = checkpointsMax): Checkpoints {
  const kept = new Map<string, Checkpoint>()
  const drop = (name: string): boolean => {
    const checkpoint = kept.get(name)
    if (checkpoint === undefined) return false
    disposeCheckpoint(checkpoint)
    return kept.delete(name)
  }
  return {
    save: (name, checkpoint) => {
      drop(name)
      kept.set(name, checkpoint)
      const dropped: string[] = []
      for (const oldest of kept.keys()) {
        if (kept.size <= limit) break
        drop(oldest)
        dropped.push(oldest)
      }
      return dropped
    },
    get: (name) => kept.get(name),
    drop,
    names: () => [...kept.keys()],
    dispose: () => {
      for (const name of [...kept.keys()]) drop(name)
    },
  }
}
