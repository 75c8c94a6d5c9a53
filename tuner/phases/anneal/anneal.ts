// The anneal: the rate falls to 0, watched probe by probe. An anneal removes noise, but on data that is seen many times a
// long one memorises as well, and then every further step costs: its end may move forward. At its end the better of the last
// and the averaged weights is kept, or the weights that were kept at the lowest level before (ending.ts).

import { bestAverage } from '../../estimators/averagedGap.ts'
import { blockSteps } from '../../estimators/blocks.ts'
import { bestLevel, type Rise, riseOf } from '../../estimators/rise.ts'
import { offers } from '../../options.ts'
import { lengthOf, originOf } from '../../plan/bounds.ts'
import { annealRateShare, annealSegments, horizonOf, rampedSegments } from '../../plan/segments.ts'
import { comparison } from '../../record/evidence.ts'
import type { Anneal } from '../../state.ts'
import { enterDone, lastProbe, restoreKept } from '../enter.ts'
import { endOfAnneal, forecastPoints } from '../forecasts.ts'
import type { Outcome, Phase, Run } from '../phase.ts'
import { riseDeviations } from '../rule.ts'
import { endedByComparison, endedByProbe, endedUncompared } from './ending.ts'

/** Once held-out loss rises the rest of the anneal takes this share of the steps at the best level, and up to twice it while
 *  the rate is still high: at .15 ten times too many steps ended 7 % above their best held-out loss, at .04 5 %
 *  (bench/records/2026-11-24-after-the-switch/README.md). */
const squeezeShare = 0.04
const lossesMax = 64

/** The anneal with the newest probe. */
function watched(course: Anneal, loss: number): Anneal {
  if (!Number.isFinite(loss)) return course
  const { losses } = course
  const isFull = losses.length >= lossesMax
  return {
    ...course,
    losses: [...losses.slice(isFull ? 1 : 0), loss],
    bestLevel: isFull ? Math.min(course.bestLevel ?? Infinity, bestLevel(losses)) : course.bestLevel,
  }
}

/** The rest of the anneal ends at `toStep`, from this share of its first rate on. */
function endingAt(
  run: Run,
  course: Anneal,
  toStep: number,
  rateShare: number,
): Pick<Outcome, 'course' | 'ask' | 'withdraw'> {
  const rest = { fromStep: run.seen.step, fromRate: rateShare * course.fromRate }
  return {
    course: { ...course, toStep, rest, isCutShort: true },
    withdraw: ({ kind }) => kind === 'probe',
    ask: lastProbe(run, toStep),
  }
}

/**
 * The rest of the anneal in a fraction of the steps so far, from the weights of the lowest averaged loss, where those
 * are kept: what was memorised since is not forgotten by annealing. Nothing where as little is left anyway.
 */
function squeezed(run: Run, course: Anneal, { from, to, standardError }: Rise): Outcome {
  const { kept, seen, trajectory } = run
  const { step } = seen
  const bestStep = kept?.step ?? step
  const share = annealRateShare(course, Math.max(bestStep, course.fromStep), lengthOf(run))
  const toStep = step + Math.max(2, Math.ceil(squeezeShare * (1 + share) * (bestStep - originOf(run))))
  if (toStep >= course.toStep) return { course }
  const isBack = kept !== null && trajectory.awaited === null
  return {
    ...endingAt(run, course, toStep, share),
    ...(isBack ? { restore: restoreKept(run) } : {}),
    records: [
      {
        kind: 'lower',
        rule: 'rise',
        reason: 'cut-rise',
        values: {
          step,
          toStep,
          before: course.toStep,
          from,
          to,
          keptStep: isBack ? kept.step : null,
          rateBefore: seen.learningRate,
          rate: share * course.fromRate,
        },
        test: comparison('rise', { value: to, standardError }, '>', from, { hits: { met: 3, of: 3 } }),
      },
    ],
  }
}

/** Where the run ends without a last probe: one block later than asked for, in case samples overtake it. */
function endWithoutProbe(run: Run, course: Anneal): number {
  if (offers(run.options, 'heldOutLoss') && !course.isUnprobed)
    return course.toStep + blockSteps(lengthOf(run))
  // A job that logs each tenth step never reports the very last.
  return course.toStep - (run.seen.strideSteps - 1)
}

function endedWithoutProbe(run: Run, course: Anneal): Outcome | null {
  const { step } = run.seen
  if (step < endWithoutProbe(run, course)) return null
  const { promised } = course
  return enterDone(run, {}, [
    { kind: 'finish', rule: 'finish', reason: 'annealed', values: { step }, promised },
  ])
}

export const anneal: Phase<Anneal> = {
  wakeAt: endWithoutProbe,
  sampled: endedWithoutProbe,
  probed(run, course, probe, reading) {
    if (probe.checkpoints !== undefined) return endedByComparison(run, course, probe)
    // Counted in another unit a probe may be there long before the steps are.
    if (probe.step >= course.toStep && run.seen.step + run.seen.strideSteps >= course.toStep)
      return endedByProbe(run, course, { last: probe.raw.loss, averaged: bestAverage(probe)?.loss ?? null })
    const next = watched(course, bestAverage(probe)?.loss ?? probe.raw.loss)
    const isAsked = offers(run.options, 'heldOutLoss') && !next.isCutShort
    const rise = isAsked
      ? riseOf(next.losses, { deviations: riseDeviations, earlierLevel: next.bestLevel })
      : null
    const outcome = rise === null ? { course: next } : squeezed(run, next, rise)
    return { ...outcome, charts: forecastPoints(run.seen.step, endOfAnneal(run, next, reading)) }
  },
  answered(run, course, action, { status }) {
    if (action.kind !== 'probe' || status === 'done') return null
    // Without the comparison, what the probes of the anneal say is all there is.
    if (action.checkpoints !== undefined) return endedUncompared(run, course)
    // The last probe is asked for when the steps are there: none may come any more that would end the run.
    const unprobed = { ...course, isUnprobed: true }
    return endedWithoutProbe(run, unprobed) ?? { course: unprobed }
  },
  segments(run, course) {
    const { fromStep, fromRate } = course.rest ?? course
    const falling = annealSegments(horizonOf(run), { fromStep, toStep: course.toStep, rate: fromRate })
    return rampedSegments(falling, course.ramp, run.seen.step, 'anneal')
  },
  awaitAtStep: (_run, course) => course.toStep,
}
