// Which parts of a variant are in place, and which are still to come. A part counts once it is whole: its name goes
// into state.json after its last file, so an interrupted setup goes on where it was, and new pins replace only what
// they change. sizes.json holds how long each file was then: one that is missing or shorter now has been damaged, and its
// part is brought again.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type NodePackage, partsOf, type Wheel } from './pins.ts'
import type { NativePlace } from './place.ts'

/** Of each part the hash that it was made from; the addon's is that of all it was built from. */
export type Installed = Readonly<Record<string, string>>

export type Pending = {
  readonly wheels: readonly Wheel[]
  readonly packages: readonly NodePackage[]
  readonly addon: boolean
}

export const addonPart = 'addon'
export const captureSource = 'stderrCapture.cc'

/** What the addon is built from; another compiler alone is no reason to build again. */
export function addonKey({ variant }: NativePlace, captureText: string): string {
  const { wheels, packages } = partsOf[variant]
  const hash = createHash('sha256').update(captureText)
  hash.update(wheels[0]!.sha256)
  for (const { integrity } of packages) hash.update(integrity)
  return hash.digest('hex')
}

/** A file that is missing or broken means that nothing is in place. */
function readJson<Value>(file: string): Readonly<Record<string, Value>> {
  try {
    const parts: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof parts === 'object' && parts !== null ? (parts as Record<string, Value>) : {}
  } catch {
    return {}
  }
}

export const readInstalled = (place: NativePlace): Installed => readJson(place.state)

function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** Bytes by path below the variant's folder. */
type Sizes = Readonly<Record<string, number>>

/** A part is whole: `files` are its own, as they are now. */
export function markInstalled(
  place: NativePlace,
  part: string,
  hash: string,
  files: readonly string[] = [],
): void {
  const sizes = Object.fromEntries(
    files.map((file) => [relative(place.folder, file), statSync(file).size] as const),
  )
  writeJson(place.sizes, { ...readJson<Sizes>(place.sizes), [part]: sizes })
  writeJson(place.state, { ...readInstalled(place), [part]: hash })
}

/** What is wrong with a file of a part that was whole; undefined = nothing. */
function damageOf(place: NativePlace, part: string): string | undefined {
  const sizes = readJson<Sizes>(place.sizes)[part] ?? {}
  for (const [file, bytes] of Object.entries(sizes)) {
    const now = statSync(join(place.folder, file), { throwIfNoEntry: false })?.size
    if (now === undefined) return `${file} is missing`
    if (now !== bytes) return `${file} has ${now} bytes, it had ${bytes}`
  }
  return undefined
}

export function pendingParts(place: NativePlace, captureText: string): Pending {
  const installed = readInstalled(place)
  const { wheels, packages } = partsOf[place.variant]
  // The first file of each wheel, to notice a folder that was emptied by hand.
  const isThere = (wheel: Wheel) => existsSync(join(place.site, wheel.members[0]!))
  const isDamaged = ({ name }: { readonly name: string }) => damageOf(place, name) !== undefined
  return {
    wheels: wheels.filter(
      (wheel) => installed[wheel.name] !== wheel.sha256 || !isThere(wheel) || isDamaged(wheel),
    ),
    packages: packages.filter(
      (part) =>
        installed[part.name] !== part.integrity ||
        !existsSync(join(place.modules, part.name, 'package.json')) ||
        isDamaged(part),
    ),
    addon:
      installed[addonPart] !== addonKey(place, captureText) ||
      !existsSync(place.addon) ||
      isDamaged({ name: addonPart }),
  }
}

/** Why the variant cannot be loaded; undefined = it is whole. */
export function whyNotInstalled(place: NativePlace): string | undefined {
  const command = `twostep setup-tensorflow --${place.variant}`
  const installed = readInstalled(place)
  if (Object.keys(installed).length === 0)
    return `native TensorFlow (${place.variant}) is not set up; "${command}" does it`
  const { wheels, packages } = partsOf[place.variant]
  const stale = [
    ...wheels.filter(({ name, sha256 }) => installed[name] !== sha256),
    ...packages.filter(({ name, integrity }) => installed[name] !== integrity),
  ].map(({ name }) => name)
  if (installed[addonPart] === undefined || !existsSync(place.addon)) stale.push('the addon')
  const parts = [...[...wheels, ...packages].map(({ name }) => name), addonPart]
  const damage = parts.map((part) => damageOf(place, part)).find((found) => found !== undefined)
  if (stale.length === 0 && damage === undefined) return undefined
  if (stale.length === 0)
    return `native TensorFlow (${place.variant}) is damaged (${damage}); "${command}" brings it again`
  return `the set-up of native TensorFlow (${place.variant}) is not finished (${stale.join(', ')} missing or of another version); "${command}" finishes it`
}
