// The limits that travel with the plan, which a client keeps by itself between two answers. They follow the level of the
// loss: a limit that stood still would trip at a loss that has merely grown. Like the guard's signs they are distances in
// deviations, so a loss near or below 0 has them too; where no deviation is known there is no limit.

import type { Tripwire } from '../../protocol/vocabulary.ts'
import { isSteering } from '../options.ts'
import { armLossMax } from '../phases/search/race.ts'
import { largeRateOf, type TunerState } from '../state.ts'
import { levelOf, scatterOf, usualOf } from './levels.ts'
import type { GuardState } from './watch.ts'

/** Distance of the loss's limit from its level, in deviations; multiple of the mean norm; the rate it falls to. Chosen. */
const lossDeviations = 20
/** … and in leaps that healed before: what a running mean does where it begins anew is no reason to slow down. */
const healedFactor = 10
const normFactor = 20
const rateFactor = 0.1
const normsNeeded = 20
/** Blocks without which the deviation of the loss is not known: in the first steps it leaps. */
const levelsNeeded = 8
/** A limit is told anew once it has moved by this share of its distance from the loss. Chosen. */
const movedShare = 0.25

export function tripwireOf(run: TunerState): Tripwire | null {
  const { course, mode, seen } = run
  if (!isSteering(mode) || course.kind === 'done') return null
  if (course.kind === 'search') {
    const arm = course.race.current === null ? undefined : course.race.arms[course.race.current.arm]
    const rate = arm?.learningRate ?? course.race.reference
    return {
      lossAbove: armLossMax(course.race, seen.guard),
      gradientNormAbove: null,
      thenLearningRate: rate * rateFactor * rateFactor,
    }
  }
  const { normCount, normMean } = seen.guard
  return {
    lossAbove: lossLimit(seen.guard),
    gradientNormAbove: normCount < normsNeeded || normMean === 0 ? null : finite(normFactor * normMean),
    thenLearningRate: (largeRateOf(course) ?? 0) * rateFactor,
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

function lossLimit(guard: GuardState): number | null {
  const scatter = guard.levels.length < levelsNeeded ? null : scatterOf(guard)
  const level = highest(guard)
  return scatter === null || level === null
    ? null
    : finite(level + Math.max(lossDeviations * scatter, healedFactor * guard.healed * usualOf(guard)))
}

/** Where the loss is: the smoothed one, or the level, whichever is higher. */
function highest(guard: GuardState): number | null {
  const known = [guard.smoothed, levelOf(guard) ?? guard.levels.at(-1) ?? null].filter(
    (value) => value !== null,
  )
  return known.length === 0 ? null : Math.max(...known)
}

/** Whether the limits in the plan are out of date. */
export function isTripwireStale(run: TunerState): boolean {
  const held = run.plan.tripwire
  if (held == null) return false
  const now = tripwireOf(run)
  if (now === null) return false
  const level = highest(run.seen.guard) ?? 0
  return (
    isMoved(held.lossAbove, now.lossAbove, level) || isMoved(held.gradientNormAbove, now.gradientNormAbove, 0)
  )
}

function isMoved(held: number | null, now: number | null, level: number): boolean {
  if (held === null || now === null) return held !== now
  return Math.abs(now - held) > movedShare * Math.abs(now - level)
}

/** Whether a client that watches the plan's limit has passed it at this sample. */
export const isPassed = ({ plan, seen }: Pick<TunerState, 'plan' | 'seen'>): boolean => {
  const limit = plan.tripwire?.lossAbove
  return limit != null && seen.guard.smoothed !== null && seen.guard.smoothed > limit
}
