import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import type { BackendOpener } from './backend.ts'
import { cpuOpener } from './cpu.ts'
import { describeBackend, openBackend } from './openBackend.ts'

const broken: BackendOpener = { name: 'wasm', open: () => Promise.reject(new Error('no such instruction')) }

describe('choosing a backend', () => {
  it('takes WebAssembly with SIMD by itself', async () => {
    const opened = await openBackend('auto')
    expect(tf.getBackend()).toBe('wasm')
    expect(describeBackend(opened)).toMatch(
      /^using the wasm backend \(TensorFlow\.js 4\.\d+\.\d+ on WebAssembly, SIMD on, 1 thread\)$/,
    )
  })
  it('falls back, and says why', async () => {
    const opened = await openBackend('auto', [broken, cpuOpener])
    expect(opened.backend.name).toBe('cpu')
    expect(describeBackend(opened)).toMatch(
      /plain JavaScript, 1 thread\); wasm was passed over: no such instruction$/,
    )
  })
  it('does not fall back from a backend that was asked for', async () => {
    await expect(openBackend('wasm', [broken, cpuOpener])).rejects.toThrow(
      'backend wasm cannot be used (wasm: no such instruction); allowed are auto, wasm, cpu',
    )
  })
})
