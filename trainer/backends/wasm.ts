// TensorFlow.js on WebAssembly: SIMD where the processor has it (all since 2013), one thread (tfjs supports
// threads in browsers only). The kernels that training needs and the backend lacks, or has only as a slow loop,
// are put in before it starts.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { type Backend, type BackendOpener, readEach } from './backend.ts'
import { improveConv2DGradients } from './kernels/conv2d.ts'
import { registerGradients } from './kernels/gradients.ts'
import { improveMatMul } from './kernels/matMul.ts'
import { improveMaxPoolGrad } from './kernels/maxPoolGrad.ts'
import { improveMemory } from './kernels/memory.ts'
import { improveSum } from './kernels/sum.ts'
import { addUnsortedSegmentSum } from './kernels/unsortedSegmentSum.ts'

/** Registers our kernels for the WASM backend; safe to call again. */
export function registerWasmKernels(): void {
  registerGradients()
  improveMemory('wasm')
  improveMatMul('wasm')
  improveSum('wasm')
  improveConv2DGradients('wasm')
  improveMaxPoolGrad('wasm')
  addUnsortedSegmentSum('wasm')
}

async function openWasm(): Promise<Backend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  registerWasmKernels()
  if (tf.findBackend('wasm') === null) wasm.setWasmPaths(join(folder, '/'))
  tf.enableProdMode()
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  if (!(await tf.setBackend('wasm'))) throw new Error(`the WebAssembly backend did not start from ${folder}`)
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')
  const description = `TensorFlow.js ${tf.version_core} on WebAssembly, SIMD ${simd ? 'on' : 'off'}, 1 thread`
  return { name: 'wasm', description, stepsPerRead: 1, readValues: readEach }
}

export const wasmOpener: BackendOpener = { name: 'wasm', open: openWasm }
