import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addonArguments, buildAddon, captureSourceFile } from './buildAddon.ts'
import { addonPart, readInstalled } from './installation.ts'
import { nativePlace, packageRoot } from './place.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twostep-addon-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A compiler that runs a line of shell; `$out` is the file it should write. */
function madeUpCompiler(line: string): string {
  const file = join(root, 'c++')
  writeFileSync(file, `#!/bin/sh\nfor out; do :; done\n${line}\n`)
  chmodSync(file, 0o755)
  return file
}

const source = { file: 'capture.cc', text: 'the source' }

test('the addon links TensorFlow relative to itself, so the folder can be moved', () => {
  const place = nativePlace('gpu', root)
  const args = addonArguments(place, 'out.node')
  expect(args).toContain('-Wl,-rpath,$ORIGIN/../site/tensorflow')
  expect(args).toContain(join(place.modules, '@tensorflow/tfjs-node-gpu/binding/tfjs_binding.cc'))
  expect(args.slice(-2)).toEqual(['-o', 'out.node'])
})

test('both addons are put in place at the end, and the part is marked', () => {
  const place = nativePlace('cpu', root)
  buildAddon(place, madeUpCompiler('echo built > "$out"'), source)
  expect(readFileSync(place.addon, 'utf8')).toBe('built\n')
  expect(readFileSync(place.captureAddon, 'utf8')).toBe('built\n')
  expect(readInstalled(place)[addonPart]).toMatch(/^[0-9a-f]{64}$/)
})

test('a compiler that fails is quoted, and an older addon stays', () => {
  const place = nativePlace('cpu', root)
  mkdirSync(dirname(place.addon), { recursive: true })
  writeFileSync(place.addon, 'older')
  const compiler = madeUpCompiler('echo "error: no <memory> here" >&2; exit 1')
  expect(() => buildAddon(place, compiler, source)).toThrow(
    `the addon could not be compiled with ${compiler} (a C++17 compiler is needed). It said:\nerror: no <memory> here`,
  )
  expect(readFileSync(place.addon, 'utf8')).toBe('older')
  expect(readInstalled(place)).toEqual({})
})

test('our C++ source is where the setup looks for it', () => {
  expect(existsSync(captureSourceFile(packageRoot()))).toBe(true)
  expect(() => captureSourceFile(root)).toThrow('run the setup from a checkout of the sources')
})
