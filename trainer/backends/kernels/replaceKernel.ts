// Shared steps for adding our kernels to the WASM backend: a kernel of tfjs is a function from tensor infos to a
// tensor info, so ours are written on tensors, composed of kernels the backend has, inside a scope that frees
// everything but the result.

import * as tf from '@tensorflow/tfjs-core'

/** Inputs and attributes as tfjs passes them: inputs are real tensors (or infos that share their data). */
export type KernelCall = {
  readonly inputs: tf.NamedTensorInfoMap
  readonly backend: unknown
  readonly attrs?: tf.NamedAttrMap
}

/** Runs one kernel of a backend by itself, below the level of ops and their gradients. */
export function runKernel(
  backendName: string,
  kernelName: string,
  call: { inputs: tf.NamedTensorInfoMap; backend: unknown; attrs: Record<string, unknown> },
): tf.TensorInfo {
  const kernel = tf.getKernel(kernelName, backendName)
  if (kernel === null || kernel === undefined)
    throw new Error(`the ${backendName} backend must have a kernel ${kernelName}, found none`)
  return kernel.kernelFunc({ ...call, attrs: call.attrs as tf.NamedAttrMap } as never) as tf.TensorInfo
}

/** Puts `wrap(original)` in the place of a registered kernel; the second call for the same kernel does nothing. */
export function wrapKernel(
  backendName: string,
  kernelName: string,
  wrap: (original: tf.KernelFunc) => tf.KernelFunc,
): void {
  const key = `${backendName}/${kernelName}`
  if (wrapped.has(key)) return
  const kernel = tf.getKernel(kernelName, backendName)
  if (kernel === null || kernel === undefined)
    throw new Error(`the ${backendName} backend must have a kernel ${kernelName}, found none`)
  tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({ ...kernel, kernelFunc: wrap(kernel.kernelFunc) })
  wrapped.add(key)
}
const wrapped = new Set<string>()

/** Registers a kernel that the backend lacks; nothing happens if it has one (a later tfjs, or a second call). */
export function addKernel(
  backendName: string,
  kernelName: string,
  kernelFunc: (call: KernelCall) => tf.TensorInfo,
): void {
  if (tf.getKernelsForBackend(backendName).some((kernel) => kernel.kernelName === kernelName)) return
  tf.registerKernel({ kernelName, backendName, kernelFunc: kernelFunc as unknown as tf.KernelFunc })
}
