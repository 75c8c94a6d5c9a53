import { expect, it } from 'vitest'
import { wasmOpener } from './backends/wasm.ts'
import { disposeBatch } from './data/batches.ts'
import { createMlp } from './models/mlp.ts'
import { disposeAll } from './optimizers/optimizer.ts'
import { createOptimizer } from './optimizers/optimizers.ts'
import { createRandom } from './random.ts'
import { createGradientMaker, type StepGradients } from './stepGradients.ts'
import { smallBatch, smallTask } from './testing/smallTask.ts'

it('what a split gradient takes more than a plain one is its cost, and chance does not add up to one', async () => {
  await wasmOpener.open()
  const dataset = smallTask()
  const model = createMlp(dataset)
  const weights = model.initialWeights(createRandom(1))
  const batch = smallBatch(dataset, 16)
  // Each gradient takes as long as the next of these says.
  const seconds = [8, 9, 8, 7, 10, 12, 2, 10, 16]
  let now = 0
  let reads = 0
  const maker = createGradientMaker(model, createOptimizer('sgd'), () => {
    if (reads++ % 2 === 1) now += seconds.shift()!
    return now
  })
  const cost = ({ signalSeconds, loss, gradients, norms }: StepGradients) => {
    for (const norm of Object.values(norms)) norm?.dispose()
    disposeAll([loss, ...gradients])
    return signalSeconds
  }
  const split = () => cost(maker.split(weights, batch))
  expect(cost(maker.plain(weights, batch))).toBe(0)
  // 1 more; as long; 1 less, which the next one makes up for; 4 more.
  expect([split(), split(), split(), split(), split()]).toEqual([1, 0, 0, 1, 4])
  // A machine that paused in a plain step owes one step's time at most: 6 less, then 2 more, 8 more.
  expect([split(), split(), split()]).toEqual([0, 0, 4])
  disposeAll(weights)
  disposeBatch(batch)
})
