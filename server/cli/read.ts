// `twostep list` and `twostep get`: what a running server knows, as a table or as its own JSON.

import type { z } from 'zod'
import { formatNumber, formatPlural, formatStep } from '../../protocol/numbers.ts'
import {
  auditPageSchema,
  decisionListSchema,
  runListSchema,
  runSummarySchema,
  seriesSchema,
} from '../../protocol/schemas.ts'
import type { SeriesColumns } from '../../protocol/vocabulary.ts'
import { onOneLine } from '../controls.ts'
import { print } from './print.ts'
import { parseAnswer, type Remote, readRemote } from './remote.ts'
import { decisionLine, known, runRows, table } from './sentences.ts'

export type ReadOptions = Remote & { readonly json?: boolean }

/** To the minute, UTC; a dash where there is none. */
export const timeOf = (time: string | null): string =>
  time === null ? '–' : time.slice(0, 16).replace('T', ' ')
/** The path of a run under /api/v1. */
export const address = (runId: string) => `/runs/${encodeURIComponent(runId)}`
export const query = (given: Readonly<Record<string, string | undefined>>) => {
  const known = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`
}

/** Prints an answer: as the server sent it, or as people read it. */
async function show<T>(
  options: ReadOptions,
  path: string,
  schema: z.ZodType<T>,
  words: (answer: T) => string,
): Promise<void> {
  const { text } = await readRemote(options, path)
  print(options.json === true ? text : words(parseAnswer(schema, text, options.server)))
}

export function listRuns(
  options: ReadOptions & {
    readonly [Key in 'project' | 'tag' | 'state' | 'search' | 'sort' | 'order' | 'after' | 'limit']?: string
  },
): Promise<void> {
  const { project, tag, state, search: q, sort, order, after, limit } = options
  const path = `/runs${query({ project, tag, state, q, sort, order, after, limit })}`
  return show(options, path, runListSchema, ({ runs, next, total, all }) => {
    if (runs.length === 0) return all === 0 ? 'No runs yet.' : `None of ${formatPlural(all, 'run')} matches.`
    const more =
      next === null ? '' : `\n${runs.length} of ${formatPlural(total, 'run')}. More: --after ${next}`
    return table(runRows(runs)) + more
  })
}

export function listDecisions(
  runId: string,
  options: ReadOptions & { readonly kind?: string; readonly after?: string; readonly limit?: string },
): Promise<void> {
  const { kind, after, limit } = options
  const path = `${address(runId)}/decisions${query({ kind, after, limit })}`
  return show(options, path, decisionListSchema, ({ decisions }) =>
    decisions.length === 0 ? 'No decisions.' : decisions.map(decisionLine).join('\n'),
  )
}

export function listAudit(
  options: ReadOptions & { readonly run?: string; readonly before?: string; readonly limit?: string },
): Promise<void> {
  const { run, before, limit } = options
  return show(options, `/audit${query({ run, before, limit })}`, auditPageSchema, ({ entries, next }) => {
    if (entries.length === 0) return 'Nothing was done.'
    const rows = entries.map(({ at, caller, operation, runId, detail, reason, from, status }) => [
      ...[at.slice(0, 19).replace('T', ' '), caller, operation, runId ?? '–', detail],
      ...[reason, from, status === null ? 'not answered' : String(status)],
    ])
    const head = ['WHEN (UTC)', 'WHO', 'DID', 'RUN', 'WHAT', 'WHY', 'FROM', 'ANSWER']
    return table([head, ...rows]) + (next === null ? '' : `\nMore: --before ${next}`)
  })
}

export function getRun(runId: string, options: ReadOptions): Promise<void> {
  return show(
    options,
    address(runId),
    runSummarySchema,
    (run) => `${onOneLine(run.headline)}\n\n${table(runRows([run]))}`,
  )
}

function signalRow(name: string, { step, min, max, last }: SeriesColumns): string[] {
  const measured = (values: readonly (number | null)[]) => values.filter((value) => value !== null)
  const least = measured(min).reduce<number | null>((low, v) => (low === null || v < low ? v : low), null)
  const most = measured(max).reduce<number | null>((high, v) => (high === null || v > high ? v : high), null)
  return [
    name,
    String(step.length),
    ...[least, most, measured(last).at(-1)].map((value) => known(formatNumber, value)),
  ]
}

export function getSeries(
  runId: string,
  options: ReadOptions & { signals?: string; from?: string; to?: string; points?: string },
): Promise<void> {
  const { signals, from, to, points } = options
  const path = `${address(runId)}/series${query({ signals, from, to, points })}`
  return show(options, path, seriesSchema, (series) => {
    const rows = Object.entries(series.signals).map(([name, columns]) => signalRow(name, columns))
    const counts = `Showing ${formatStep(series.shown)} of ${formatStep(series.stored)} samples a signal (all columns: --json).`
    return `${counts}\n${table([['SIGNAL', 'ENTRIES', 'MIN', 'MAX', 'LAST'], ...rows])}`
  })
}

export async function getSchedule(
  runId: string,
  options: ReadOptions & { readonly format?: string },
): Promise<void> {
  const format = options.json === true ? 'json' : (options.format ?? 'json')
  const { text } = await readRemote(options, `${address(runId)}/schedule${query({ format })}`)
  print(text.trimEnd())
}
