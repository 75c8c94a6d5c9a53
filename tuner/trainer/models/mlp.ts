// A multilayer perceptron with ReLU: 784-256-128-10 on 28×28 images and 49-64-32-10 on the 7×7 digits, unless
// hidden widths are given.

import * as tf from '@tensorflow/tfjs-core'
import { initialTensors, type Model, type ModelShape, type WeightInfo } from './model.ts'

function usualWidths(inputSize: number): readonly number[] {
  return inputSize >= 784 ? [256, 128] : [64, 32]
}

const dense = (x: tf.Tensor2D, matrix: tf.Tensor, bias: tf.Tensor): tf.Tensor2D =>
  tf.add(tf.matMul(x, matrix as tf.Tensor2D), bias)

export function createMlp({ height, width, classCount, ...options }: ModelShape): Model {
  const hidden = options.widths ?? usualWidths(height * width)
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
