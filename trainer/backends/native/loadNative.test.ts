import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { types } from 'node:util'
import { expect, test } from 'vitest'
import { loadedNative, loadNative, nativePlaces, restoreUtil } from './loadNative.ts'
import { openGpu, openNative } from './nativeBackend.ts'
import { variants } from './pins.ts'
import { nativePlace } from './place.ts'
import { madeUpSystem, withCard } from './testing/madeUpSystem.ts'

test('what Node 23 removed from util answers again, and nothing else changes', () => {
  const target: Record<string, unknown> = { types }
  restoreUtil(target)
  const { isNullOrUndefined, isArray } = target as Record<string, (value: unknown) => boolean>
  expect([null, undefined, 0, '', false].map((value) => isNullOrUndefined!(value))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  expect([[], {}, 'a'].map((value) => isArray!(value))).toEqual([true, false, false])
  expect(Object.keys(target).sort()).toEqual(['isArray', 'isNullOrUndefined', 'types'])
})

test.each(variants)('%s: from its folder Node finds the very tfjs-core of the trainer', (variant) => {
  const inside = createRequire(join(nativePlace(variant).modules, '@tensorflow', 'tfjs', 'index.js'))
  const own = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core')
  expect(inside.resolve('@tensorflow/tfjs-core')).toBe(own)
})

test('where nothing is set up, loading and both backends say how to do it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'twostep-load-'))
  const places = nativePlaces(root)
  const sentence = 'native TensorFlow (cpu) is not set up; "twostep setup-tensorflow --cpu" does it'
  expect(() => loadNative(places.cpu)).toThrow(sentence)
  await expect(openNative(places)).rejects.toThrow(sentence)
  await expect(openGpu(places, madeUpSystem(withCard))).rejects.toThrow(
    'native TensorFlow (gpu) is not set up',
  )
  await expect(openGpu(places, madeUpSystem())).rejects.toThrow('no NVIDIA driver is here')
  expect(loadedNative()).toBeUndefined()
  rmSync(root, { recursive: true })
})
