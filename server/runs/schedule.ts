// The schedule of a run: what was applied, from the job's own reports, and what is planned from here on. Nothing is
// thinned. Each step appears once, in the order of the log: of a step that two clients reported (the processes of one
// job), or that was reported again, the first report stands.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { RunSummary, Schedule, Segment } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import type { SeriesReads } from '../storage/storage.ts'
import { storedPoints } from './observationCodec.ts'
import type { Points } from './points.ts'
import { StepSet } from './stepSet.ts'
import type { Pause } from './turns.ts'

/** Stretches of equal rate in one JSON answer; the CSV has no such bound, as it is streamed. */
export const spansMax = 100_000
/** Planned steps listed one by one in CSV. */
export const plannedRowsMax = 1_000_000
const rowNumbersAtOnce = 1_000

/** Where the log is, read in pieces. */
export type ScheduleSource = {
  readonly storage: Pick<SeriesReads, 'rowNumbers' | 'row'>
  readonly pause: Pause
}

type Applied = { readonly step: number; readonly learningRate: number; readonly momentum: number | null }

const rateColumns: ReadonlySet<string> = new Set(['learningRate', 'momentum'])

async function* appliedSteps(
  { storage, pause }: ScheduleSource,
  runId: string,
): AsyncGenerator<Applied[], void, void> {
  const seen = new StepSet()
  let after = 0
  for (;;) {
    const numbers = await storage.rowNumbers(runId, {
      source: 'samples',
      fromStep: 0,
      toStep: Number.MAX_SAFE_INTEGER,
      after,
      limit: rowNumbersAtOnce,
    })
    for (const number of numbers) {
      after = number
      const row = await storage.row(runId, 'samples', number)
      if (row !== undefined) yield appliedIn(storedPoints(row, rateColumns), seen)
      await pause()
    }
    if (numbers.length < rowNumbersAtOnce) return
  }
}

function appliedIn({ steps, values }: Points, seen: StepSet): Applied[] {
  const [rates, momenta] = [values.get('learningRate'), values.get('momentum')]
  const applied: Applied[] = []
  for (const [i, step] of steps.entries()) {
    const learningRate = rates?.[i] ?? null
    if (learningRate !== null && seen.add(step))
      applied.push({ step, learningRate, momentum: momenta?.[i] ?? null })
  }
  return applied
}

/** What lies ahead of a run; nothing where it has ended. */
export const plannedSegments = (run: RunSummary): Segment[] => {
  const ahead = run.plan.segments.filter(({ toStep }) => toStep > run.step)
  return run.state === 'finished' || run.state === 'diverged' ? [] : ahead
}

/**
 * Stretches of steps one after the other that had one rate and momentum, in the order of the log.
 * @throws ServerError `invalid-request` if there are more than `countMax`.
 */
export async function appliedSpans(
  source: ScheduleSource,
  runId: string,
  countMax: number,
): Promise<Schedule['applied']> {
  const applied: { fromStep: number; toStep: number; learningRate: number; momentum: number | null }[] = []
  for await (const page of appliedSteps(source, runId)) {
    for (const { step, learningRate, momentum } of page) {
      const last = applied.at(-1)
      const continues =
        last?.toStep === step && last.learningRate === learningRate && last.momentum === momentum
      if (continues) last.toStep = step + 1
      else applied.push({ fromStep: step, toStep: step + 1, learningRate, momentum })
    }
    if (applied.length > countMax) throw onlyAsCsv(`its rate changed more than ${countMax} times`)
  }
  return applied
}

/** The answer where a format cannot hold the run. */
export const onlyAsCsv = (reason: string): ServerError =>
  new ServerError('invalid-request', `?format must be csv for this run: ${reason}`, {
    errors: [{ pointer: '?format', detail: 'must be csv for this run' }],
  })

/** @throws ServerError `invalid-request` if the rate changed more often than one answer can hold. */
export async function scheduleJson(source: ScheduleSource, run: RunSummary): Promise<Schedule> {
  return {
    runId: run.id,
    budgetSteps: run.budgetSteps,
    step: run.step,
    applied: await appliedSpans(source, run.id, spansMax),
    planned: plannedSegments(run),
  }
}

const csvRow = (step: number, learningRate: number, momentum: number | null, kind: string) =>
  `${step},${learningRate},${momentum ?? ''},${kind}\n`

/** The schedule as CSV, page by page. */
export async function* scheduleRows(
  source: ScheduleSource,
  run: RunSummary,
): AsyncGenerator<string, void, void> {
  yield 'step,learningRate,momentum,kind\n'
  for await (const page of appliedSteps(source, run.id))
    yield page.map((row) => csvRow(row.step, row.learningRate, row.momentum, 'applied')).join('')
  const end = plannedSegments(run).at(-1)?.toStep ?? run.step
  const stop = Math.min(end, run.step + plannedRowsMax)
  for (let from = run.step; from < stop; from += 10_000) {
    const rows: string[] = []
    for (let step = from; step < Math.min(from + 10_000, stop); step++) {
      const { learningRate, momentum } = evaluatePlan(run.plan, step)
      rows.push(csvRow(step, learningRate, momentum, 'planned'))
    }
    yield rows.join('')
    await source.pause()
  }
}
