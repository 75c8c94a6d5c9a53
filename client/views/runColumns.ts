// The columns of the list: what each shows, by what the server orders it, and which of them a person wants to see. The
// choice is kept in the browser; where storage is refused it holds for this visit only.

import { signal } from '@preact/signals'
import { formatNumber, formatPercent } from '../../protocol/numbers.ts'
import type { RunSort, RunSummary } from '../../protocol/vocabulary.ts'
import { formatDuration } from './format.ts'

export type ColumnId =
  | 'state'
  | 'saying'
  | 'progress'
  | 'curve'
  | 'loss'
  | 'heldOut'
  | 'heldOutBest'
  | 'accuracy'
  | 'accuracyBest'
  | 'duration'
  | 'seen'

/** A number of a run, which may be held against that of the base. */
export type Measure = {
  readonly of: (run: RunSummary) => number | null
  readonly write: (value: number) => string
  /** Of a difference; default: as a value. */
  readonly writeDelta?: (value: number) => string
  /** Which way is better; null = neither. */
  readonly better: 'lower' | 'higher' | null
}

export type Column = {
  readonly id: ColumnId
  readonly title: string
  /** On a card, where there is little room. */
  readonly short?: string
  /** What the title is short for. */
  readonly meaning?: string
  readonly sort?: RunSort
  readonly measure?: Measure
}

const loss = (of: Measure['of']): Measure => ({ of, write: formatNumber, better: 'lower' })
const accuracy = (of: Measure['of']): Measure => ({
  of,
  write: (value) => formatPercent(value, 4),
  writeDelta: (value) => formatPercent(value, 2),
  better: 'higher',
})

export const columns: readonly Column[] = [
  { id: 'state', title: 'State', sort: 'state' },
  { id: 'saying', title: 'What it does now' },
  { id: 'progress', title: 'Progress', sort: 'step' },
  { id: 'curve', title: 'Curve', meaning: 'Training loss over the run, smoothed' },
  {
    id: 'loss',
    title: 'Train loss',
    meaning: 'Training loss, smoothed',
    sort: 'loss',
    measure: loss((run) => run.loss),
  },
  {
    id: 'heldOut',
    title: 'Held out',
    meaning: 'Held-out loss at the last probe, of the better of present and averaged weights',
    sort: 'heldOut',
    measure: loss((run) => run.heldOut?.loss ?? null),
  },
  {
    id: 'heldOutBest',
    title: 'Best held out',
    short: 'Held out',
    meaning: 'Lowest held-out loss of any probe so far',
    sort: 'heldOutBest',
    measure: loss((run) => run.heldOut?.lossBest ?? null),
  },
  {
    id: 'accuracy',
    title: 'Accuracy',
    meaning: 'Held-out accuracy at the last probe',
    sort: 'accuracy',
    measure: accuracy((run) => run.heldOut?.accuracy ?? null),
  },
  {
    id: 'accuracyBest',
    title: 'Best accuracy',
    short: 'Accuracy',
    meaning: 'Highest held-out accuracy of any probe so far',
    sort: 'accuracyBest',
    measure: accuracy((run) => run.heldOut?.accuracyBest ?? null),
  },
  {
    id: 'duration',
    title: 'Took',
    meaning: 'From the start to the last telemetry',
    sort: 'duration',
    measure: { of: secondsOf, write: formatDuration, better: null },
  },
  { id: 'seen', title: 'Last seen', sort: 'seen' },
]

function secondsOf({ createdAt, lastSeenAt }: RunSummary): number | null {
  const seconds = (Date.parse(lastSeenAt) - Date.parse(createdAt)) / 1_000
  return Number.isFinite(seconds) ? seconds : null
}

const usual: readonly ColumnId[] = [
  'state',
  'saying',
  'progress',
  'curve',
  'loss',
  'heldOut',
  'heldOutBest',
  'accuracyBest',
  'seen',
]
const key = 'twostep.columns'

function kept(): readonly ColumnId[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    if (Array.isArray(names)) return columns.map(({ id }) => id).filter((id) => names.includes(id))
  } catch {
    // Storage may be switched off, or hold what another version wrote: then the usual ones are shown.
  }
  return usual
}

export const shownColumns = signal<readonly ColumnId[]>(kept())

export function toggleColumn(id: ColumnId): void {
  const before = shownColumns.peek()
  const wanted = before.includes(id) ? before.filter((one) => one !== id) : [...before, id]
  shownColumns.value = columns.map((column) => column.id).filter((one) => wanted.includes(one))
  try {
    localStorage.setItem(key, JSON.stringify(shownColumns.peek()))
  } catch {
    // As above: the choice then holds for this visit.
  }
}

/** How a run's number differs from that of the base, and whether that is better; null = nothing to hold against. */
export function deltaOf(
  { of, write, writeDelta = write, better }: Measure,
  run: RunSummary,
  base: RunSummary | undefined,
): { readonly words: string; readonly isBetter: boolean | null } | null {
  if (base === undefined || base.id === run.id) return null
  const [value, against] = [of(run), of(base)]
  if (value === null || against === null) return null
  const difference = value - against
  if (difference === 0) return { words: '±0', isBetter: null }
  const words = `${difference > 0 ? '+' : '−'}${writeDelta(Math.abs(difference))}`
  return { words, isBetter: better === null ? null : difference < 0 === (better === 'lower') }
}
