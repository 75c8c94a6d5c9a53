// A stretch of samples at once: rows that follow each other soundly, up to the first at which something may have to be decided,
// go to the estimators as columns. What comes of it is what samples.ts makes of the same rows one by one, to the last bit
// (stretch.property.test.ts); what is odd in a row, or in the state that it meets, is left to that way.
// Cost: some operations a row and signal, and the objects of a state once a stretch, which a block of the guard ends: ten rows.

import { segmentsRate } from '../../protocol/plan.ts'
import type { SampleColumns } from '../../protocol/vocabulary.ts'
import { blockEnd } from '../estimators/blocks.ts'
import type { Column } from '../estimators/estimator.ts'
import { drivenOver, isDrifting } from '../guard/drift.ts'
import { isPassed } from '../guard/tripwire.ts'
import { lossMax } from '../guard/watch.ts'
import { isCalm, rowsLeft, watchedOver } from '../guard/watchRows.ts'
import { isSteering } from '../options.ts'
import { endOf } from '../plan/bounds.ts'
import { watchedLosses } from '../rivals/counterfactuals.ts'
import { areFirstLossesKnown, foldedOver, lastOf } from '../signals/signalRows.ts'
import { largeRateOf, type Seen, type TunerState } from '../state.ts'
import { batchSizes, momenta, rates, reachSteps } from './clean.ts'

/** One step counts for at most so many large ones, whatever rate is reported. */
export const runLengthPerStepMax = 100
/** Fewer rows are not worth it. */
const rowsMin = 2

type Ahead = { readonly columns: SampleColumns; readonly from: number; readonly wake: number }

/**
 * What `seen` is after the rows up to `to`; null = the next row is to be looked at by itself. At the last of the rows alone
 * something may have to be decided.
 * @param ahead the columns, the next row in them, and the step from which on somebody has something to decide
 */
export function stretchOf(
  run: TunerState,
  seen: Seen,
  { columns, from, wake }: Ahead,
): { readonly seen: Seen; readonly to: number } | null {
  if (columns.loss === undefined || !isCalmAt(run, seen, columns.step[from]!)) return null
  const sound = soundUntil(run, seen, { columns, from, wake })
  if (sound - from < rowsMin) return null
  const { learningRate: reported, step: steps } = columns
  const isDriven = reported !== undefined && isSteering(run.mode) && run.course.kind !== 'done'
  const { plan, issued, followed } = run
  const watched = { plan, issued, followed, isClimbing: false }
  const drive = (to: number) =>
    isDriven
      ? drivenOver(seen.drift, watched, { steps, rates: reported, from, to })
      : { drift: seen.drift, to }
  const limit = run.plan.tripwire?.lossAbove ?? null
  const driven = drive(sound)
  const { guard, to } = watchedOver(seen.guard, columns, { from, to: driven.to, limit })
  if (to - from < rowsMin) return null
  const { drift } = to < driven.to ? drive(to) : driven
  return { seen: movedOver(run, seen, columns, { from, to, guard, drift }), to }
}

/** Whether a sound row at a step would be nothing to tell of. */
function isCalmAt(run: TunerState, seen: Seen, step: number): boolean {
  const { course, trajectory, options, plan } = run
  const rampEnd = course.kind === 'large' && options.warmupSteps !== null ? (course.ramp?.toStep ?? 0) : 0
  return (
    seen.origin !== null &&
    seen.isOriginSure &&
    trajectory.awaited === null &&
    step >= trajectory.validFromStep &&
    step >= rampEnd &&
    areFirstLossesKnown(seen.signals) &&
    isCalm(seen.guard, step) &&
    !isPassed({ plan, seen }) &&
    (seen.drift.isTold || !isDrifting(seen.drift)) &&
    (course.kind !== 'large' || seen.rivals?.fromStep === Math.max(trajectory.validFromStep, course.fromStep))
  )
}

/** One past the last row that follows soundly, with the first at which something may be due. */
function soundUntil(run: TunerState, seen: Seen, { columns, from, wake }: Ahead): number {
  const { step, loss, gradientNormSquared, microGradientNormSquared, objective } = columns
  const { preconditionedGradientNormSquared: full, preconditionedMicroGradientNormSquared: micro } = columns
  const end = endOf({ budgetSteps: run.budgetSteps, seen }) ?? Infinity
  const origin = seen.origin!
  const { lossBlocks } = seen.signals
  const first = step[from]! - origin
  if (first <= lossBlocks.lastStep) return from
  const blockEndStep = origin + blockEnd(lossBlocks, first)
  let next = seen.step
  let i = from
  const to = Math.min(step.length, from + rowsLeft(seen.guard))
  for (; i < to; i++) {
    const at = step[i]!
    const gap = at - next
    if (!(gap >= 0 && gap <= reachSteps && (at < end || gap === 0))) return i
    const value = loss![i]!
    if (value === null || value === 0 || !(Math.abs(value) < lossMax) || columns.skipped?.[i] === 1) return i
    if (!isNorm(gradientNormSquared, i) || !isKnown(microGradientNormSquared, i)) return i
    if (!isKnown(full, i) || !isKnown(micro, i) || !areSizesSound(seen, columns, i)) return i
    if (!isRate(columns.learningRate, i) || !isWithin(columns.momentum, i, momenta)) return i
    if (objective !== undefined && (objective[i] ?? seen.objective) !== seen.objective) return i
    next = at + 1
    if (next >= wake || at >= blockEndStep) return i + 1
  }
  return i
}

const isKnown = (column: Column, i: number): boolean => {
  const value = column?.[i] ?? null
  return value === null || Number.isFinite(value)
}
const isNorm = (column: Column, i: number): boolean => isKnown(column, i) && !((column?.[i] ?? 0) < 0)
const isWithin = (
  column: Column,
  i: number,
  { min, max }: { readonly min: number; readonly max: number },
) => {
  const value = column?.[i] ?? null
  return value === null || (value >= min && value <= max)
}
/** Told in each row, or in none. */
const isRate = (column: Column, i: number): boolean =>
  column === undefined || (column[i] !== null && isWithin(column, i, rates))

/** Another batch size begins another level of norms. */
function areSizesSound({ guard }: Seen, columns: SampleColumns, i: number): boolean {
  const { batchSize, microBatchSize, gradientNormSquared } = columns
  if (!isWithin(batchSize, i, batchSizes) || !isWithin(microBatchSize, i, batchSizes)) return false
  const size = batchSize?.[i] ?? null
  if (size === null || size === guard.batchSize) return true
  return guard.batchSize === null && (gradientNormSquared?.[i] ?? null) === null
}

type Rows = { readonly from: number; readonly to: number }

/** The moving fields after the rows; each is named, as spreading them takes longer than the rows. */
function movedOver(
  run: TunerState,
  seen: Seen,
  columns: SampleColumns,
  { from, to, guard, drift }: Rows & Pick<Seen, 'guard' | 'drift'>,
): Seen {
  const { course } = run
  const { step: steps, loss: losses } = columns
  const { origin, rivals } = seen
  const rows = { from, to, origin: origin! }
  const last = steps[to - 1]!
  const { learningRate, runLength } = lengthOver(run, seen, columns, rows)
  return {
    origin,
    isOriginSure: true,
    isResumed: false,
    step: last + 1,
    strideSteps: last - steps[to - 2]!,
    ahead: null,
    learningRate,
    momentum: lastOf(columns.momentum, rows) ?? seen.momentum,
    objective: seen.objective,
    runLength,
    signals: foldedOver(seen.signals, columns, rows),
    guard,
    drift,
    rivals: course.kind === 'large' && rivals !== null ? watchedLosses(rivals, steps, losses!, rows) : rivals,
  }
}

/** The rate of the last row, and the run's length in large steps. */
function lengthOver(
  { course, mode, plan, followed }: TunerState,
  seen: Seen,
  columns: SampleColumns,
  { from, to }: Rows,
): Pick<Seen, 'learningRate' | 'runLength'> {
  const { step, learningRate: reported } = columns
  const { segments } = followed ?? plan
  const large = largeRateOf(course)
  const isCounted = course.kind === 'large' || course.kind === 'anneal'
  let { learningRate, runLength } = seen
  let next = seen.step
  for (let i = from; i < to; i++) {
    if (reported !== undefined) learningRate = reported[i]!
    else if (isSteering(mode)) learningRate = segmentsRate(segments, step[i]!)
    const stride = Math.max(1, step[i]! + 1 - next)
    const reference = large ?? learningRate
    if (isCounted && learningRate !== null && reference !== null && reference > 0)
      runLength += stride * Math.min(learningRate / reference, runLengthPerStepMax)
    next = step[i]! + 1
  }
  return { learningRate, runLength }
}
