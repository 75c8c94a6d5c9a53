import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import type { BackendOpener } from './backend.ts'
import { cpuOpener } from './cpu.ts'
import { describeBackend, openBackend } from './openBackend.ts'
import { wasmOpener } from './wasm.ts'

const broken: BackendOpener = { name: 'wasm', open: () => Promise.reject(new Error('no such instruction')) }

describe('choosing a backend', () => {
  it('takes the fastest by itself: WebAssembly with SIMD, where nothing was set up', async () => {
    const opened = await openBackend('auto', [wasmOpener, cpuOpener])
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
      'backend wasm cannot be used (wasm: no such instruction); allowed are auto, gpu, native, webgpu, wasm, cpu',
    )
  })
  it('does not open one that is not here, and says so in a few words', async () => {
    const absent: BackendOpener = {
      name: 'native',
      absent: async () => 'not set up: do so',
      open: () => Promise.reject(new Error('it was opened')),
    }
    const opened = await openBackend('auto', [absent, { ...absent, name: 'webgpu' }, cpuOpener])
    expect(describeBackend(opened)).toMatch(
      /1 thread\); not here: native \(not set up: do so\), webgpu \(not set up: do so\)$/,
    )
    // Who asks for it by name gets the whole story.
    await expect(openBackend('native', [absent])).rejects.toThrow('native: it was opened')
  })
  it('passes over one that computes something else, also if it was asked for', async () => {
    const wrong: BackendOpener = {
      name: 'wasm',
      open: async () => {
        const backend = await wasmOpener.open()
        const relu = tf.getKernel('Relu', 'wasm')
        tf.unregisterKernel('Relu', 'wasm')
        // A kernel that forgets to cut off.
        tf.registerKernel({ ...relu, kernelFunc: (call) => tf.getKernel('Abs', 'wasm').kernelFunc(call) })
        return backend
      },
    }
    const sentence =
      /it computes something else than plain JavaScript: in a training step the loss must agree to 0\.01, it differs by 0\.\d+ of its size/
    const opened = await openBackend('auto', [wrong, cpuOpener])
    expect(opened.backend.name).toBe('cpu')
    expect(tf.getBackend()).toBe('cpu')
    expect(opened.skipped[0]!.reason).toMatch(sentence)
    await expect(openBackend('wasm', [wrong])).rejects.toThrow(sentence)
  })
})
