// Chooses a backend: the one asked for, or with `auto` the fastest that starts. It says which it took and why it
// passed over others. A new backend is one more opener in the list, fastest first.

import { type Backend, type BackendName, type BackendOpener, backendNames } from './backend.ts'
import { cpuOpener } from './cpu.ts'
import { wasmOpener } from './wasm.ts'

export const backendChoices = ['auto', ...backendNames] as const
export type BackendChoice = (typeof backendChoices)[number]

export type OpenedBackend = {
  readonly backend: Backend
  /** Those tried before it, with the reason why each could not be used. */
  readonly skipped: readonly { readonly name: BackendName; readonly reason: string }[]
}

const fastestFirst: readonly BackendOpener[] = [wasmOpener, cpuOpener]

/** @throws Error with a sentence naming each backend tried and why it failed. */
export async function openBackend(
  choice: BackendChoice,
  openers: readonly BackendOpener[] = fastestFirst,
): Promise<OpenedBackend> {
  const skipped: { name: BackendName; reason: string }[] = []
  for (const opener of openers) {
    if (choice !== 'auto' && opener.name !== choice) continue
    try {
      return { backend: await opener.open(), skipped }
    } catch (cause) {
      skipped.push({ name: opener.name, reason: cause instanceof Error ? cause.message : String(cause) })
    }
  }
  const reasons = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  throw new Error(`backend ${choice} cannot be used (${reasons}); allowed are ${backendChoices.join(', ')}`)
}

/** What was taken and why not the others, in one sentence. */
export function describeBackend({ backend, skipped }: OpenedBackend): string {
  const passed = skipped.map(({ name, reason }) => `; ${name} was passed over: ${reason}`).join('')
  return `using the ${backend.name} backend (${backend.description})${passed}`
}
