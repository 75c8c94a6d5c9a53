// Compiles tfjs-node's small addon against TensorFlow's library, and ours beside it. The compiler is called directly:
// two files need no make, no node-gyp and, with Node's headers from npm, no download from Node's own host. The
// interface is Node-API version 8, so one build serves every Node from 20 on.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SetupError } from './fetch.ts'
import { addonKey, addonPart, captureSource, markInstalled } from './installation.ts'
import { partsOf } from './pins.ts'
import type { NativePlace } from './place.ts'

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
/** The end of a compiler's complaint: the first lines are mostly templates. */
const complaintCharsMax = 4_000

const shared = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8']

/** The compiler's arguments for tfjs-node's addon; it finds the libraries relative to itself. */
export function addonArguments(place: NativePlace, output: string): string[] {
  const sources = join(place.modules, partsOf[place.variant].tfjsNode, 'binding')
  const libraryFolder = join(place.site, 'tensorflow')
  return [
    ...shared,
    `-I${join(place.modules, 'node-api-headers', 'include')}`,
    `-I${join(libraryFolder, 'include')}`,
    join(sources, 'tfjs_backend.cc'),
    join(sources, 'tfjs_binding.cc'),
    `-L${libraryFolder}`,
    ...libraries.map((library) => `-l:${library}`),
    '-Wl,-rpath,$ORIGIN/../site/tensorflow',
    ...['-o', output],
  ]
}

export function captureArguments(place: NativePlace, source: string, output: string): string[] {
  return [...shared, `-I${join(place.modules, 'node-api-headers', 'include')}`, source, ...['-o', output]]
}

function compile(compiler: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  if (status === 0) return
  const said = (error?.message ?? stderr).trim().slice(-complaintCharsMax)
  throw new SetupError(
    `the addon could not be compiled with ${compiler} (a C++17 compiler is needed). It said:\n${said}`,
  )
}

/** Our C++ source, which stays where the TypeScript sources are. @throws SetupError if they are not there. */
export function captureSourceFile(root: string): string {
  const file = join(root, 'trainer', 'backends', 'native', captureSource)
  if (existsSync(file)) return file
  throw new SetupError(`${file} must exist to build the addon: run the setup from a checkout of the sources`)
}

export function buildAddon(
  place: NativePlace,
  compiler: string,
  source: { file: string; text: string },
): void {
  mkdirSync(dirname(place.addon), { recursive: true })
  compile(compiler, captureArguments(place, source.file, `${place.captureAddon}.new`))
  compile(compiler, addonArguments(place, `${place.addon}.new`))
  renameSync(`${place.captureAddon}.new`, place.captureAddon)
  renameSync(`${place.addon}.new`, place.addon)
  markInstalled(place, addonPart, addonKey(place, source.text), [place.addon, place.captureAddon])
}
