import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { disposeAll } from '../optimizers/optimizer.ts'
import {
  blocksKept,
  createWeightAverages,
  samplesHeld,
  type WeightAverages,
  type Windows,
} from './averages.ts'

beforeAll(async () => {
  await openBackend('wasm')
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

/** Adds weights of one number, which is the step's. */
function addSteps(averages: WeightAverages, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const weight = tf.scalar(step)
    averages.add([weight])
    weight.dispose()
  }
}

function readWindows(averages: WeightAverages, windows: Windows = 'longest'): [number, number][] {
  return averages.windows(windows).map(({ windowSteps, weights }) => {
    const value = weights[0]!.dataSync()[0]!
    disposeAll(weights)
    return [windowSteps, value]
  })
}

describe('averaged weights', () => {
  it('of short blocks are the mean of every step, over windows of 1, 2 and 4 blocks, or the longest there is', () => {
    const averages = createWeightAverages(4)
    addSteps(averages, 0, 4)
    expect(readWindows(averages)).toEqual([[4, 1.5]])
    addSteps(averages, 4, 8)
    expect(readWindows(averages)).toEqual([[8, 3.5]])
    addSteps(averages, 8, 22)
    expect(readWindows(averages, 'all')).toEqual([
      [4, 17.5],
      [8, 15.5],
      [16, 11.5],
    ])
    expect(readWindows(averages)).toEqual([[16, 11.5]])
    averages.reset()
  })
  it('of long blocks are the mean of every 4th step, the last one of the block among them', () => {
    const averages = createWeightAverages(10)
    addSteps(averages, 0, 10)
    expect(readWindows(averages)).toEqual([[10, (1 + 5 + 9) / 3]])
    averages.reset()
  })
  it('forget everything at a reset', () => {
    const averages = createWeightAverages(4)
    addSteps(averages, 0, 10)
    averages.reset()
    expect(readWindows(averages)).toEqual([])
    expect(averages.lastBlock()).toBeUndefined()
    addSteps(averages, 100, 104)
    expect(readWindows(averages)).toEqual([[4, 101.5]])
    averages.reset()
  })
  it('close a block that is half full when the length changes, and leave out one that is not', () => {
    const averages = createWeightAverages(6)
    addSteps(averages, 0, 3)
    averages.setBlockSteps(2)
    addSteps(averages, 3, 9)
    // The half block of 0 to 2, and three blocks of two steps.
    expect(readWindows(averages, 'all')).toEqual([
      [2, 7.5],
      [4, 6.5],
      [9, 4],
    ])
    averages.setBlockSteps(10)
    addSteps(averages, 9, 13)
    averages.setBlockSteps(4)
    addSteps(averages, 13, 17)
    expect(readWindows(averages, 'all')[0]).toEqual([4, 14.5])
    averages.reset()
  })
  it('of blocks with more samples than are held are the mean of all of them', () => {
    const averages = createWeightAverages(100)
    addSteps(averages, 0, 400)
    // Every 4th step: 303 to 399, and 3 to 399.
    expect(readWindows(averages, 'all')).toEqual([
      [100, 351],
      [200, 301],
      [400, 201],
    ])
    averages.reset()
  })
  it('keep no more copies of the weights than they say', () => {
    for (const blockSteps of [2, 20, 24, 28, 100]) {
      const averages = createWeightAverages(blockSteps)
      let copiesMax = 0
      for (let step = 0; step < 6 * blockSteps; step++) {
        addSteps(averages, step, step + 1)
        copiesMax = Math.max(copiesMax, tf.memory().numTensors)
      }
      const samples = blockSteps < 8 ? blockSteps : blockSteps / 4
      const copiesOfBlock = samples <= samplesHeld ? samples : samplesHeld + 1
      expect(copiesMax).toBeGreaterThanOrEqual(blocksKept * Math.min(samples, 2))
      expect(copiesMax).toBeLessThanOrEqual((blocksKept + 1) * copiesOfBlock)
      averages.reset()
    }
  })
})
