// The runs that are compared and their series: asked for when the address names others, and again every few seconds while
// one of them goes on.

import { effect, signal, untracked } from '@preact/signals'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { fetchRun, fetchSignals } from '../connection/api.ts'
import { address } from './address.ts'
import type { CompareAddress } from './compareAddress.ts'
import type { Columns } from './series.ts'

export type Compared = {
  readonly run: RunSummary
  readonly signals: Readonly<Record<string, Columns>>
}
export type Comparison = {
  readonly compared: readonly Compared[]
  /** What was asked for and did not come, in words. */
  readonly failures: readonly string[]
  readonly loaded: boolean
  /** The jobs' own metrics, as signals. */
  readonly names: readonly string[]
}

export const nothingCompared: Comparison = { compared: [], failures: [], loaded: false, names: [] }
export const comparison = signal<Comparison>(nothingCompared)

const points = 600
/** The fewest that may be asked for: only the names are read. */
const namesPoints = 50
const againMs = 5_000
/** Asked for beside the chosen signal: the rate, and the time that steps took. */
const always = ['learningRate', 'stepSeconds'] as const

let asked = 0

async function load({ runs, signal: chosen }: CompareAddress): Promise<void> {
  const number = ++asked
  const failures: string[] = []
  const found = await Promise.all(
    runs.map(async (id): Promise<Compared | undefined> => {
      const [run, series] = await Promise.all([
        fetchRun(id),
        fetchSignals(id, [...new Set([chosen, ...always])], points),
      ])
      if (!run.ok) {
        failures.push(run.problem.code === 'run-not-found' ? `No run called ${id} here.` : run.problem.detail)
        return undefined
      }
      // A run that has none of the signals yet is compared by its table alone.
      return { run: run.value, signals: series.ok ? series.value.signals : {} }
    }),
  )
  if (number !== asked) return
  comparison.value = {
    ...comparison.peek(),
    compared: found.filter((one) => one !== undefined),
    failures,
    loaded: true,
  }
}

/** What the jobs measure besides, once: all signals of a run at the coarsest, as names are told in no other way. */
async function loadNames({ runs }: CompareAddress): Promise<void> {
  const found = await Promise.all(runs.map((id) => fetchSignals(id, [], namesPoints)))
  const names = found.flatMap((series) => (series.ok ? Object.keys(series.value.signals) : []))
  const own = [...new Set(names.filter((name) => name.startsWith('metrics.')))]
  comparison.value = { ...comparison.peek(), names: own.sort() }
}

const isLive = ({ run }: Compared) => run.state === 'running' || run.state === 'waiting'

/** Follows what the address compares until the returned function is called. */
export function followComparison(): () => void {
  let key = ''
  let ids = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  const round = async (now: CompareAddress) => {
    clearTimeout(timer)
    await load(now)
    if (stopped || !comparison.peek().compared.some(isLive)) return
    timer = setTimeout(() => {
      const later = address.peek()
      if (later.page === 'compare') void (document.hidden ? undefined : round(later))
    }, againMs)
  }
  const stop = effect(() => {
    const now = address.value
    if (now.page !== 'compare') return
    const next = JSON.stringify([now.runs, now.signal])
    if (next === key) return
    key = next
    untracked(() => void round(now))
    if (now.runs.join() === ids) return
    ids = now.runs.join()
    untracked(() => void loadNames(now))
  })
  const onShown = () => {
    const now = address.peek()
    if (!document.hidden && now.page === 'compare') void round(now)
  }
  document.addEventListener('visibilitychange', onShown)
  return () => {
    stopped = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', onShown)
    stop()
    comparison.value = nothingCompared
  }
}
