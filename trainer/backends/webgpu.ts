// TensorFlow.js on WebGPU, through Dawn (npm `webgpu`): any graphics card with a Vulkan, Metal or Direct3D 12
// driver. The two packages take 150 MB for all platforms, so they are not among the dependencies: they are used
// where a person has installed them. The backend has every kernel that training needs, so none is replaced; it
// cannot be read synchronously in Node, and the trainer never does.

import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import { type Backend, type BackendOpener, type Chosen, readTogether } from './backend.ts'
import { registerGradients } from './kernels/gradients.ts'

export const webgpuVersion = '0.6.2'
export const webgpuInstall = `npm install --no-save webgpu@${webgpuVersion} @tensorflow/tfjs-backend-webgpu@4.22.0`
/** As on an NVIDIA card: a read waits for the queue. */
const stepsPerRead = 20
/** Adapters that compute on the processor: SwiftShader, Mesa's llvmpipe and lavapipe, Microsoft's basic one. */
const softwareAdapter = /swiftshader|llvmpipe|lavapipe|basic render/i

type AdapterInfo = {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}
type Gpu = {
  requestAdapter(options: { powerPreference: string }): Promise<{ readonly info: AdapterInfo } | null>
}
type Dawn = { create(flags: readonly string[]): Gpu; readonly globals: object }

export function adapterName({ vendor, architecture, device, description }: AdapterInfo): string {
  return description || device || [vendor, architecture].filter(Boolean).join(' ') || 'an unnamed adapter'
}

export const isSoftware = (info: AdapterInfo): boolean =>
  info.isFallbackAdapter === true || softwareAdapter.test(Object.values(described(info)).join(' '))

// The properties of an adapter's info are getters of its class, which Object.values does not see.
const described = ({ vendor, architecture, device, description }: AdapterInfo) => ({
  vendor,
  architecture,
  device,
  description,
})

/** What is missing of the two packages; undefined = nothing. */
export function missingPackages(): string | undefined {
  const { resolve } = createRequire(import.meta.url)
  const isThere = (name: string): boolean => {
    try {
      return resolve(name) !== ''
    } catch {
      return false
    }
  }
  const missing = ['webgpu', '@tensorflow/tfjs-backend-webgpu'].filter((name) => !isThere(name))
  return missing.length === 0 ? undefined : missing.join(' and ')
}

/** Dawn's entry, made once: tfjs finds it where a browser has it, and it must outlive every device. */
let entry: Gpu | undefined

async function startDawn(): Promise<Gpu> {
  if (entry !== undefined) return entry
  const name: string = 'webgpu'
  const { create, globals } = (await import(name)) as Dawn
  Object.assign(globalThis, globals)
  entry = create(process.platform === 'linux' ? ['backend=vulkan'] : [])
  const value = entry
  // Node 21 and newer has a navigator, without `gpu`.
  const here = globalThis as { navigator?: object }
  here.navigator ??= { userAgent: `Node.js/${process.versions.node}` }
  Object.defineProperty(here.navigator, 'gpu', { value, configurable: true })
  return entry
}

async function openWebgpu(chosen: Chosen = 'by name'): Promise<Backend> {
  const missing = missingPackages()
  if (missing !== undefined) throw new Error(`${missing} must be installed for WebGPU: ${webgpuInstall}`)
  const gpu = await startDawn()
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    const needs = process.platform === 'linux' ? ' (libvulkan.so.1 and a Vulkan driver of the card)' : ''
    throw new Error(`WebGPU finds no graphics adapter${needs}`)
  }
  const name = adapterName(adapter.info)
  if (chosen === 'auto' && isSoftware(adapter.info))
    throw new Error(`its only adapter is a software one (${name}), slower than wasm`)
  const backendPackage: string = '@tensorflow/tfjs-backend-webgpu'
  await import(backendPackage)
  registerGradients()
  tf.enableProdMode()
  if (!(await tf.setBackend('webgpu'))) throw new Error(`WebGPU did not start on ${name}`)
  const description = `TensorFlow.js ${tf.version_core} on WebGPU, ${name}`
  return { name: 'webgpu', description, stepsPerRead, readValues: readTogether }
}

export const webgpuOpener: BackendOpener = {
  name: 'webgpu',
  absent: async () => (missingPackages() === undefined ? undefined : 'not installed: docs/guides/gpu.md'),
  open: openWebgpu,
}
