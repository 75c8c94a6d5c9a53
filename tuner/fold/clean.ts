// What a job reports of a step, cleaned: absurd numbers are unknown, a step that mixed precision left out says nothing of
// losses and norms, and a step counter is believed only as far as the rest bears it out. Bad samples never throw: they are
// counted and left out. Cost: O(1).

import type { SampleColumns } from '../../protocol/vocabulary.ts'
import type { Sample } from '../signals/signals.ts'
import type { Seen } from '../state.ts'

type Column = readonly (number | null)[] | undefined

const at = (column: Column, index: number): number | null => column?.[index] ?? null

const finiteAt = (column: Column, index: number): number | null => {
  const value = at(column, index)
  return value !== null && Number.isFinite(value) ? value : null
}

/** An entry within [min, max], where what the job reports enters the state as it is; anything else is not known. */
function within(column: Column, index: number, { min, max }: { min: number; max: number }): number | null {
  const value = at(column, index)
  return value !== null && value >= min && value <= max ? value : null
}

/** Beyond these a rate, a momentum or a batch size is a mistake, and sums of it might not stay finite. */
export const rates = { min: 0, max: 1e12 } as const
export const momenta = { min: 0, max: 1 - Number.EPSILON } as const
export const batchSizes = { min: 1, max: 1e12 } as const

/** A sample with the job's own step, and what it says of itself. */
export type Report = Sample & { readonly objective: string | null; readonly isSkipped: boolean }

export function reportAt(columns: SampleColumns, index: number): Report {
  const isSkipped = at(columns.skipped, index) === 1
  const told = isSkipped ? finiteAt : at
  return {
    step: columns.step[index]!,
    loss: told(columns.loss, index),
    learningRate: within(columns.learningRate, index, rates),
    momentum: within(columns.momentum, index, momenta),
    gradientNormSquared: told(columns.gradientNormSquared, index),
    microGradientNormSquared: told(columns.microGradientNormSquared, index),
    preconditionedGradientNormSquared: told(columns.preconditionedGradientNormSquared, index),
    preconditionedMicroGradientNormSquared: told(columns.preconditionedMicroGradientNormSquared, index),
    batchSize: within(columns.batchSize, index, batchSizes),
    microBatchSize: within(columns.microBatchSize, index, batchSizes),
    stepSeconds: at(columns.stepSeconds, index),
    signalSeconds: at(columns.signalSeconds, index),
    objective: columns.objective?.[index] ?? null,
    isSkipped,
  }
}

/** A step may come so many steps, strides or shares of those taken so far after the last; beyond that it is far ahead … */
export const reachSteps = 100
const reachStrides = 20
const reachShare = 0.5
const secondShare = 0.05
/** … unless so many go on from there. Chosen. */
const aheadNeeded = 3

/** How far ahead of the clock a probe may be: it may have come before the samples of the steps that it follows. */
export const probeReach = ({ strideSteps }: Pick<Seen, 'strideSteps'>): number =>
  Math.max(reachSteps, reachStrides * strideSteps)

const reachOf = (seen: Pick<Seen, 'origin' | 'step' | 'strideSteps'>): number =>
  Math.max(probeReach(seen), reachShare * (seen.step - (seen.origin ?? 0)))

export type Place = 'next' | 'late' | 'repeated' | 'ahead' | 'back'

/** Where a reported step stands. `end`: one past the last step; null = no budget. */
export function placeOf(seen: Seen, step: number, end: number | null): Place {
  const { origin } = seen
  if (origin === null) return 'next'
  if (step < seen.step) return seen.isResumed ? 'back' : step === seen.step - 1 ? 'repeated' : 'late'
  const gap = step - seen.step
  const isWithin = end === null || step < end || gap <= 2 * seen.strideSteps
  // The second report tells the stride, so it may be far: a job that logs each thousandth step.
  const reach =
    seen.isOriginSure || end === null ? reachOf(seen) : Math.max(reachOf(seen), secondShare * (end - origin))
  if (gap <= reach && isWithin) return 'next'
  return countAhead(seen, step) >= aheadNeeded && (end === null || step < end) ? 'next' : 'ahead'
}

/** How many steps far ahead go on from each other, with this one. */
function countAhead(seen: Seen, step: number): number {
  const { ahead } = seen
  return ahead !== null && step > ahead.step && step - ahead.step <= reachOf(seen) ? ahead.count + 1 : 1
}

/** Counts a step that was left out. */
export function leftOut(seen: Seen, place: 'late' | 'repeated' | 'ahead', step: number): Seen {
  const { signals, ahead } = seen
  const name = place === 'late' ? 'outOfOrder' : place === 'repeated' ? 'repeated' : 'farAhead'
  const badSamples = { ...signals.badSamples, [name]: signals.badSamples[name] + 1 }
  const next = place === 'ahead' ? { step, count: countAhead(seen, step) } : ahead
  return { ...seen, ahead: next, signals: { ...signals, badSamples } }
}
