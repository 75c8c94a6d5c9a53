// A small convolutional network: two layers of 3×3 filters (16, then 32, unless counts are given), each followed
// by 2×2 max pooling and ReLU, then one dense layer.

import * as tf from '@tensorflow/tfjs-core'
import { initialTensors, type Model, type ModelShape, type WeightInfo } from './model.ts'

const usualFilterCounts = [16, 32] as const

const convolve = (x: tf.Tensor4D, filter: tf.Tensor, bias: tf.Tensor): tf.Tensor4D =>
  tf.add(tf.conv2d(x, filter as tf.Tensor4D, 1, 'same'), bias)

/** Pooling before ReLU gives the same as after it, as both keep order, and ReLU then works on a quarter. */
const activate = (x: tf.Tensor4D): tf.Tensor4D => tf.relu(tf.maxPool(x, 2, 2, 'same'))

export function createCnn({ height, width, classCount, widths = usualFilterCounts }: ModelShape): Model {
  const filterCounts = widths as readonly [number, number]
  const halved = (length: number) => Math.ceil(length / 2)
  const features = halved(halved(height)) * halved(halved(width)) * filterCounts[1]
  const weightInfos: WeightInfo[] = [
    { name: 'convolution0/filter', shape: [3, 3, 1, filterCounts[0]] },
    { name: 'convolution0/bias', shape: [filterCounts[0]] },
    { name: 'convolution1/filter', shape: [3, 3, filterCounts[0], filterCounts[1]] },
    { name: 'convolution1/bias', shape: [filterCounts[1]] },
    { name: 'dense/matrix', shape: [features, classCount] },
    { name: 'dense/bias', shape: [classCount] },
  ]
  return {
    name: 'cnn',
    weightInfos,
    stemWeightCount: 2,
    initialWeights: (random) => initialTensors(weightInfos, random),
    stem: (weights, inputs) => {
      const images = tf.reshape(inputs, [inputs.shape[0], height, width, 1]) as tf.Tensor4D
      return convolve(images, weights[0]!, weights[1]!)
    },
    head: (weights, stem) => {
      const second = convolve(activate(stem as tf.Tensor4D), weights[2]!, weights[3]!)
      const flat = tf.reshape(activate(second), [stem.shape[0]!, features]) as tf.Tensor2D
      return tf.add(tf.matMul(flat, weights[4]! as tf.Tensor2D), weights[5]!)
    },
  }
}
