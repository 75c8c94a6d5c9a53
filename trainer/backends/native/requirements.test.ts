import { describe, expect, test } from 'vitest'
import { checkRequirements } from './requirements.ts'
import { compareVersions, thisSystem } from './system.ts'
import { type MadeUpSystem, madeUpSystem } from './testing/madeUpSystem.ts'

const needs = {
  bytesNeeded: 1e9,
  folder: '/somewhere/.tensorflow/cpu',
  needsCompiler: true,
  needsDownloads: true,
  glibcMin: '2.27',
}
const missing = (system: MadeUpSystem, changed: Partial<typeof needs> = {}): readonly string[] =>
  checkRequirements(madeUpSystem(system), { ...needs, ...changed }).missing

describe('what must be there before the setup', () => {
  test('nothing is missing where all is there, and the tools are named', () => {
    const { missing, tools } = checkRequirements(madeUpSystem(), needs)
    expect(missing).toEqual([])
    expect(tools).toEqual({ compiler: 'c++', python: 'python3', npm: ['npm'] })
  })

  test('a missing compiler is told with its remedy', () => {
    expect(missing({ programs: { 'c++ --version': null } })).toEqual([
      'a C++ compiler is missing (tried $CXX, c++, g++ and clang++): on Debian and Ubuntu install it with "apt-get install g++"',
    ])
  })

  test('the compiler named by CXX comes first', () => {
    const system = madeUpSystem({ environment: { CXX: 'g++-14' }, programs: { 'g++-14 --version': '14' } })
    expect(checkRequirements(system, needs).tools.compiler).toBe('g++-14')
  })

  test('missing Python is told with its remedy', () => {
    expect(missing({ programs: { 'python3 -c import zipfile, tarfile': null } })).toEqual([
      'Python 3 is missing (tried python3 and python), which fetches and unpacks TensorFlow: on Debian and Ubuntu install it with "apt-get install python3 python3-pip"',
    ])
  })

  test('Python without pip is told with its remedy', () => {
    expect(missing({ programs: { 'python3 -m pip --version': null } })).toEqual([
      'python3 has no pip, which fetches TensorFlow: on Debian and Ubuntu install it with "apt-get install python3-pip"',
    ])
  })

  test('missing npm is told, and the npm that runs the script is preferred', () => {
    expect(missing({ programs: { 'npm --version': null } })).toEqual([
      'npm is missing, which fetches tfjs-node: it comes with Node, or "apt-get install npm"',
    ])
    const system = madeUpSystem({ environment: { npm_execpath: '/opt/npm/bin/npm-cli.js' } })
    expect(checkRequirements(system, needs).tools.npm).toEqual([process.execPath, '/opt/npm/bin/npm-cli.js'])
  })

  test('too little room is told with both numbers', () => {
    expect(missing({ free: 0.2e9 })).toEqual([
      '/somewhere/.tensorflow/cpu must have 1.0 GB free, it has 0.2 GB: make room there',
    ])
  })

  test('all that is missing is told at once', () => {
    const nothing = Object.fromEntries(
      ['c++ --version', 'python3 -c import', 'npm --version'].map((program) => [program, null]),
    )
    const system = madeUpSystem({ programs: nothing, free: 0 })
    const bare = { ...system, probe: () => null }
    expect(checkRequirements(bare, needs).missing).toHaveLength(4)
  })

  test('a complete installation needs neither compiler nor Python nor npm', () => {
    const bare = { ...madeUpSystem(), probe: () => null }
    const done = { ...needs, bytesNeeded: 0, needsCompiler: false, needsDownloads: false }
    expect(checkRequirements(bare, done).missing).toEqual([])
  })
})

describe('computers on which TensorFlow cannot run', () => {
  test.each([
    [
      'another system',
      { platform: 'darwin', arch: 'arm64' },
      'must run on linux x64, this computer is darwin arm64',
    ],
    ['another processor', { arch: 'arm64' }, 'must run on linux x64, this computer is linux arm64'],
    ['another C library', { glibc: null }, 'needs the GNU C library 2.27 or newer, this system has another'],
    ['an old C library', { glibc: '2.19' }, 'needs the GNU C library 2.27 or newer, this system has 2.19'],
    [
      'a processor without AVX',
      { files: { '/proc/cpuinfo': 'flags : fpu sse2\n' } },
      'needs a processor with AVX instructions, this one has none',
    ],
  ] as const)('%s: one sentence that also names what works', (_, system, sentence) => {
    const sentences = missing(system)
    expect(sentences).toHaveLength(1)
    expect(sentences[0]).toContain(sentence)
    expect(sentences[0]).toContain('the wasm backend needs nothing of this')
  })
})

test('versions are compared number by number', () => {
  expect(compareVersions('2.4', '2.27')).toBe(-1)
  expect(compareVersions('2.27', '2.27.0')).toBe(0)
  expect(compareVersions('525.147.05', '525.60')).toBe(1)
})

test('this computer answers what it is asked', () => {
  const system = thisSystem()
  expect(system.platform).toBe(process.platform)
  expect(system.probe(process.execPath, ['--version'])?.trim()).toBe(process.version)
  expect(system.probe('no-such-program-anywhere', [])).toBeNull()
  expect(system.text('/no/such/file')).toBeNull()
  expect(system.freeBytes('/no/such/folder')).toBeGreaterThan(0)
})
