import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  addonKey,
  addonPart,
  markInstalled,
  pendingParts,
  readInstalled,
  whyNotInstalled,
} from './installation.ts'
import { partsOf, type Variant, variants } from './pins.ts'
import { type NativePlace, nativePlace, packageRoot } from './place.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twostep-native-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const source = '// the C++ source'

function touch(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
}

/** Everything in place, with empty files. */
function complete(variant: Variant): NativePlace {
  const place = nativePlace(variant, root)
  for (const wheel of partsOf[variant].wheels) {
    touch(join(place.site, wheel.members[0]!))
    markInstalled(place, wheel.name, wheel.sha256)
  }
  for (const { name, integrity } of partsOf[variant].packages) {
    touch(join(place.modules, name, 'package.json'))
    markInstalled(place, name, integrity)
  }
  touch(place.addon)
  markInstalled(place, addonPart, addonKey(place, source))
  return place
}

describe('what a setup still has to do', () => {
  test.each(variants)('%s: everything, where nothing is', (variant) => {
    const place = nativePlace(variant, root)
    const { wheels, packages } = partsOf[variant]
    expect(pendingParts(place, source)).toEqual({ wheels, packages, addon: true })
    expect(whyNotInstalled(place)).toBe(
      `native TensorFlow (${variant}) is not set up; "twostep setup-tensorflow --${variant}" does it`,
    )
  })

  test.each(variants)('%s: nothing, where everything is', (variant) => {
    const place = complete(variant)
    expect(pendingParts(place, source)).toEqual({ wheels: [], packages: [], addon: false })
    expect(whyNotInstalled(place)).toBeUndefined()
  })

  test('an interrupted setup goes on with what is missing, and says so until then', () => {
    const place = nativePlace('gpu', root)
    const [first, ...others] = partsOf.gpu.wheels
    touch(join(place.site, first!.members[0]!))
    markInstalled(place, first!.name, first!.sha256)
    expect(pendingParts(place, source).wheels).toEqual(others)
    expect(whyNotInstalled(place)).toMatch(
      /^the set-up of native TensorFlow \(gpu\) is not finished \(nvidia-/,
    )
  })

  test('a part of another version is brought again', () => {
    const place = complete('gpu')
    markInstalled(place, 'nvidia-cudnn-cu12', 'an older hash')
    expect(pendingParts(place, source).wheels.map(({ name }) => name)).toEqual(['nvidia-cudnn-cu12'])
    expect(whyNotInstalled(place)).toContain('(nvidia-cudnn-cu12 missing or of another version)')
  })

  test('a library removed by hand is brought again', () => {
    const place = complete('cpu')
    rmSync(join(place.site, 'tensorflow'), { recursive: true })
    expect(pendingParts(place, source).wheels).toHaveLength(1)
  })

  test('a library that was cut off or has gone is damaged, is named, and is brought again', () => {
    const place = complete('cpu')
    const [wheel] = partsOf.cpu.wheels
    const library = join(place.site, wheel!.members[0]!)
    writeFileSync(library, '0123456789')
    markInstalled(place, wheel!.name, wheel!.sha256, [library])
    expect(whyNotInstalled(place)).toBeUndefined()
    writeFileSync(library, '0123')
    expect(whyNotInstalled(place)).toBe(
      `native TensorFlow (cpu) is damaged (site/${wheel!.members[0]} has 4 bytes, it had 10); "twostep setup-tensorflow --cpu" brings it again`,
    )
    expect(pendingParts(place, source).wheels).toEqual([wheel])
    rmSync(library)
    expect(whyNotInstalled(place)).toContain(`site/${wheel!.members[0]} is missing`)
  })

  test('the addon is built again when its source changes, and the libraries stay', () => {
    const place = complete('cpu')
    expect(pendingParts(place, `${source} changed`)).toEqual({ wheels: [], packages: [], addon: true })
  })

  test('a broken state file means that nothing is in place', () => {
    const place = complete('cpu')
    writeFileSync(place.state, '{"tensorflow-cpu":')
    expect(readInstalled(place)).toEqual({})
    expect(pendingParts(place, source).addon).toBe(true)
  })
})

describe('places and pins', () => {
  test('the package is found from its sources upward, and from nowhere else', () => {
    expect(nativePlace('cpu').folder).toBe(join(packageRoot(), '.tensorflow', 'cpu'))
    expect(() => packageRoot(root)).toThrow(`no package.json of twostep-autopilot in ${root} or above it`)
  })

  test.each(variants)('%s: names, hashes and sizes are whole', (variant) => {
    const { wheels, packages, tfjsNode } = partsOf[variant]
    for (const { name, version, file, sha256, bytes, members, unpackedBytes } of wheels) {
      expect(file).toMatch(
        new RegExp(`^${name.replaceAll('-', '_')}-${version.replaceAll('.', '\\.')}-.*_x86_64\\.whl$`),
      )
      expect(sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(Math.min(bytes, unpackedBytes, members.length)).toBeGreaterThan(0)
    }
    for (const { integrity } of packages) expect(Buffer.from(integrity.slice(7), 'base64')).toHaveLength(64)
    expect(packages.map(({ name }) => name)).toContain(tfjsNode)
    const hashes = wheels.map(({ sha256 }) => sha256)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
