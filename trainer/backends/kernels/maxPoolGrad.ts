// The gradient of max pooling on the WASM backend: each output's dy goes to the first of the largest inputs in its
// window. The backend's own kernel builds tables of positions in JavaScript and then reads every one of them for
// every input; here one pass over the windows works in the WebAssembly memory directly (14 ms instead of 33 for
// both poolings of the small network at batch 128). A window that is all NaN passes nothing on.

import * as tf from '@tensorflow/tfjs-core'
import { wrapKernel } from './replaceKernel.ts'

type WasmMemory = {
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo
  typedArrayFromHeap(x: tf.TensorInfo): Float32Array
}
type PoolAttrs = {
  readonly filterSize: [number, number] | number
  readonly strides: [number, number] | number
  readonly pad: 'same' | 'valid' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}
type Span = { readonly from: number; readonly to: number }

/** The part of window number `index` that lies on the input, along one axis. */
function spanOf(index: number, stride: number, pad: number, filter: number, length: number): Span {
  const start = index * stride - pad
  return { from: Math.max(0, start), to: Math.min(length, start + filter) }
}

/** Adds dy of one window to its largest input, channel by channel. `imageOffset` is where the image begins. */
function passOn(
  window: { rows: Span; columns: Span; imageOffset: number; outOffset: number },
  info: tf.backend_util.Conv2DInfo,
  { x, dy, dx }: { x: Float32Array; dy: Float32Array; dx: Float32Array },
): void {
  const { rows, columns, imageOffset, outOffset } = window
  const { inChannels: channels, inWidth } = info
  for (let channel = 0; channel < channels; channel++) {
    let largest = Number.NEGATIVE_INFINITY
    let at = -1
    for (let row = rows.from; row < rows.to; row++)
      for (let column = columns.from; column < columns.to; column++) {
        const index = imageOffset + (row * inWidth + column) * channels + channel
        const value = x[index]!
        if (value > largest) {
          largest = value
          at = index
        }
      }
    if (at >= 0) dx[at] = dx[at]! + dy[outOffset + channel]!
  }
}

function passAllOn(
  info: tf.backend_util.Conv2DInfo,
  arrays: { x: Float32Array; dy: Float32Array; dx: Float32Array },
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels, padInfo } = info
  const rowSpans = Array.from({ length: outHeight }, (_, row) =>
    spanOf(row, info.strideHeight, padInfo.top, info.filterHeight, inHeight),
  )
  const columnSpans = Array.from({ length: outWidth }, (_, column) =>
    spanOf(column, info.strideWidth, padInfo.left, info.filterWidth, inWidth),
  )
  let outOffset = 0
  for (let image = 0; image < batchSize; image++) {
    const imageOffset = image * inHeight * inWidth * channels
    for (const rows of rowSpans)
      for (const columns of columnSpans) {
        passOn({ rows, columns, imageOffset, outOffset }, info, arrays)
        outOffset += channels
      }
  }
}

export function improveMaxPoolGrad(backendName: string): void {
  wrapKernel(backendName, 'MaxPoolGrad', () => (call) => {
    const { dy, input } = call.inputs as { dy: tf.TensorInfo; input: tf.TensorInfo }
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as unknown as PoolAttrs
    const shape = input.shape as [number, number, number, number]
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
    const backend = call.backend as WasmMemory
    const out = backend.makeOutput(input.shape, 'float32')
    const dx = backend.typedArrayFromHeap(out).fill(0)
    passAllOn(info, { x: backend.typedArrayFromHeap(input), dy: backend.typedArrayFromHeap(dy), dx })
    return out
  })
}
