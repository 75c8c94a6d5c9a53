// A trace: everything that was observed in one run at a constant rate, and the ground truth of what would have come
// of annealing it at eight times over up to three lengths. One task's traces are a gzipped file of JSON lines, a
// header and a line a run; numbers keep 4 significant digits in the columns of steps and 6 elsewhere, and those
// that are not finite go by their names.

import { encodeNumber } from '../../protocol/schemas.ts'
import type { Probe } from '../../protocol/vocabulary.ts'
import { type DeviceSignal, deviceSignals } from '../../trainer/signals.ts'
import type { BenchTask } from '../tasks.ts'

/** Grows whenever an older reader would misread a file. */
export const traceFormat = 1

export type Score = { readonly loss: number; readonly accuracy: number }
/** With the weights as they are: the whole test and held-out sets, and 2,000 fixed training examples. */
export type Scores = { readonly test: Score; readonly heldOut: Score; readonly train: Score }

export const annealNames = ['full', 'half', 'tenth'] as const
/** `full`: to the end of the budget; `half`: over half of the steps so far; `tenth`: over a tenth of the budget. */
export type AnnealName = (typeof annealNames)[number]

/** The run annealed linearly to 0 from a checkpoint, ending at `toStep`. */
export type AnnealTruth = Scores & { readonly name: AnnealName; readonly toStep: number }
/** A short run at `rateFactor` times the rate from a checkpoint. */
export type ForkTruth = Omit<Scores, 'test'> & { readonly rateFactor: number; readonly toStep: number }

export type CheckpointTruth = {
  /** Elapsed share of the budget. */
  readonly share: number
  readonly step: number
  readonly before: Scores
  readonly anneals: readonly AnnealTruth[]
  readonly forks: readonly ForkTruth[]
}

/** Signals besides the loss, at the steps at which they were measured. */
export type SparseColumn = Exclude<DeviceSignal, 'loss'>
export const sparseColumns: readonly SparseColumn[] = deviceSignals.filter((name) => name !== 'loss')
export type Sparse = { readonly step: readonly number[]; readonly value: readonly number[] }

export type TraceRun = {
  readonly kind: 'run'
  readonly rate: number
  readonly seed: number
  readonly budgetSteps: number
  /** The rate climbs linearly over so many steps, from a tenth where `rampFrom` names no other share, then stays. */
  readonly rampSteps: number
  readonly rampFrom?: number
  /** From this step on the rate falls linearly to 0 at the end of the budget; absent = it stays. */
  readonly annealFromStep?: number
  readonly momentum: number
  readonly batchSize: number
  readonly microBatchSize: number
  /** Steps taken when the loss had not been finite five times in a row; null = never. */
  readonly divergedAtStep: number | null
  /** Means over the run; probes carry their own. */
  readonly stepSeconds: number
  readonly signalSeconds: number
  /** Loss of each step's batch, from step 0. */
  readonly loss: readonly number[]
  readonly columns: Readonly<Partial<Record<SparseColumn, Sparse>>>
  readonly probes: readonly Probe[]
  readonly checkpoints: readonly CheckpointTruth[]
  /** At the end of the budget, never annealed; null = diverged. */
  readonly final: Scores | null
}

export type TraceHeader = {
  readonly kind: 'task'
  readonly format: number
  readonly task: BenchTask
  readonly backend: string
}

export type TaskTraces = { readonly header: TraceHeader; readonly runs: readonly TraceRun[] }

const stepDigits = 4
const otherDigits = 6
const partDigits = 5
const listDigits: Readonly<Record<string, number>> = {
  loss: stepDigits,
  value: stepDigits,
  lossByPart: partDigits,
}

function rounded(value: number, digits: number): number | string {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : (encodeNumber(value) as string)
}

/** One line of a file. Columns of steps are lists under `loss` and `value`; single numbers of these names keep more digits. */
export function traceLine(entry: TraceHeader | TraceRun): string {
  return JSON.stringify(entry, (key, value) => {
    const digits = listDigits[key]
    if (Array.isArray(value) && digits !== undefined) return value.map((number) => rounded(number, digits))
    return typeof value === 'number' ? rounded(value, otherDigits) : value
  })
}

const named: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** @throws Error if the text is no trace file of this format. */
export function parseTraces(text: string): TaskTraces {
  const lines = text.split('\n').filter((line) => line !== '')
  const entries = lines.map(
    (line) =>
      JSON.parse(line, (_, value) => (typeof value === 'string' ? (named[value] ?? value) : value)) as
        | TraceHeader
        | TraceRun,
  )
  const [header, ...runs] = entries
  if (header?.kind !== 'task' || header.format !== traceFormat)
    throw new Error(
      `a trace file must start with a header of format ${traceFormat}, got ${JSON.stringify(header)?.slice(0, 80) ?? 'an empty file'}`,
    )
  return { header, runs: runs.filter((run): run is TraceRun => run.kind === 'run') }
}
