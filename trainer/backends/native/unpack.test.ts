import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NodePackage, Wheel } from './pins.ts'
import { selectMembers, unpackPackage, unpackWheel } from './unpack.ts'

const wheel: Wheel = {
  name: 'little',
  version: '1.0',
  file: 'little-1.0.whl',
  sha256: '',
  bytes: 0,
  members: ['little/lib/libone.so.1', 'little/lib/libmany_*.so.2'],
  unpackedBytes: 0,
}
const names = [
  'little/lib/libone.so.1',
  'little/lib/libmany_a.so.2',
  'little/lib/libmany_b.so.2',
  'little/lib/libmany_c.so.20',
  'little/lib/sub/libmany_d.so.2',
  'little/other.py',
]

describe('which members of a wheel are taken', () => {
  test('those named, and of a pattern all in its folder', () => {
    expect(selectMembers(names, wheel)).toEqual(names.slice(0, 3))
  })

  test('a dot is a dot', () => {
    expect(() => selectMembers(['little/lib/liboneXso.1'], { ...wheel, members: [names[0]!] })).toThrow(
      'little-1.0.whl must contain little/lib/libone.so.1, it does not',
    )
  })

  test('a pattern that stands for nothing is an error: the pins are of another file', () => {
    expect(() => selectMembers(names, { ...wheel, members: ['little/lib/libnone_*.so'] })).toThrow(
      'must contain little/lib/libnone_*.so',
    )
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0
if (!hasPython) console.warn('SKIPPED: unpacking real archives needs python3, which is not here')

describe.skipIf(!hasPython)('unpacking real archives (needs python3)', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'twostep-unpack-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const python = (program: string) => spawnSync('python3', ['-c', program], { cwd: folder })

  test('a wheel gives its chosen files and the link that TensorFlow needs', () => {
    python(
      `import zipfile\nz = zipfile.ZipFile('a.whl', 'w')\n${names.map((name) => `z.writestr('${name}', '${name}')`).join('\n')}\nz.close()`,
    )
    const site = join(folder, 'site')
    unpackWheel(
      'python3',
      join(folder, 'a.whl'),
      { ...wheel, linkedFrom: '../../second/lib/libone.so.1' },
      site,
    )
    expect(readdirSync(join(site, 'little/lib'))).toEqual(['libmany_a.so.2', 'libmany_b.so.2', 'libone.so.1'])
    expect(existsSync(join(site, 'little/other.py'))).toBe(false)
    expect(readFileSync(join(site, 'second/lib/libone.so.1'), 'utf8')).toBe(names[0])
  })

  test('a program in a wheel stays executable', () => {
    const name = 'little/bin/tool'
    python(
      `import zipfile\nz = zipfile.ZipFile('a.whl', 'w')\ni = zipfile.ZipInfo('${name}')\ni.external_attr = 0o100755 << 16\nz.writestr(i, 'x')\nz.close()`,
    )
    unpackWheel('python3', join(folder, 'a.whl'), { ...wheel, members: [name] }, folder)
    expect(statSync(join(folder, name)).mode & 0o111).toBe(0o111)
  })

  test('a package replaces what was in its folder, and everyone may read it', () => {
    const part = { name: '@scope/little' } as NodePackage
    python(
      "import tarfile, io\nt = tarfile.open('a.tgz', 'w:gz')\ni = tarfile.TarInfo('package/sub/x.js')\ni.size = 2\ni.mode = 0o600\nt.addfile(i, io.BytesIO(b'hi'))\nt.close()",
    )
    unpackPackage('python3', join(folder, 'a.tgz'), part, folder)
    writeFileSync(join(folder, '@scope/little/old.js'), '')
    unpackPackage('python3', join(folder, 'a.tgz'), part, folder)
    expect(readdirSync(join(folder, '@scope/little'))).toEqual(['sub'])
    const file = join(folder, '@scope/little/sub/x.js')
    expect(readFileSync(file, 'utf8')).toBe('hi')
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  test('a broken archive is told with its name', () => {
    writeFileSync(join(folder, 'a.whl'), 'no archive')
    const unpacking = () => unpackWheel('python3', join(folder, 'a.whl'), wheel, folder)
    expect(unpacking).toThrow('a.whl could not be unpacked: ')
  })
})
