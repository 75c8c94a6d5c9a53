// Counts how often values are fetched from the present backend's memory: each `data`, `dataSync`, and each read that
// a kernel makes by itself, ends in the backend's `read` or `readSync`.

import * as tf from '@tensorflow/tfjs-core'

export type ReadCounter = { readonly count: number; stop(): void }

export function countReads(): ReadCounter {
  const backend = tf.backend()
  const { read, readSync } = backend
  let count = 0
  // Some backends' `read` is their `readSync`: that is one read.
  let isInside = false
  backend.read = (dataId) => {
    count++
    isInside = true
    try {
      return read.call(backend, dataId)
    } finally {
      isInside = false
    }
  }
  backend.readSync = (dataId) => {
    if (!isInside) count++
    return readSync.call(backend, dataId)
  }
  return {
    get count() {
      return count
    },
    stop: () => {
      backend.read = read
      backend.readSync = readSync
    },
  }
}
