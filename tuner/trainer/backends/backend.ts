// A backend: where tensors live and what reading one back costs. The trainer's loop never reads a tensor by
// itself: it keeps the signals of each step as small tensors and hands them to `readScalars` once per
// `stepsPerRead` steps. On WebAssembly a read is a copy of four bytes, so every step is read at once; on a GPU a
// read waits for the device, so steps are gathered.

import type * as tf from '@tensorflow/tfjs-core'

export const backendNames = ['wasm', 'cpu'] as const
export type BackendName = (typeof backendNames)[number]

export type Backend = {
  readonly name: BackendName
  /** What it runs on, for the log and the run's settings. */
  readonly description: string
  /** Steps whose signals are read together; 1 where a read costs nothing. */
  readonly stepsPerRead: number
  /** The values of one-element tensors, in order. Disposes nothing. */
  readScalars(scalars: readonly tf.Tensor[]): Promise<Float32Array>
}

/** One way to get a backend; `open` fails with a sentence saying why it cannot be used here. */
export type BackendOpener = { readonly name: BackendName; open(): Promise<Backend> }

/** Reads one scalar after the other: for backends whose memory is the host's. */
export async function readEach(scalars: readonly tf.Tensor[]): Promise<Float32Array> {
  return Float32Array.from(scalars, (scalar) => scalar.dataSync()[0]!)
}
