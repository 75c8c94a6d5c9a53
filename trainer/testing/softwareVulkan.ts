// A Vulkan driver that computes on the processor, for tests of WebGPU without a card: SwiftShader, from a Chromium
// that is installed (Debian's has it) or from the npm package that brings a browser to our browser tests. The Vulkan
// loader (libvulkan.so.1) is not among it: it must be the system's.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

const description = 'vk_swiftshader_icd.json'
const chromiumFolders = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome']

function unpackFromPackage(): string | undefined {
  let archive: string
  try {
    const main = createRequire(import.meta.url).resolve('@sparticuz/chromium')
    const folder = main.slice(0, main.lastIndexOf('@sparticuz/chromium') + '@sparticuz/chromium'.length)
    archive = join(folder, 'bin', 'swiftshader.tar.br')
  } catch {
    return undefined
  }
  if (!existsSync(archive)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'twostep-swiftshader-'))
  writeFileSync(join(folder, 'archive.tar'), brotliDecompressSync(readFileSync(archive)))
  spawnSync('tar', ['-xf', 'archive.tar', 'libvk_swiftshader.so', description], { cwd: folder })
  return join(folder, description)
}

/**
 * Makes SwiftShader the Vulkan driver of this process, unless the person has named one in VK_ICD_FILENAMES.
 * `remove` deletes what was unpacked.
 */
export function useSoftwareVulkan(): { readonly found: boolean; remove(): void } {
  const nothing = () => undefined
  if (process.env.VK_ICD_FILENAMES !== undefined) return { found: true, remove: nothing }
  const installed = chromiumFolders.map((folder) => join(folder, description)).find(existsSync)
  const file = installed ?? unpackFromPackage()
  if (file === undefined) return { found: false, remove: nothing }
  process.env.VK_ICD_FILENAMES = file
  const remove = () => rmSync(dirname(file), { recursive: true, force: true })
  return { found: true, remove: installed === undefined ? remove : nothing }
}
