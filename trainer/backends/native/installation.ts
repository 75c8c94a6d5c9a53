// Which parts of a variant are in place, and which are still to come. A part counts once it is whole: its name goes
// into state.json after its last file, so an interrupted setup goes on where it was, and new pins replace only what
// they change.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
export function readInstalled(place: NativePlace): Installed {
  try {
    const parts: unknown = JSON.parse(readFileSync(place.state, 'utf8'))
    return typeof parts === 'object' && parts !== null ? (parts as Installed) : {}
  } catch {
    return {}
  }
}

export function markInstalled(place: NativePlace, part: string, hash: string): void {
  mkdirSync(dirname(place.state), { recursive: true })
  const text = `${JSON.stringify({ ...readInstalled(place), [part]: hash }, null, 2)}\n`
  writeFileSync(`${place.state}.new`, text)
  renameSync(`${place.state}.new`, place.state)
}

export function pendingParts(place: NativePlace, captureText: string): Pending {
  const installed = readInstalled(place)
  const { wheels, packages } = partsOf[place.variant]
  // The first file of each wheel, to notice a folder that was emptied by hand.
  const isThere = (wheel: Wheel) => existsSync(join(place.site, wheel.members[0]!))
  return {
    wheels: wheels.filter((wheel) => installed[wheel.name] !== wheel.sha256 || !isThere(wheel)),
    packages: packages.filter(
      ({ name, integrity }) =>
        installed[name] !== integrity || !existsSync(join(place.modules, name, 'package.json')),
    ),
    addon: installed[addonPart] !== addonKey(place, captureText) || !existsSync(place.addon),
  }
}

/** Why the variant cannot be loaded; undefined = it is whole. */
export function whyNotInstalled(place: NativePlace): string | undefined {
  const command = `npm run setup:tensorflow -- --${place.variant}`
  const installed = readInstalled(place)
  if (Object.keys(installed).length === 0)
    return `native TensorFlow (${place.variant}) is not set up; "${command}" does it`
  const { wheels, packages } = partsOf[place.variant]
  const stale = [
    ...wheels.filter(({ name, sha256 }) => installed[name] !== sha256),
    ...packages.filter(({ name, integrity }) => installed[name] !== integrity),
  ].map(({ name }) => name)
  if (installed[addonPart] === undefined || !existsSync(place.addon)) stale.push('the addon')
  if (stale.length === 0) return undefined
  return `the set-up of native TensorFlow (${place.variant}) is not finished (${stale.join(', ')} missing or of another version); "${command}" finishes it`
}
