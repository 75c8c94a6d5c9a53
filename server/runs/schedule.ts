// The schedule of a run: what was applied, from the job's own reports, and what is planned from here on. Nothing is
// thinned. Each step appears once, in the order of the log: of a step that two clients reported (the processes of one
// job), or that was reported again, the first report stands.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { RunSummary, Schedule, Segment } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import type { Storage } from '../storage/storage.ts'
import { decodeColumns } from './observationCodec.ts'
import { StepSet } from './stepSet.ts'

/** Stretches of equal rate in one JSON answer; the CSV has no such bound, as it is streamed. */
export const spansMax = 100_000
/** Planned steps listed one by one in CSV. */
export const plannedRowsMax = 1_000_000
const rowsPerPage = 16

type Applied = { readonly step: number; readonly learningRate: number; readonly momentum: number | null }

async function* appliedSteps(storage: Storage, runId: string): AsyncGenerator<Applied[], void, void> {
  const seen = new StepSet()
  let after = 0
  for (;;) {
    const page = {
      source: 'samples',
      fromStep: 0,
      toStep: Number.MAX_SAFE_INTEGER,
      after,
      limit: rowsPerPage,
    } as const
    const rows = await storage.rawRows(runId, page)
    for (const { number, body } of rows) {
      after = number
      const { step, learningRate, momentum } = decodeColumns(body)
      const applied: Applied[] = []
      for (const [i, at] of step.entries()) {
        const rate = learningRate?.[i] ?? null
        if (rate !== null && seen.add(at))
          applied.push({ step: at, learningRate: rate, momentum: momentum?.[i] ?? null })
      }
      yield applied
    }
    if (rows.length < rowsPerPage) return
    await nextTurn()
  }
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
  storage: Storage,
  runId: string,
  countMax: number,
): Promise<Schedule['applied']> {
  const applied: { fromStep: number; toStep: number; learningRate: number; momentum: number | null }[] = []
  for await (const page of appliedSteps(storage, runId)) {
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
export async function scheduleJson(storage: Storage, run: RunSummary): Promise<Schedule> {
  return {
    runId: run.id,
    budgetSteps: run.budgetSteps,
    step: run.step,
    applied: await appliedSpans(storage, run.id, spansMax),
    planned: plannedSegments(run),
  }
}

const csvRow = (step: number, learningRate: number, momentum: number | null, kind: string) =>
  `${step},${learningRate},${momentum ?? ''},${kind}\n`

/** The schedule as CSV, page by page. */
export async function* scheduleRows(storage: Storage, run: RunSummary): AsyncGenerator<string, void, void> {
  yield 'step,learningRate,momentum,kind\n'
  for await (const page of appliedSteps(storage, run.id))
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
    await nextTurn()
  }
}
