import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { factSentences, type NativeFacts, readNativeFacts } from './doctor.ts'
import { addonPart, markInstalled } from './installation.ts'
import { partsOf, type Variant } from './pins.ts'
import { nativePlace } from './place.ts'
import { type MadeUpSystem, madeUpSystem, withCard } from './testing/madeUpSystem.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twostep-doctor-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function setUp(...variants: Variant[]): void {
  for (const variant of variants) {
    const place = nativePlace(variant, root)
    for (const { name, sha256 } of partsOf[variant].wheels) markInstalled(place, name, sha256)
    for (const { name, integrity } of partsOf[variant].packages) markInstalled(place, name, integrity)
    markInstalled(place, addonPart, 'built')
    mkdirSync(dirname(place.addon), { recursive: true })
    writeFileSync(place.addon, '')
  }
}

function facts(system: MadeUpSystem, trials: NativeFacts['trials'] = {}): NativeFacts {
  const places = { cpu: nativePlace('cpu', root), gpu: nativePlace('gpu', root) }
  return readNativeFacts(madeUpSystem(system), places, trials)
}

describe('which backend would be taken, and why not a faster one', () => {
  test('nothing set up, no card: wasm, with a reason for each', () => {
    const { backend, skipped } = facts({})
    expect(backend).toBe('wasm')
    expect(skipped.map(({ name, reason }) => [name, reason.slice(0, 30)])).toEqual([
      ['gpu', 'no NVIDIA driver is here (neit'],
      ['native', 'native TensorFlow (cpu) is not'],
    ])
  })

  test('a card and its TensorFlow: gpu, with nothing to explain', () => {
    setUp('gpu')
    expect(facts(withCard)).toMatchObject({ backend: 'gpu', skipped: [] })
  })

  test('a card, but only the TensorFlow for the processor', () => {
    setUp('cpu')
    const { backend, skipped } = facts(withCard)
    expect(backend).toBe('native')
    expect(skipped).toEqual([
      {
        name: 'gpu',
        reason: 'native TensorFlow (gpu) is not set up; "twostep setup-tensorflow --gpu" does it',
      },
    ])
  })

  test('the TensorFlow for cards serves the processor where there is no card', () => {
    setUp('gpu')
    expect(facts({})).toMatchObject({ backend: 'native', skipped: [{ name: 'gpu' }] })
  })

  test('a trial that failed speaks against a backend', () => {
    setUp('cpu', 'gpu')
    const cpu = { variant: 'cpu', sentence: 'ended by SIGILL', error: 'ended by SIGILL' } as const
    expect(facts({}, { cpu })).toMatchObject({
      backend: 'wasm',
      skipped: [{ name: 'gpu' }, { name: 'native', reason: 'ended by SIGILL' }],
    })
    const gpu = { variant: 'gpu', sentence: 'trained', onGpu: false } as const
    expect(facts(withCard, { gpu })).toMatchObject({
      backend: 'native',
      skipped: [{ name: 'gpu', reason: 'TensorFlow was tried and does not use the card' }],
    })
  })

  test('an unsupported computer says so for both', () => {
    const { backend, skipped, unsupported } = facts({ platform: 'darwin', arch: 'arm64' })
    expect(backend).toBe('wasm')
    expect(unsupported).toContain('must run on linux x64')
    expect(skipped.map(({ reason }) => reason)).toEqual([unsupported, unsupported])
  })
})

test('a person reads system, card, libraries, versions and choice', () => {
  setUp('gpu')
  const lines = factSentences(
    facts(withCard, { gpu: { variant: 'gpu', sentence: 'it trained', onGpu: true } }),
  )
  expect(lines).toEqual([
    'system: linux x64, glibc 2.36',
    'card: NVIDIA driver 550.54.15, NVIDIA H100 80GB HBM3, 82 GB',
    expect.stringMatching(/^CUDA libraries: cublas 12\..*, cudnn 9\./),
    'TensorFlow for the card: 2.21.0',
    'TensorFlow for the processor: native TensorFlow (cpu) is not set up; "twostep setup-tensorflow --cpu" does it',
    'tried: it trained',
    'backend: gpu would be taken',
  ])
})

test.each([
  ['12.0', 'TensorFlow 2.21.0 was built for up to 9.0'],
  ['5.2', 'TensorFlow 2.21.0 serves 6.0 and newer'],
])('a card of compute capability %s is told what to expect', (capability, words) => {
  const query = 'nvidia-smi --query-gpu=driver_version,memory.total,compute_cap,name'
  const programs = { [query]: `580.65.06, 16384, ${capability}, NVIDIA of another age\n` }
  const [, card] = factSentences(facts({ ...withCard, programs }))
  expect(card).toContain(`NVIDIA of another age, 16 GB (compute capability ${capability}: ${words}`)
  expect(card).toContain('--backend webgpu')
})

test('the facts are plain JSON', () => {
  const all = facts(withCard)
  expect(JSON.parse(JSON.stringify(all))).toEqual(all)
})
