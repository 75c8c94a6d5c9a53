// Splits a telemetry batch into the observations of the log, in the order in which they happened. A probe at
// step s was measured before step s was taken, so samples of steps below s come first; at one step probes come
// before acknowledgements. Rows keep the order in which the job sent them.

import { type SampleColumns, sampleColumnNames, type Telemetry } from '../../protocol/vocabulary.ts'
import type { ObservationBody } from './observationCodec.ts'

/** Rows from ≤ i < to of every column. */
export function sliceColumns(columns: SampleColumns, from: number, to: number): SampleColumns {
  if (from === 0 && to === columns.step.length) return columns
  const slice: Record<string, unknown> = { step: columns.step.slice(from, to) }
  for (const name of [...sampleColumnNames, 'objective'] as const) {
    const column = columns[name]
    if (column !== undefined) slice[name] = column.slice(from, to)
  }
  if (columns.metrics !== undefined)
    slice.metrics = Object.fromEntries(
      Object.entries(columns.metrics).map(([name, column]) => [name, column.slice(from, to)]),
    )
  return slice as unknown as SampleColumns
}

/** The batch's samples with the objective that it names for all of them; a column of its own wins. */
function columnsOf({ steps, objective }: Telemetry): SampleColumns | undefined {
  if (steps === undefined || objective === undefined || steps.objective !== undefined) return steps
  return { ...steps, objective: Array<string>(steps.step.length).fill(objective) }
}

type Event = { readonly step: number; readonly body: ObservationBody }

/** Pure; an empty batch (a heartbeat) gives none. Cost O(rows + events log events). */
export function observationsOf(telemetry: Telemetry): ObservationBody[] {
  const events: Event[] = [
    ...(telemetry.probes ?? []).map((probe): Event => ({ step: probe.step, body: { kind: 'probe', probe } })),
    ...(telemetry.acknowledgements ?? []).map(
      (acknowledgement): Event => ({
        step: acknowledgement.step,
        body: { kind: 'acknowledgement', acknowledgement },
      }),
    ),
  ]
  // Array sort is stable: at one step the order above holds.
  events.sort((a, b) => a.step - b.step)
  const columns = columnsOf(telemetry)
  const { planVersion } = telemetry
  const followed = planVersion === undefined ? {} : { planVersion }
  const rows = columns?.step.length ?? 0
  const observations: ObservationBody[] = []
  let row = 0
  const takeRows = (to: number) => {
    if (columns !== undefined && to > row)
      observations.push({ kind: 'samples', columns: sliceColumns(columns, row, to), ...followed })
    row = to
  }
  for (const event of events) {
    let to = row
    while (to < rows && columns!.step[to]! < event.step) to++
    takeRows(to)
    observations.push(event.body)
  }
  takeRows(rows)
  return observations
}
