// One batch of a reported job as the log's entries, in the order in which the server writes them: samples of steps
// below a probe's step come before it, and at one step probes come before acknowledgements.

import type { Acknowledgement, Probe, SampleColumns } from '../../protocol/vocabulary.ts'

/** What a step is reported with, besides its number and rate; what is absent is not known. */
export type Row = {
  readonly loss: number | null
  readonly learningRate?: number | null
  readonly momentum?: number | null
  readonly gradientNormSquared?: number | null
  readonly microGradientNormSquared?: number | null
  readonly preconditionedGradientNormSquared?: number | null
  readonly batchSize?: number | null
  readonly microBatchSize?: number | null
  readonly clipped?: number | null
  readonly skipped?: number | null
  readonly tokens?: number | null
  readonly stepSeconds?: number | null
  readonly objective?: string | null
  readonly metrics?: Readonly<Record<string, number>>
}
export type ReportedRow = Row & { readonly step: number }

export type Batch = {
  readonly rows: readonly ReportedRow[]
  readonly probes: readonly Probe[]
  readonly acknowledgements: readonly Acknowledgement[]
  /** null = not told. */
  readonly planVersion: number | null
}

export type Entry =
  | { readonly kind: 'samples'; readonly columns: SampleColumns; readonly planVersion?: number }
  | { readonly kind: 'probe'; readonly probe: Probe }
  | { readonly kind: 'acknowledgement'; readonly acknowledgement: Acknowledgement }

/** Columns of one length; a metric or a number that a row lacks is null. */
export function columnsOf(rows: readonly ReportedRow[]): SampleColumns {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const columns: Record<string, unknown> = {}
  for (const name of names)
    if (name !== 'metrics') columns[name] = rows.map((row) => row[name as keyof Row] ?? null)
  const metrics = new Set(rows.flatMap((row) => Object.keys(row.metrics ?? {})))
  if (metrics.size > 0)
    columns.metrics = Object.fromEntries(
      [...metrics].map((name) => [name, rows.map((row) => row.metrics?.[name] ?? null)]),
    )
  return columns as SampleColumns
}

export function entriesOf({ rows, probes, acknowledgements, planVersion }: Batch): Entry[] {
  const events: { step: number; entry: Entry }[] = [
    ...probes.map((probe) => ({ step: probe.step, entry: { kind: 'probe', probe } as const })),
    ...acknowledgements.map((acknowledgement) => ({
      step: acknowledgement.step,
      entry: { kind: 'acknowledgement', acknowledgement } as const,
    })),
  ]
  events.sort((a, b) => a.step - b.step)
  const entries: Entry[] = []
  const version = planVersion === null ? {} : { planVersion }
  let taken = 0
  const takeUpTo = (end: number) => {
    if (end > taken) entries.push({ kind: 'samples', columns: columnsOf(rows.slice(taken, end)), ...version })
    taken = end
  }
  for (const { step, entry } of events) {
    let end = taken
    while (end < rows.length && rows[end]!.step < step) end++
    takeUpTo(end)
    entries.push(entry)
  }
  takeUpTo(rows.length)
  return entries
}
