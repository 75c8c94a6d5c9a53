// A backend: where tensors live and what reading one back costs. The trainer's loop never reads a tensor by
// itself: it keeps the signals of each step as small tensors and hands them to `readValues` once per
// `stepsPerRead` steps. On WebAssembly a read is a copy of four bytes, so every step is read at once; on a GPU a
// read waits for the device, so steps are gathered.

import * as tf from '@tensorflow/tfjs-core'

/** Fastest first: the order in which `auto` tries them. */
export const backendNames = ['gpu', 'native', 'webgpu', 'wasm', 'cpu'] as const
export type BackendName = (typeof backendNames)[number]

export type Backend = {
  readonly name: BackendName
  /** What it runs on, for the log and the run's settings. */
  readonly description: string
  /** Steps whose signals are read together; 1 where a read costs nothing. */
  readonly stepsPerRead: number
  /** The values of tensors, one tensor after the other. Disposes nothing. */
  readValues(tensors: readonly tf.Tensor[]): Promise<Float32Array>
}

/** How it was chosen: `auto` takes no device that is slower than the next backend. */
export type Chosen = 'auto' | 'by name'

/** One way to get a backend. Making one loads nothing. */
export type BackendOpener = {
  readonly name: BackendName
  /**
   * In a few words, why it is not on this computer, so that `auto` need not open it; undefined = worth opening.
   * It finds out without loading the backend.
   */
  absent?(): Promise<string | undefined>
  /** Fails with a sentence saying why it cannot be used here. Leaves its tfjs backend the present one. */
  open(chosen?: Chosen): Promise<Backend>
}

/** Reads one tensor after the other: for backends whose memory is the host's. */
export async function readEach(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  if (tensors.length === 1) return Float32Array.from(tensors[0]!.dataSync())
  return Float32Array.from(tensors.flatMap((tensor) => [...tensor.dataSync()]))
}

/** The values of tensors by one read from the device, however many they are. */
export async function readTogether(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  if (tensors.length === 0) return new Float32Array(0)
  // Mostly the loss of one step, which needs no joining.
  if (tensors.length === 1) return (await tensors[0]!.data()) as Float32Array
  const together = tf.tidy(() => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [tensor.size]))))
  const values = await together.data()
  together.dispose()
  return values as Float32Array
}
