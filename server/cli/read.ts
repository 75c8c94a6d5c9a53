// `twostep list` and `twostep get`: what a running server knows, as a table or as its own JSON.

import { formatNumber, formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary, Series } from '../../protocol/vocabulary.ts'
import { readRemote, readRemoteJson } from './remote.ts'
import { decisionLine, known, runRows, table } from './sentences.ts'

export type ReadOptions = { readonly server: string; readonly json?: boolean }

const print = (text: string) => process.stdout.write(`${text}\n`)
const printJson = (value: unknown) => print(JSON.stringify(value))
const address = (runId: string) => `/runs/${encodeURIComponent(runId)}`
const query = (given: Readonly<Record<string, string | undefined>>) => {
  const known = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`
}

export async function listRuns(
  options: ReadOptions & { readonly project?: string; readonly state?: string; readonly limit?: string },
): Promise<void> {
  const { project, state, limit } = options
  const path = `/runs${query({ project, state, limit })}`
  const answer = await readRemoteJson<{ runs: RunSummary[]; next: string | null }>(options.server, path)
  if (options.json === true) printJson(answer)
  else print(answer.runs.length === 0 ? 'No runs yet.' : table(runRows(answer.runs)))
}

export async function listDecisions(
  runId: string,
  options: ReadOptions & { readonly kind?: string; readonly after?: string; readonly limit?: string },
): Promise<void> {
  const { kind, after, limit } = options
  const path = `${address(runId)}/decisions${query({ kind, after, limit })}`
  const answer = await readRemoteJson<{ decisions: Decision[]; next: number | null }>(options.server, path)
  if (options.json === true) printJson(answer)
  else print(answer.decisions.length === 0 ? 'No decisions.' : answer.decisions.map(decisionLine).join('\n'))
}

export async function getRun(runId: string, options: ReadOptions): Promise<void> {
  const run = await readRemoteJson<RunSummary>(options.server, address(runId))
  if (options.json === true) printJson(run)
  else print(`${run.headline}\n\n${table(runRows([run]))}`)
}

export async function getSeries(
  runId: string,
  options: ReadOptions & { signals?: string; from?: string; to?: string; points?: string },
): Promise<void> {
  const { signals, from, to, points } = options
  const path = `${address(runId)}/series${query({ signals, from, to, points })}`
  const series = await readRemoteJson<Series>(options.server, path)
  if (options.json === true) {
    printJson(series)
    return
  }
  const rows = Object.entries(series.signals).map(([name, { step, min, max, last }]) => {
    const measured = (values: readonly (number | null)[]) => values.filter((value) => value !== null)
    return [
      name,
      String(step.length),
      known(
        formatNumber,
        measured(min).reduce<number | null>((low, v) => (low === null || v < low ? v : low), null),
      ),
      known(
        formatNumber,
        measured(max).reduce<number | null>((high, v) => (high === null || v > high ? v : high), null),
      ),
      known(formatNumber, measured(last).at(-1)),
    ]
  })
  print(
    `Showing ${formatStep(series.shown)} of ${formatStep(series.stored)} samples a signal (all columns: --json).`,
  )
  print(table([['SIGNAL', 'ENTRIES', 'MIN', 'MAX', 'LAST'], ...rows]))
}

export async function getSchedule(
  runId: string,
  options: ReadOptions & { readonly format?: string },
): Promise<void> {
  const format = options.json === true ? 'json' : (options.format ?? 'json')
  const { text } = await readRemote(options.server, `${address(runId)}/schedule${query({ format })}`)
  print(text.trimEnd())
}
