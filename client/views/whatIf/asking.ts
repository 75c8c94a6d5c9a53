// Asks the server what would have been decided: after a rest, so that a slider that is drawn asks once; a question that has
// been overtaken is taken back, and one that finds the server busy with another is asked again.

import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { WhatIfAnswer, WhatIfRequest } from '../../../protocol/vocabulary.ts'
import { askWhatIf } from '../../connection/api.ts'

const restMs = 300
const busyMs = 1_000
const busyTimes = 10

export type Asking =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'asking'; readonly before: WhatIfAnswer | null }
  | { readonly kind: 'answered'; readonly answer: WhatIfAnswer }
  | { readonly kind: 'failed'; readonly words: string }

const pause = (ms: number, gone: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    gone.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

async function ask(
  runId: string,
  request: WhatIfRequest,
  gone: AbortSignal,
  tell: (asking: Asking) => void,
): Promise<void> {
  await pause(restMs, gone)
  for (let times = 0; times < busyTimes && !gone.aborted; times++) {
    const answer = await askWhatIf(runId, request, gone)
    if (gone.aborted) return
    if (answer.ok) return tell({ kind: 'answered', answer: answer.value })
    if (answer.problem.code !== 'server-busy') return tell({ kind: 'failed', words: answer.problem.detail })
    await pause(busyMs, gone)
  }
  if (!gone.aborted)
    tell({ kind: 'failed', words: 'The server is busy with other questions. Try again later.' })
}

/** @param request null = nothing to ask */
export function useWhatIf(runId: string, request: WhatIfRequest | null): Signal<Asking> {
  const state = useSignal<Asking>({ kind: 'nothing' })
  const key = request === null ? null : JSON.stringify(request)
  useEffect(() => {
    if (key === null) {
      state.value = { kind: 'nothing' }
      return
    }
    const before = state.peek()
    state.value = { kind: 'asking', before: before.kind === 'answered' ? before.answer : null }
    const gone = new AbortController()
    void ask(runId, JSON.parse(key) as WhatIfRequest, gone.signal, (next) => {
      state.value = next
    })
    return () => gone.abort()
  }, [runId, key, state])
  return state
}
