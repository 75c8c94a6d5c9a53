import { afterAll, describe, expect, it } from 'vitest'
import { useSoftwareVulkan } from '../testing/softwareVulkan.ts'
import { backendConformance } from './backend.conformance.ts'
import { adapterName, isSoftware, missingPackages, webgpuInstall, webgpuOpener } from './webgpu.ts'

/** Why it cannot be tested, with what would change that. */
async function whyNot(): Promise<string | undefined> {
  const missing = missingPackages()
  if (missing !== undefined) return `${missing} must be installed: ${webgpuInstall}`
  if (process.platform !== 'linux') return undefined
  const { found, remove } = useSoftwareVulkan()
  afterAll(remove)
  if (!found)
    return 'it needs a Vulkan driver: install chromium, which brings SwiftShader, or set VK_ICD_FILENAMES'
  try {
    await webgpuOpener.open()
    return undefined
  } catch (cause) {
    return `${(cause as Error).message}: on Debian and Ubuntu "apt-get install libvulkan1" brings the loader`
  }
}
const reason = await whyNot()

const software = {
  vendor: 'google',
  architecture: 'swiftshader',
  device: 'swiftshader-device',
  description: 'SwiftShader driver 5.0.0',
}
const card = { vendor: 'nvidia', architecture: 'hopper', device: '0x2330', description: 'NVIDIA H100' }

describe('adapters of WebGPU', () => {
  it('are told by name, as far as they say one', () => {
    expect(adapterName(software)).toBe('SwiftShader driver 5.0.0')
    expect(adapterName({ ...card, description: '', device: '' })).toBe('nvidia hopper')
    expect(adapterName({ vendor: '', architecture: '', device: '', description: '' })).toBe(
      'an unnamed adapter',
    )
  })
  it('are software by their own word or by their name', () => {
    expect(isSoftware(card)).toBe(false)
    expect(isSoftware({ ...card, isFallbackAdapter: true })).toBe(true)
    expect(isSoftware(software)).toBe(true)
    expect(isSoftware({ ...card, description: 'llvmpipe (LLVM 19.1.7, 256 bits)' })).toBe(true)
  })
})

describe.skipIf(reason !== undefined)('WebGPU on a software adapter', () => {
  it.skipIf(process.env.VK_ICD_FILENAMES?.includes('swiftshader') !== true)(
    'is not taken by auto, with the reason',
    async () => {
      await expect(webgpuOpener.open('auto')).rejects.toThrow(
        /^its only adapter is a software one \(SwiftShader driver [\d.]+\), slower than wasm$/,
      )
    },
  )
})

describe.skipIf(missingPackages() === undefined)('WebGPU where it is not installed', () => {
  it('is absent in a few words, and asked for by name it says how to get it', async () => {
    expect(await webgpuOpener.absent?.()).toBe('not installed: docs/guides/gpu.md')
    await expect(webgpuOpener.open()).rejects.toThrow(`must be installed for WebGPU: ${webgpuInstall}`)
  })
})

backendConformance(webgpuOpener, reason)
