// A multilayer perceptron with ReLU: 784-256-128-10 on 28×28 images, 49-64-32-10 on the 7×7 digits and 960-64-64-80
// on text, unless hidden widths are given. On text, whose inputs are one-hot, the first layer gives each character at
// each place a vector of its own; that is an embedding, and its sum over the places, in one product.

import * as tf from '@tensorflow/tfjs-core'
import { initialTensors, type Model, type ModelShape, type WeightInfo } from './model.ts'

function usualWidths({ height, width, encoding }: ModelShape): readonly number[] {
  if (encoding?.kind === 'oneHot') return [64, 64]
  return height * width >= 784 ? [256, 128] : [64, 32]
}

const dense = (x: tf.Tensor2D, matrix: tf.Tensor, bias: tf.Tensor): tf.Tensor2D =>
  tf.add(tf.matMul(x, matrix as tf.Tensor2D), bias)

export function createMlp(shape: ModelShape): Model {
  const { height, width, classCount } = shape
  const hidden = shape.widths ?? usualWidths(shape)
  const widths = [height * width, ...hidden, classCount]
  const weightInfos: WeightInfo[] = widths.slice(1).flatMap((columns, layer) => [
    { name: `dense${layer}/matrix`, shape: [widths[layer]!, columns] },
    { name: `dense${layer}/bias`, shape: [columns] },
  ])
  return {
    name: 'mlp',
    weightInfos,
    stemWeightCount: 2,
    initialWeights: (random) => initialTensors(weightInfos, random),
    stem: (weights, inputs) => dense(inputs, weights[0]!, weights[1]!),
    head: (weights, stem) => {
      let x = stem as tf.Tensor2D
      for (let i = 2; i < weights.length; i += 2) x = dense(tf.relu(x), weights[i]!, weights[i + 1]!)
      return x
    },
  }
}
