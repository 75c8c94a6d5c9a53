// One run of the bundled tests in a process of its own: `worker.mjs FOLDER BACKEND VARIANT OUTPUT`. Variants: `stock`
// (the backend as it comes), `kernels` (with our kernels, tfjs's derivatives), `ours` (with our derivatives as well).

import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'

const [folder, backend, variant, output] = process.argv.slice(2)
const dist = new URL('../../dist/trainer/', import.meta.url)
const ours = (file) => import(new URL(file, dist).href)
const messageCharsMax = 200

/** @returns what tfjs calls the backend. */
async function load() {
  if (backend === 'native') {
    const { loadNative, nativePlaces, tensorflowBackend } = await ours('backends/native/loadNative.js')
    const { tensorflow } = loadNative(nativePlaces().cpu)
    if (variant !== 'stock') await (await ours('backends/native/nativeBackend.js')).openNative()
    return { name: tensorflowBackend, description: `TensorFlow ${tensorflow} through tfjs-node 4.22.0` }
  }
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(
    join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')), '/'),
  )
  if (variant !== 'stock') (await ours('backends/wasm.js')).registerWasmKernels()
  return { name: 'wasm', description: 'tfjs-backend-wasm 4.22.0' }
}

const { name, description } = await load()
// The tests' own copy of the core registers tfjs's derivatives over ours: ours are put back where they are the subject.
const kernelNames = tf.getKernelsForBackend(name).map(({ kernelName }) => kernelName)
const ownGradients = kernelNames.map((kernel) => tf.getGradient(kernel)).filter(Boolean)

const load2 = createRequire(join(folder, 'package.json'))
const jasmineCore = load2('jasmine-core')
const jasmine = jasmineCore.boot(jasmineCore)
jasmine.DEFAULT_TIMEOUT_INTERVAL = 60_000
globalThis.testEnvironments = [
  { name: 'it', backendName: name, flags: { WASM_HAS_MULTITHREAD_SUPPORT: false }, isDataSync: true },
]
load2('./tests.cjs')
if (variant === 'ours') {
  for (const gradient of ownGradients) tf.registerGradient(gradient)
  const { hasPartGradients } = await ours('backends/kernels/gradients.js')
  if (!hasPartGradients()) throw new Error('our derivatives must be in force, they are not')
}

const results = {}
const environment = jasmine.getEnv()
environment.configure({ random: false })
environment.addReporter({
  specDone: ({ fullName, status, failedExpectations }) => {
    let key = fullName.replace(/ it \{[^}]*\}/, '')
    while (key in results) key += ' (again)'
    const message = failedExpectations[0]?.message.split('\n')[0].slice(0, messageCharsMax)
    results[key] = message === undefined ? { status } : { status, message }
  },
  jasmineDone: ({ failedExpectations }) => {
    for (const { message } of failedExpectations)
      results[`(outside a test) ${message}`] = { status: 'failed', message }
    writeFileSync(output, JSON.stringify({ description, results }))
    process.exit(0)
  },
})
environment.execute()
