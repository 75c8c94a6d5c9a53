// Convolution gradients on the WASM backend, composed of forward convolutions, which it runs through XNNPACK.
//
// Filter gradient (the backend has none): dF[i,j,c,k] = Σ_{b,u,v} X[b, u·s+i, v·s+j, c]·dY[b,u,v,k], with X
// padded as in the forward pass. That is itself a convolution in which batch and channels change places: image
// Xᵀ (c as batch, b as channels), filter dYᵀ of size u×v, dilated by the forward stride s. With few channels
// the image would have almost no batch, and a product of shifted rows of X with dY is three times faster.
//
// Input gradient (the backend's own is a plain loop, 67 ms where this takes 6): for stride 1 it is a forward
// convolution of dY with the filter turned by 180° and its channels exchanged. Other strides keep the loop.

import * as tf from '@tensorflow/tfjs-core'
import { addKernel, type KernelCall, wrapKernel } from './replaceKernel.ts'

type ConvAttrs = {
  readonly strides: number | [number, number]
  readonly pad: number | 'same' | 'valid' | tf.backend_util.ExplicitPadding
  readonly dataFormat: 'NHWC' | 'NCHW'
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}
type Shape4 = [number, number, number, number]

/** With at most so many input channels the filter gradient is a product of shifted rows. */
const fewChannels = 4

function convInfo(inputShape: readonly number[], filterShape: readonly number[], attrs: ConvAttrs) {
  if (attrs.dataFormat !== 'NHWC')
    throw new Error(
      `dataFormat must be NHWC for convolution gradients on this backend, got ${attrs.dataFormat}`,
    )
  const { strides, pad, dimRoundingMode } = attrs
  return tf.backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape as Shape4,
    strides,
    1,
    pad as never,
    dimRoundingMode,
  )
}

/** The input with exactly the rows and columns that the forward pass read: padded, or cut where it read less. */
function readRegion(x: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor4D {
  const { padInfo, filterHeight, filterWidth, outHeight, outWidth, strideHeight, strideWidth } = info
  const height = (outHeight - 1) * strideHeight + filterHeight
  const width = (outWidth - 1) * strideWidth + filterWidth
  const bottom = Math.max(0, height - padInfo.top - info.inHeight)
  const right = Math.max(0, width - padInfo.left - info.inWidth)
  const padded = tf.pad(x, [
    [0, 0],
    [padInfo.top, bottom],
    [padInfo.left, right],
    [0, 0],
  ])
  return tf.slice(padded, [0, 0, 0, 0], [info.batchSize, height, width, info.inChannels])
}

function byConvolution(x: tf.Tensor4D, dy: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor4D {
  const images = tf.transpose(x, [3, 1, 2, 0])
  const filters = tf.transpose(dy, [1, 2, 0, 3])
  const result = tf.conv2d(images, filters, 1, 'valid', 'NHWC', [info.strideHeight, info.strideWidth])
  return tf.transpose(result, [1, 2, 0, 3])
}

function byShiftedRows(x: tf.Tensor4D, dy: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor4D {
  const { batchSize, outHeight, outWidth, strideHeight, strideWidth, filterHeight, filterWidth, inChannels } =
    info
  const channelsFirst = tf.transpose(x, [3, 0, 1, 2])
  const rows: tf.Tensor2D[] = []
  for (let i = 0; i < filterHeight; i++)
    for (let j = 0; j < filterWidth; j++) {
      const end = [
        inChannels,
        batchSize,
        i + (outHeight - 1) * strideHeight + 1,
        j + (outWidth - 1) * strideWidth + 1,
      ]
      const shifted = tf.stridedSlice(channelsFirst, [0, 0, i, j], end, [1, 1, strideHeight, strideWidth])
      rows.push(tf.reshape(shifted, [inChannels, -1]))
    }
  const product = tf.matMul(tf.concat(rows, 0), tf.reshape(dy, [-1, info.outChannels]) as tf.Tensor2D)
  return tf.reshape(product, [filterHeight, filterWidth, inChannels, info.outChannels])
}

function conv2DBackpropFilter(call: KernelCall): tf.TensorInfo {
  const { x, dy } = call.inputs as unknown as { x: tf.Tensor4D; dy: tf.Tensor4D }
  const attrs = call.attrs as unknown as ConvAttrs & { filterShape: Shape4 }
  const info = convInfo(x.shape, attrs.filterShape, attrs)
  return tf.tidy(() => {
    const region = readRegion(x, info)
    return info.inChannels <= fewChannels ? byShiftedRows(region, dy, info) : byConvolution(region, dy, info)
  })
}

function inputGradientByConvolution(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  info: tf.backend_util.Conv2DInfo,
): tf.Tensor4D {
  const { padInfo, filterHeight, filterWidth } = info
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
  const full = tf.conv2d(
    tf.pad(dy, [
      [0, 0],
      [filterHeight - 1, filterHeight - 1],
      [filterWidth - 1, filterWidth - 1],
      [0, 0],
    ]),
    turned,
    1,
    'valid',
  )
  const height = info.inHeight
  const width = info.inWidth
  return tf.slice(full, [0, padInfo.top, padInfo.left, 0], [info.batchSize, height, width, info.inChannels])
}

export function improveConv2DGradients(backendName: string): void {
  addKernel(backendName, 'Conv2DBackpropFilter', conv2DBackpropFilter)
  wrapKernel(backendName, 'Conv2DBackpropInput', (original) => (call) => {
    const { dy, filter } = call.inputs as unknown as { dy: tf.Tensor4D; filter: tf.Tensor4D }
    const attrs = call.attrs as unknown as ConvAttrs & { inputShape: Shape4 }
    const info = convInfo(attrs.inputShape, filter.shape, attrs)
    // A transposed convolution may ask for an image of another size than its dy belongs to: the loop knows what to do.
    const fits = dy.shape[1] === info.outHeight && dy.shape[2] === info.outWidth
    if (info.strideHeight !== 1 || info.strideWidth !== 1 || !fits) return original(call)
    return tf.tidy(() => inputGradientByConvolution(dy, filter, info))
  })
}
