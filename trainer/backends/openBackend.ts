// Chooses a backend: the one asked for, or with `auto` the fastest that starts and passes the self-test. It says
// which it took and why it passed over others. A new backend is one more opener in the list, fastest first.

import { type Backend, type BackendName, type BackendOpener, backendNames, type Chosen } from './backend.ts'
import { cpuOpener } from './cpu.ts'
import { selfTest } from './selfTest.ts'
import { gpuOpener, nativeOpener } from './tensorflow.ts'
import { wasmOpener } from './wasm.ts'
import { webgpuOpener } from './webgpu.ts'

export const backendChoices = ['auto', ...backendNames] as const
export type BackendChoice = (typeof backendChoices)[number]

export type Skipped = {
  readonly name: BackendName
  readonly reason: string
  /** It is simply not on this computer, or not set up: the reason is a few words, not a failure. */
  readonly isAbsent: boolean
}

export type OpenedBackend = {
  readonly backend: Backend
  /** Those tried before it, with the reason why each could not be used. */
  readonly skipped: readonly Skipped[]
}

export const backendOpeners: Readonly<Record<BackendName, BackendOpener>> = {
  gpu: gpuOpener,
  native: nativeOpener,
  webgpu: webgpuOpener,
  wasm: wasmOpener,
  cpu: cpuOpener,
}

const fastestFirst: readonly BackendOpener[] = backendNames.map((name) => backendOpeners[name])

/** Opened and tested; the plain backend is what the others are compared with. */
async function openTested(opener: BackendOpener, chosen: Chosen): Promise<Backend> {
  const backend = await opener.open(chosen)
  if (backend.name !== 'cpu') await selfTest()
  return backend
}

/** No backend, or not the one asked for, can be used here; the message is a sentence for a person. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
}

/** @throws BackendError with a sentence naming each backend tried and why it failed. */
export async function openBackend(
  choice: BackendChoice,
  openers: readonly BackendOpener[] = fastestFirst,
): Promise<OpenedBackend> {
  const skipped: Skipped[] = []
  for (const opener of openers) {
    const { name } = opener
    if (choice !== 'auto' && name !== choice) continue
    const absent = choice === 'auto' ? await opener.absent?.() : undefined
    if (absent !== undefined) {
      skipped.push({ name, reason: absent, isAbsent: true })
      continue
    }
    try {
      const backend = await openTested(opener, choice === 'auto' ? 'auto' : 'by name')
      return { backend, skipped }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      skipped.push({ name, reason, isAbsent: false })
    }
  }
  const reasons = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  throw new BackendError(
    `backend ${choice} cannot be used (${reasons}); allowed are ${backendChoices.join(', ')}`,
  )
}

/** What was taken and why not the others, in one sentence. */
export function describeBackend({ backend, skipped }: OpenedBackend): string {
  const absent = skipped.filter(({ isAbsent }) => isAbsent).map(({ name, reason }) => `${name} (${reason})`)
  const failed = skipped.filter(({ isAbsent }) => !isAbsent)
  return [
    `using the ${backend.name} backend (${backend.description})`,
    ...failed.map(({ name, reason }) => `${name} was passed over: ${reason}`),
    ...(absent.length === 0 ? [] : [`not here: ${absent.join(', ')}`]),
  ].join('; ')
}
