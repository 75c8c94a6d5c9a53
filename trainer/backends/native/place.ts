// Where native TensorFlow lives: `.tensorflow/<variant>/` beside this package's node_modules, so that Node, looking
// upward from there, finds the one @tensorflow/tfjs-core that the trainer uses too. Below it `site/` has the shape
// of Python's site-packages, because TensorFlow looks for NVIDIA's libraries relative to its own.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Variant } from './pins.ts'

const packageName = 'twostep-autopilot'

export type NativePlace = {
  readonly variant: Variant
  readonly folder: string
  /** The libraries and headers out of the wheels. */
  readonly site: string
  readonly modules: string
  readonly downloads: string
  /** The addon of tfjs-node, and ours that holds back what TensorFlow prints while it loads. */
  readonly addon: string
  readonly captureAddon: string
  /** Which parts are in place, and the sizes of their files, see installation.ts. */
  readonly state: string
  readonly sizes: string
}

/** The nearest folder upward whose package.json is this package's, whether this runs from sources or from dist. */
export function packageRoot(from: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === packageName) return folder
    if (folder === dirname(folder))
      throw new Error(`no package.json of ${packageName} in ${from} or above it`)
  }
}

export function nativePlace(variant: Variant, root: string = packageRoot()): NativePlace {
  const folder = join(root, '.tensorflow', variant)
  return {
    variant,
    folder,
    site: join(folder, 'site'),
    modules: join(folder, 'node_modules'),
    downloads: join(folder, 'downloads'),
    addon: join(folder, 'addon', 'tfjs_binding.node'),
    captureAddon: join(folder, 'addon', 'stderr_capture.node'),
    state: join(folder, 'state.json'),
    sizes: join(folder, 'sizes.json'),
  }
}
