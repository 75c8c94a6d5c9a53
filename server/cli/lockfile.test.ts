// What is installed is what was looked at: the lockfile holds a hash of every package and names no place to take it from, and one
// package alone has a script that would run at its installation, which package.json forbids and the image leaves out.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packagePath } from './place.ts'

type Locked = {
  readonly version: string
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: true
}
const read = (name: string) => JSON.parse(readFileSync(packagePath(name), 'utf8'))
const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>).filter(
  ([path]) => path !== '',
)
const declared = read('package.json')

test('every package is held to a hash and to no host of its own', () => {
  expect(packages.length).toBeGreaterThan(100)
  for (const [path, { integrity, resolved }] of packages) {
    expect(integrity, path).toMatch(/^sha512-/)
    expect(resolved, path).toBeUndefined()
  }
})

test('no script of a package runs at its installation', () => {
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true)
  expect(scripted.map(([path]) => path)).toEqual(['node_modules/@photostructure/sqlite'])
  expect(declared.allowScripts).toEqual({ '@photostructure/sqlite': false })
  expect(readFileSync(packagePath('Dockerfile'), 'utf8').match(/npm (ci|prune) .*/g)).toSatisfy(
    (commands: readonly string[]) =>
      commands.length > 0 && commands.every((one) => one.includes('--ignore-scripts')),
  )
})

test('every version is exact', () => {
  const { dependencies, devDependencies, optionalDependencies } = declared
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  for (const [name, version] of versions) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
})
