// Loads TensorFlow into this process and registers it with the trainer's own tfjs-core as the backend `tensorflow`.
// Of tfjs-node only the kernels and the backend class are used: its index would load the whole tfjs package (layers,
// converter, data, WebGL), and with it a second set of gradients in place of ours. What tfjs-node asks of
// `@tensorflow/tfjs` is all in the core, which a stand-in written by the setup hands through.

import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { whyNotInstalled } from './installation.ts'
import { partsOf, tfjsVersion, type Variant } from './pins.ts'
import { type NativePlace, nativePlace } from './place.ts'

/** What tfjs-node calls TensorFlow among tfjs's backends, on any device. */
export const tensorflowBackend = 'tensorflow'

/** The part of tfjs-node's addon that we use ourselves. */
type Binding = { readonly TF_Version: string; isUsingGpuDevice(): boolean }

export type LoadedNative = {
  readonly variant: Variant
  /** TensorFlow's own version, as "2.21.0". */
  readonly tensorflow: string
  readonly onGpu: boolean
  /** What TensorFlow printed while it loaded; empty if it was let through (TF_CPP_MIN_LOG_LEVEL is set). */
  readonly log: string
}

let loaded: LoadedNative | undefined

/** What this process has loaded: it is one TensorFlow or none. */
export const loadedNative = (): LoadedNative | undefined => loaded

/**
 * Gives back to `util` what Node 23 removed and tfjs-node calls; on Node 22 this also avoids its warning. The new
 * functions answer as the old ones did, so nobody else notices.
 */
export function restoreUtil(target: object = util): void {
  Object.assign(target, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  })
}

/** Settings that TensorFlow reads from the environment when it is loaded; what the person has set stays. */
function setEnvironment(hideCards: boolean): void {
  const { env } = process
  // Take memory as it is needed, not the whole card at once, so that others can use it too.
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'
  // Warnings and errors, without the information about each library.
  env.TF_CPP_MIN_LOG_LEVEL ??= '1'
  if (hideCards) env.CUDA_VISIBLE_DEVICES = '-1'
}

/** Kernels are registered with a copy of the core: it must be the copy that the trainer uses. */
function checkSharedCore(fromModules: NodeJS.Require): void {
  const own = realpathSync(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core'))
  const theirs = realpathSync(fromModules.resolve('@tensorflow/tfjs-core'))
  if (own !== theirs)
    throw new Error(
      `tfjs-node must use the trainer's tfjs-core ${own}, it would use ${theirs}: remove the second copy`,
    )
  if (tf.version_core !== tfjsVersion)
    throw new Error(`tfjs-core must be ${tfjsVersion} as tfjs-node is, it is ${tf.version_core}`)
}

/** Requires the addon with its words held back; they are added to the error if it fails. */
function requireBinding(place: NativePlace, load: NodeJS.Require, quiet: boolean) {
  const capture = quiet && existsSync(place.captureAddon) ? load(place.captureAddon) : undefined
  let binding: Binding | undefined
  let failure = ''
  capture?.begin()
  try {
    binding = load(place.addon)
  } catch (cause) {
    failure = (cause as Error).message
  }
  const log: string = capture?.end() ?? ''
  if (binding === undefined) throw new Error(`TensorFlow could not be loaded: ${failure}\n${log}`.trim())
  return { binding, log }
}

export type LoadOptions = {
  /** Compute on the processor though a card may be there. */
  readonly hideCards?: boolean
}

/**
 * Loads the variant set up at `place`; a second call gives what is loaded. It takes about half a second.
 * @throws Error with a sentence if it is not set up, not whole, or does not load, or if the other variant is loaded.
 */
export function loadNative(place: NativePlace, { hideCards = false }: LoadOptions = {}): LoadedNative {
  if (loaded?.variant === place.variant) return loaded
  if (loaded !== undefined)
    throw new Error(
      `native TensorFlow (${place.variant}) cannot be loaded, this process holds the ${loaded.variant} one`,
    )
  const reason = whyNotInstalled(place)
  if (reason !== undefined) throw new Error(reason)
  const { tfjsNode } = partsOf[place.variant]
  const load = createRequire(join(place.modules, tfjsNode, 'dist', 'index.js'))
  checkSharedCore(load)
  const quiet = process.env.TF_CPP_MIN_LOG_LEVEL === undefined
  setEnvironment(hideCards)
  restoreUtil()
  const { binding, log } = requireBinding(place, load, quiet)
  load('./register_all_kernels.js')
  const { NodeJSKernelBackend } = load('./nodejs_kernel_backend.js')
  tf.registerBackend(tensorflowBackend, () => new NodeJSKernelBackend(binding, tfjsNode) as tf.KernelBackend)
  const { variant } = place
  loaded = { variant, tensorflow: binding.TF_Version, onGpu: binding.isUsingGpuDevice(), log }
  return loaded
}

/** The places of both variants, for callers that know no more than the package. */
export const nativePlaces = (root?: string): Readonly<Record<Variant, NativePlace>> => ({
  cpu: nativePlace('cpu', root),
  gpu: nativePlace('gpu', root),
})
