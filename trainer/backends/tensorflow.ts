// Native TensorFlow as the backends `gpu` and `native`. All of it lives in ../native and is imported only when one
// of the two is tried.

import { existsSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import type { Backend, BackendOpener } from './backend.ts'
import { takePartsTogether } from './kernels/partGradients.ts'
import { addSquaredNorm } from './kernels/squaredNorm.ts'

const setUp = (variant: 'cpu' | 'gpu'): string => `not set up: twostep setup-tensorflow --${variant}`

/** The parts of ../native that tell what is here, and what they say. */
async function look() {
  const [{ nativePlaces }, { readDriver, whyNoCard }, { unsupported }, { glibcMin }, { thisSystem }] =
    await Promise.all([
      import('./native/loadNative.ts'),
      import('./native/driver.ts'),
      import('./native/requirements.ts'),
      import('./native/pins.ts'),
      import('./native/system.ts'),
    ])
  const places = nativePlaces()
  return {
    system: thisSystem(),
    isBegun: (variant: 'cpu' | 'gpu') => existsSync(places[variant].state),
    readDriver,
    whyNoCard,
    isUnsupported: (system: ReturnType<typeof thisSystem>) => unsupported(system, glibcMin) !== undefined,
  }
}

async function gpuAbsent(): Promise<string | undefined> {
  const { system, isBegun, readDriver, whyNoCard, isUnsupported } = await look()
  if (isUnsupported(system)) return 'not for this computer'
  const driver = readDriver(system)
  if (driver.version === null && driver.libcuda === null) return 'no NVIDIA driver here'
  // A card that cannot be used is worth a whole sentence.
  return whyNoCard(driver) ?? (isBegun('gpu') ? undefined : setUp('gpu'))
}

async function nativeAbsent(): Promise<string | undefined> {
  const { system, isBegun, isUnsupported } = await look()
  if (isUnsupported(system)) return 'not for this computer'
  return isBegun('cpu') || isBegun('gpu') ? undefined : setUp('cpu')
}

function withKernels<Opened extends Backend>(backend: Opened): Opened {
  addSquaredNorm(tf.getBackend())
  takePartsTogether(tf.getBackend())
  return backend
}

export const gpuOpener: BackendOpener = {
  name: 'gpu',
  absent: gpuAbsent,
  open: async () => withKernels(await (await import('./native/nativeBackend.ts')).openGpu()),
}

export const nativeOpener: BackendOpener = {
  name: 'native',
  absent: nativeAbsent,
  open: async () => withKernels(await (await import('./native/nativeBackend.ts')).openNative()),
}
