// A model is plain functions over a list of named weights: no layers, no hidden state, so a checkpoint is the
// list and nothing else. Each model is cut in two: the `stem`, linear in its weights (the first layer before its
// activation), and the `head`, the rest. The cut makes probes cheap: along a line w + ε·d the stem's output is
// stem(w) + ε·stem(d), so the first layer, most of an MLP's work, is computed twice for a whole line probe.

import * as tf from '@tensorflow/tfjs-core'
import type { Batch } from '../data/batches.ts'
import type { Encoding } from '../data/dataset.ts'
import type { Random } from '../random.ts'

export type Weights = readonly tf.Tensor[]
export type WeightInfo = { readonly name: string; readonly shape: readonly number[] }

export type Model = {
  readonly name: string
  readonly weightInfos: readonly WeightInfo[]
  /** How many of the first weights belong to the stem. */
  readonly stemWeightCount: number
  /** Fresh weights; the caller owns them. */
  initialWeights(random: Random): tf.Tensor[]
  /** Linear in the first `stemWeightCount` weights. inputs: [count, height·width]. */
  stem(weights: Weights, inputs: tf.Tensor2D): tf.Tensor
  /** Class scores [count, classCount] from the stem's output; uses the weights after the stem's. */
  head(weights: Weights, stem: tf.Tensor): tf.Tensor2D
}

/** What a model is built for. */
export type ModelShape = {
  readonly height: number
  readonly width: number
  readonly classCount: number
  /** Absent: standardised pixels. */
  readonly encoding?: Encoding
  /** Hidden widths of an MLP, filter counts of a CNN; absent: the model's usual ones. */
  readonly widths?: readonly number[]
}

/**
 * He et al. 2015: normal with variance 2 / fanIn, which keeps the variance through ReLU layers; biases are 0.
 * The last layer gets variance 1 / fanIn, as no ReLU follows it.
 */
export function initialTensors(infos: readonly WeightInfo[], random: Random): tf.Tensor[] {
  const last = infos.findLastIndex(({ shape }) => shape.length > 1)
  return infos.map(({ shape }, index) => {
    const size = shape.reduce((product, length) => product * length, 1)
    if (shape.length === 1) return tf.zeros([...shape])
    const fanIn = size / shape.at(-1)!
    const deviation = Math.sqrt((index === last ? 1 : 2) / fanIn)
    return tf.tensor(
      Float32Array.from({ length: size }, () => random.normal() * deviation),
      [...shape],
    )
  })
}

export const logitsOf = (model: Model, weights: Weights, inputs: tf.Tensor2D): tf.Tensor2D =>
  model.head(weights, model.stem(weights, inputs))

/**
 * Mean cross-entropy in nats of scores against one-hot labels, with its own derivative (softmax − labels)/count.
 * Computed as log Σexp(z − max z) − (z_label − max z), which neither overflows nor loses the small values.
 */
export const crossEntropy: (logits: tf.Tensor2D, labels: tf.Tensor2D) => tf.Scalar = tf.customGrad(
  (logits, labels, save) => {
    const scores = logits as tf.Tensor2D
    const shifted = tf.sub(scores, tf.max(scores, 1, true))
    const exponentials = tf.exp(shifted)
    const sums = tf.sum(exponentials, 1, true)
    const chosen = tf.sum(tf.mul(shifted, labels as tf.Tensor2D), 1, true)
    const value = tf.mean(tf.sub(tf.log(sums), chosen)) as tf.Scalar
    ;(save as tf.GradSaveFunc)([tf.div(exponentials, sums), labels as tf.Tensor])
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [probabilities, oneHot] = saved as [tf.Tensor2D, tf.Tensor2D]
      const difference = tf.mul(tf.sub(probabilities, oneHot), tf.div(dy, probabilities.shape[0]))
      return [difference, tf.zerosLike(oneHot)]
    }
    return { value, gradFunc: gradFunc as never }
  },
) as never

/** Share of rows whose highest score is the label's, as a scalar tensor in [0, 1]. */
export function accuracyOf(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
  const right = tf.equal(tf.argMax(logits, 1), tf.argMax(labels, 1))
  return tf.mean(tf.cast(right, 'float32')) as tf.Scalar
}

export type LossAndGradients = { readonly loss: tf.Scalar; readonly gradients: tf.Tensor[] }

/** Mean loss of a batch and its gradients, one per weight. The caller disposes all of them. */
export function lossAndGradients(model: Model, weights: Weights, batch: Batch): LossAndGradients {
  const lossOf = (...list: tf.Tensor[]) => crossEntropy(logitsOf(model, list, batch.inputs), batch.labels)
  const { value, grads } = tf.valueAndGrads(lossOf)([...weights])
  return { loss: value as tf.Scalar, gradients: grads }
}
