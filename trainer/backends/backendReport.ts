// What `twostep doctor` says of the trainer: driver, card, CUDA libraries, TensorFlow, and the backend that `auto`
// takes, found by taking it: it is opened and tested as a run would.

import type { BackendName } from './backend.ts'
import { factSentences, readNativeFacts } from './native/doctor.ts'
import { nativePlaces } from './native/loadNative.ts'
import { thisSystem } from './native/system.ts'
import { describeBackend, type OpenedBackend, openBackend } from './openBackend.ts'

export type BackendReport = {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[]
  /** null = none can be used. */
  readonly backend: BackendName | null
}

/** "card: none here" as a name and what is said of it. */
function named(sentence: string): { name: string; detail: string } {
  const at = sentence.indexOf(': ')
  return { name: sentence.slice(0, at), detail: sentence.slice(at + 2) }
}

/** @param open for tests; by default as `--backend auto` does it. */
export async function backendReport(
  open: () => Promise<OpenedBackend> = () => openBackend('auto'),
): Promise<BackendReport> {
  const facts = factSentences(readNativeFacts(thisSystem(), nativePlaces())).map(named)
  // The facts' own guess of the backend knows nothing of WebGPU and of the self-test.
  const told = facts.filter(({ name }) => name !== 'backend' && name !== 'system')
  const checks = told.map((fact) => ({ ...fact, ok: true }))
  try {
    const opened = await open()
    const detail = describeBackend(opened).replace(/^using /, '')
    return { checks: [...checks, { name: 'backend', ok: true, detail }], backend: opened.backend.name }
  } catch (cause) {
    return {
      checks: [...checks, { name: 'backend', ok: false, detail: (cause as Error).message }],
      backend: null,
    }
  }
}
