// The step function on native TensorFlow, which is the derivative of ReLU. tfjs-node composes it of eight ops that
// each write a whole tensor; for a slope of 0 below zero it is max(sign(x), 0), which takes two and keeps NaN as the
// other does. It is the only kernel of TensorFlow that we replace: those in ../kernels are for WebAssembly, whose own
// are missing or plain loops, and on TensorFlow they would be detours.

import * as tf from '@tensorflow/tfjs-core'
import { wrapKernel } from '../kernels/replaceKernel.ts'

export function improveStep(backendName: string): void {
  wrapKernel(backendName, 'Step', (original) => (call) => {
    const x = call.inputs.x as tf.Tensor
    const { alpha } = call.attrs as unknown as { alpha: number }
    return alpha === 0 && x.dtype === 'float32' ? tf.tidy(() => tf.relu(tf.sign(x))) : original(call)
  })
}
