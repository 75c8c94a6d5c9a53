// Loads one variant of TensorFlow and trains a step with it, in a process of its own: a process can hold one
// TensorFlow only, and a library that ends the process must not end the program that asks.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { version_core } from '@tensorflow/tfjs-core'
import { selfTest } from '../selfTest.ts'
import { loadNative } from './loadNative.ts'
import { openGpu, openNative } from './nativeBackend.ts'
import type { Variant } from './pins.ts'
import { nativePlace } from './place.ts'

export type Trial = {
  readonly variant: Variant
  /** One sentence: what it runs on and how the step went, or why it failed. */
  readonly sentence: string
  /** Absent = it trained. */
  readonly error?: string
  readonly onGpu?: boolean
  readonly tensorflow?: string
  readonly loadSeconds?: number
  /** The largest relative difference of its step to plain JavaScript's. */
  readonly difference?: number
}

const trialMilliseconds = 300_000

/** In this process; for report.ts, which a trial starts. */
export async function tryHere(variant: Variant): Promise<Trial> {
  try {
    const started = performance.now()
    const { onGpu, tensorflow } = loadNative(nativePlace(variant))
    const loadSeconds = (performance.now() - started) / 1_000
    const backend = await (onGpu ? openGpu() : openNative())
    const { lossBefore, lossAfter, difference } = await selfTest()
    const sentence = [
      `TensorFlow.js ${version_core} with ${backend.description}, Node ${process.versions.node}`,
      `loaded in ${loadSeconds.toFixed(1)} s`,
      `a training step took the loss from ${lossBefore.toFixed(3)} to ${lossAfter.toFixed(3)}`,
      `it agrees with plain JavaScript's to ${difference.toPrecision(1)}`,
    ].join('; ')
    return { variant, sentence, onGpu, tensorflow, loadSeconds, difference }
  } catch (cause) {
    const error = (cause as Error).message
    return { variant, sentence: error, error }
  }
}

/** In a process of its own. A process that dies is an answer too. */
export function tryApart(variant: Variant): Trial {
  const args = [fileURLToPath(new URL('./report.js', import.meta.url)), '--try-here', variant]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: trialMilliseconds,
  })
  const line = stdout?.trim().split('\n').at(-1) ?? ''
  if (line.startsWith('{')) return JSON.parse(line) as Trial
  const how = signal === null ? `exit status ${status}` : signal
  const words = stderr?.trim().split('\n').slice(-3).join(' / ')
  const error = `TensorFlow (${variant}) ended the process that tried it with ${how}${words ? `: ${words}` : ''}`
  return { variant, sentence: error, error }
}
