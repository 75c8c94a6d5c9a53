// The steps of the setup: look what is there, say what is to come, fetch, unpack, build, try. It may be run again at
// any time: what is in place stays, what is missing or of another version is brought. It never needs a card, so an
// image for cards is built anywhere.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildAddon, captureSourceFile } from './buildAddon.ts'
import { readDriver, whyNoCard } from './driver.ts'
import { fetchPart, SetupError } from './fetch.ts'
import { markInstalled, type Pending, pendingParts } from './installation.ts'
import { driverMin, glibcMin, tensorflowVersion, type Variant, variants } from './pins.ts'
import { type NativePlace, nativePlace, packageRoot } from './place.ts'
import { checkRequirements, type Tools } from './requirements.ts'
import { takeLock } from './setupLock.ts'
import { thisSystem } from './system.ts'
import { type Trial, tryApart } from './trial.ts'
import { unpackPackage, unpackWheel } from './unpack.ts'

export const usage = `Usage: twostep setup-tensorflow --cpu | --gpu

Brings native TensorFlow ${tensorflowVersion} for the trainer's backends "native" (--cpu) and "gpu" (--gpu, for NVIDIA cards
with driver ${driverMin} or newer) into the folder .tensorflow of this package. Linux on x64, with a C++ compiler and
Python 3 with pip. It may be run again at any time; removing .tensorflow takes everything away.
`

const megabytes = (bytes: number): string =>
  `${bytes < 1e6 ? Number((bytes / 1e6).toPrecision(1)) : Math.round(bytes / 1e6)} MB`
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Bytes to fetch, bytes they become, and the most that is on disk at once (a file goes as soon as it is unpacked). */
export function sizes({ wheels, packages }: Pending) {
  const parts = [...wheels, ...packages]
  const total = (of: (part: { bytes: number; unpackedBytes: number }) => number) =>
    parts.reduce((sum, part) => sum + of(part), 0)
  const unpacked = total((part) => part.unpackedBytes)
  return {
    download: total((part) => part.bytes),
    unpacked,
    most: unpacked + Math.max(0, ...parts.map(({ bytes }) => bytes)),
  }
}

/** What is about to be fetched, a line a part; none = everything is here. */
export function planSentences(pending: Pending, folder: string): string[] {
  const parts = [...pending.wheels, ...pending.packages]
  if (parts.length === 0) return []
  const { download, unpacked } = sizes(pending)
  const lines = parts.map(({ name, version, bytes }) => `  ${name} ${version}, ${megabytes(bytes)}`)
  const nvidia = pending.wheels.some(({ name }) => name.startsWith('nvidia-'))
  const licence = nvidia ? ["The nvidia-* files come under NVIDIA's own licence terms, from NVIDIA."] : []
  return [
    `To fetch from PyPI and npm: ${megabytes(download)}, which become ${megabytes(unpacked)} in ${folder}`,
    ...lines,
    ...licence,
  ]
}

/** tfjs-node asks for the whole tfjs package; all that it uses of it is the core, which is the trainer's own. */
function writeStandIn({ modules }: NativePlace): void {
  const folder = join(modules, '@tensorflow', 'tfjs')
  mkdirSync(folder, { recursive: true })
  const description = "hands through the trainer's @tensorflow/tfjs-core, all that tfjs-node's kernels use"
  const manifest = { name: '@tensorflow/tfjs', version: '0.0.0', private: true, description }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(join(folder, 'index.js'), "module.exports = require('@tensorflow/tfjs-core')\n")
}

async function bringParts(place: NativePlace, pending: Pending, tools: Tools): Promise<void> {
  for (const part of pending.packages) {
    const file = await fetchPart(part, place.downloads, tools)
    const files = unpackPackage(tools.python, file, part, place.modules)
    markInstalled(place, part.name, part.integrity, files)
    rmSync(file)
  }
  for (const part of pending.wheels) {
    say(`${part.name} ${part.version}`)
    const file = await fetchPart(part, place.downloads, tools)
    const files = unpackWheel(tools.python, file, part, place.site)
    markInstalled(place, part.name, part.sha256, files)
    rmSync(file)
  }
  rmSync(place.downloads, { recursive: true, force: true })
}

/** What the trial showed, and for the GPU variant whether a card is used and why not. */
export function outcomeSentences(variant: Variant, trial: Trial, noCard: string | undefined): string[] {
  if (trial.error !== undefined) return [`TensorFlow is in place but does not work: ${trial.error}`]
  if (variant === 'cpu' || trial.onGpu) return [`${trial.sentence}.`]
  const why = noCard ?? 'TensorFlow found none that it can use'
  return [
    `${trial.sentence}.`,
    `No card was used, because ${why}. Everything up to the driver is in place: on a computer with a card and driver ${driverMin} or newer it needs nothing more, "twostep doctor" shows whether it is seen.`,
  ]
}

async function setUp(variant: Variant): Promise<boolean> {
  const root = packageRoot()
  const place = nativePlace(variant, root)
  const source = captureSourceFile(root)
  const text = readFileSync(source, 'utf8')
  const pending = pendingParts(place, text)
  const system = thisSystem()
  const needsDownloads = pending.wheels.length + pending.packages.length > 0
  const { tools, missing } = checkRequirements(system, {
    bytesNeeded: sizes(pending).most,
    folder: place.folder,
    needsCompiler: pending.addon,
    needsDownloads,
    glibcMin,
  })
  if (missing.length > 0) throw new SetupError(missing.join('\n'))
  mkdirSync(place.folder, { recursive: true })
  const release = takeLock(join(place.folder, 'setup.lock'))
  try {
    for (const line of planSentences(pending, place.folder)) say(line)
    if (!needsDownloads) say(`TensorFlow ${tensorflowVersion} is in ${place.folder} already`)
    const started = performance.now()
    await bringParts(place, pending, tools)
    writeStandIn(place)
    const fetched = performance.now()
    if (pending.addon) say(`Building the addon with ${tools.compiler}`)
    if (pending.addon) buildAddon(place, tools.compiler, { file: source, text })
    const trial = tryApart(variant)
    for (const line of outcomeSentences(variant, trial, whyNoCard(readDriver(system)))) say(line)
    const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(0)
    say(
      `Fetching and unpacking took ${seconds(started, fetched)} s, the rest ${seconds(fetched, performance.now())} s.`,
    )
    return trial.error === undefined
  } finally {
    release()
  }
}

/** The variant asked for; undefined = help was. @throws RangeError. */
export function parseVariant(args: readonly string[]): Variant | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { cpu: { type: 'boolean' }, gpu: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) return undefined
  const chosen = variants.filter((variant) => values[variant])
  if (chosen.length === 1) return chosen[0]
  throw new RangeError(`one of --cpu and --gpu must be given, got ${chosen.length === 0 ? 'none' : 'both'}`)
}

export async function main(args: readonly string[]): Promise<number> {
  try {
    const variant = parseVariant(args)
    if (variant !== undefined) return (await setUp(variant)) ? 0 : 1
    process.stdout.write(usage)
    return 0
  } catch (cause) {
    const { message, stack } = cause as Error
    process.stderr.write(`${cause instanceof SetupError ? message : isUsage(cause) ? message : stack}\n`)
    return isUsage(cause) ? 2 : 1
  }
}

const isUsage = (cause: unknown): boolean =>
  cause instanceof RangeError || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
