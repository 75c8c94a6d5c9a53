// The derivatives of the ops our models are made of, for tfjs's tape. tfjs-core's Node bundle registers none
// (its register_all_gradients cannot be imported by Node), so each is written here from its definition; a
// gradient that is registered already, as in the full tfjs package, stays. With y = f(x), each function turns
// dy = ∂L/∂y into ∂L/∂x.

import * as tf from '@tensorflow/tfjs-core'
import { gatherGradient } from './gatherGradient.ts'
import { productNorm, rowSumNorm, summedParts } from './partGradients.ts'

type Conv2DAttrs = {
  strides: [number, number]
  pad: 'same' | 'valid' | number
  dataFormat: 'NHWC'
  dilations: unknown
}
type MatMulAttrs = { transposeA: boolean; transposeB: boolean }
type PoolAttrs = { filterSize: [number, number]; strides: [number, number]; pad: 'same' | 'valid' | number }

const runKernel = (name: string, inputs: tf.NamedTensorMap, attrs: object) =>
  tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor

/** dy summed over the axes along which an operand of this shape was repeated. */
function summedTo(dy: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape)
  return axes.length === 0 ? dy : tf.reshape(tf.sum(dy, axes), shape)
}

const gradients: readonly tf.GradConfig[] = [
  {
    // y = a + b, either repeated to the other's shape.
    kernelName: 'Add',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor]
      return {
        a: () => summedTo(dy as tf.Tensor, a.shape),
        // The usual bias is repeated along all axes but the last.
        b: () =>
          summedParts(
            [dy as tf.Tensor],
            ([part]) => summedTo(part!, b.shape),
            b.rank === 1 && b.shape[0] === (dy as tf.Tensor).shape.at(-1) ? rowSumNorm : undefined,
          ),
      }
    },
  },
  {
    // y = A·B: ∂A = dy·Bᵀ, ∂B = Aᵀ·dy; of transposed operands the same, with both sides transposed.
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attrs) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor]
      const { transposeA, transposeB } = attrs as unknown as MatMulAttrs
      const upstream = dy as tf.Tensor
      const ofA = () =>
        transposeA ? tf.matMul(b, upstream, transposeB, true) : tf.matMul(upstream, b, false, !transposeB)
      const ofB = ([left, right]: readonly tf.Tensor[]) =>
        transposeB ? tf.matMul(right!, left!, true, transposeA) : tf.matMul(left!, right!, !transposeA, false)
      // With a transposed A the batch is not its first axis, so there are no parts of a batch.
      return {
        a: ofA,
        b: () =>
          transposeA
            ? ofB([a, upstream])
            : summedParts([a, upstream], ofB, a.rank === 2 && !transposeB ? productNorm : undefined),
      }
    },
  },
  {
    kernelName: 'Reshape',
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => tf.reshape(dy as tf.Tensor, saved[0]!.shape) }),
  },
  {
    // y = max(x, 0): passes dy where y > 0; at 0 the derivative is taken as 0.
    kernelName: 'Relu',
    outputsToSave: [true],
    gradFunc: (dy, saved) => ({ x: () => tf.mul(dy as tf.Tensor, tf.cast(tf.step(saved[0]!), 'float32')) }),
  },
  {
    kernelName: 'Conv2D',
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, saved, attrs) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D]
      const { strides, pad, dataFormat } = attrs as unknown as Conv2DAttrs
      const shared = { strides, pad, dataFormat }
      return {
        x: () =>
          runKernel(
            'Conv2DBackpropInput',
            { dy: dy as tf.Tensor, filter },
            { ...shared, inputShape: x.shape },
          ),
        filter: () =>
          summedParts([x, dy as tf.Tensor], ([images, upstream]) =>
            runKernel(
              'Conv2DBackpropFilter',
              { x: images!, dy: upstream! },
              { ...shared, filterShape: filter.shape },
            ),
          ),
      }
    },
  },
  {
    kernelName: 'MaxPool',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => {
      const [input, output] = saved as [tf.Tensor4D, tf.Tensor4D]
      const { filterSize, strides, pad } = attrs as unknown as PoolAttrs
      return {
        x: () =>
          runKernel('MaxPoolGrad', { dy: dy as tf.Tensor, input, output }, { filterSize, strides, pad }),
      }
    },
  },
  {
    // y = slices of x: each slice of dy goes back to where it was taken from.
    kernelName: 'GatherV2',
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, saved, attrs) => {
      const [x, indices] = saved as [tf.Tensor, tf.Tensor]
      const { axis, batchDims = 0 } = attrs as unknown as { axis: number; batchDims?: number }
      return {
        x: () => gatherGradient(dy as tf.Tensor, indices, x.shape, { axis, batchDims }),
        indices: () => indices,
      }
    },
  },
]

/** Registers what is missing; safe to call again. */
export function registerGradients(): void {
  for (const config of gradients)
    if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config)
}

/** Whether the tape uses our derivatives of weights, which can give the micro-batches' parts. */
export function hasPartGradients(): boolean {
  return gradients.every((config) => tf.getGradient(config.kernelName) === config)
}
