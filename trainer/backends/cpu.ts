// TensorFlow.js in plain JavaScript: 10 to 50 times slower than WebAssembly, runs everywhere. It is the last
// resort and the reference against which our kernels are tested.

import * as tf from '@tensorflow/tfjs-core'
import { type Backend, type BackendOpener, readEach } from './backend.ts'
import { registerGradients } from './kernels/gradients.ts'

async function openCpu(): Promise<Backend> {
  await import('@tensorflow/tfjs-backend-cpu')
  registerGradients()
  tf.enableProdMode()
  if (!(await tf.setBackend('cpu'))) throw new Error('the plain JavaScript backend did not start')
  const description = `TensorFlow.js ${tf.version_core} in plain JavaScript, 1 thread`
  return { name: 'cpu', description, stepsPerRead: 1, readValues: readEach }
}

export const cpuOpener: BackendOpener = { name: 'cpu', open: openCpu }
