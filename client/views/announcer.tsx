// Says new decisions to people who do not see them: politely, at most one in 5 s, a hold only when its verdict
// changes. Samples, progress and the cursor are never announced. A lost connection is said here as well.

import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Decision } from '../../protocol/vocabulary.ts'
import { connection } from '../connection/live.ts'

/** Shortest time between two announcements, in milliseconds. */
export const announceMsMin = 5_000

/** Whether a decision is worth saying after the ones before it. */
export function isWorthSaying(decision: Decision, before: Decision | undefined): boolean {
  return decision.kind !== 'hold' || before?.test?.satisfied !== decision.test?.satisfied
}

export function Announcer(props: { decisions: readonly Decision[] }) {
  const words = useSignal('')
  const said = useRef({ number: props.decisions.at(-1)?.number ?? 0, atMs: 0 })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const latest = props.decisions.at(-1)
  useEffect(() => {
    if (latest === undefined || latest.number <= said.current.number) return
    // The first decisions of a page just opened are its content, not its news.
    if (said.current.number === 0) {
      said.current.number = latest.number
      return
    }
    said.current.number = latest.number
    if (!isWorthSaying(latest, props.decisions.at(-2))) return
    clearTimeout(timer.current)
    const wait = Math.max(0, said.current.atMs + announceMsMin - Date.now())
    timer.current = setTimeout(() => {
      said.current.atMs = Date.now()
      words.value = latest.summary
    }, wait)
  }, [latest, props.decisions, words])
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      {connection.value.kind === 'lost' ? 'Connection to the server lost. Training goes on.' : words.value}
    </p>
  )
}
