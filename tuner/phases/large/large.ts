// The large step: at every valley probe the switch rule is asked, and its answer recorded: a hold with its reason, or the
// switch. Between probes a job may follow its plan into the anneal by itself, and is met there.

import type { Forecast } from '../../estimators/finalLoss.ts'
import { valleyProbesNeeded } from '../../estimators/valleySlope.ts'
import { givenRate, isSteering, offers } from '../../options.ts'
import {
  deadlineStep,
  earliestRiseStep,
  earliestSureStep,
  earliestSwitchStep,
  endOf,
  fallbackStep,
} from '../../plan/bounds.ts'
import { patienceStep, tooFewProbes } from '../../plan/cadence.ts'
import { horizonOf, largeSegments, rampedSegments, segment } from '../../plan/segments.ts'
import { chartPoints, gainPoints } from '../../signals/charts.ts'
import type { SignalsReading } from '../../signals/signals.ts'
import type { Large, Outlook } from '../../state.ts'
import { enterDone } from '../enter.ts'
import { alternativesOf, forecastPoints } from '../forecasts.ts'
import { type Judgement, judgementNow, shortAnnealEnd } from '../judgement.ts'
import { weightsAtHand } from '../kept.ts'
import { knownProbesNeeded } from '../marginalCost.ts'
import type { Outcome, Phase, Run } from '../phase.ts'
import { hitsNeeded, hitsWindow, isMemorising, isRising, riseDeviations, ruleReason } from '../rule.ts'
import { awaitedAnswer, wanted } from './asking.ts'
import { blockProbe, nextBlockEnd } from './blockProbe.ts'
import { held, whyNotYet } from './hold.ts'
import { judgedOpen } from './open.ts'

/** Asks the rule with all signals folded up to this step. `known`: their reading. */
export function judged(run: Run, course: Large, known?: SignalsReading): Outcome {
  const judgement = judgementNow(run, known)
  const { cost, diminishing, memorising } = judgement
  const verdict = cost?.satisfied ?? diminishing?.isEnough
  const judgedCourse: Large = {
    ...course,
    evaluatedAtStep: run.seen.step,
    verdicts: verdict === undefined ? course.verdicts : [...course.verdicts, verdict].slice(-hitsWindow),
    sureVerdicts:
      cost === undefined ? course.sureVerdicts : [...course.sureVerdicts, cost.isSure].slice(-hitsWindow),
    knownProbes: cost?.isKnown ? Math.min(course.knownProbes + 1, knownProbesNeeded) : 0,
    memorised: [...course.memorised, memorising?.isMemorising ?? false].slice(-hitsWindow),
    outlook: outlookOf(run, judgement),
    diminishing: diminishing ?? null,
  }
  const outcome = decide({ ...run, course: judgedCourse }, judgedCourse, judgement)
  const {
    slope: valleySlope = null,
    staying: stayingGain = null,
    annealing: annealingGain = null,
  } = cost ?? {}
  const charts = [
    ...gainPoints(run.seen.step, { annealingGain, stayingGain }),
    ...chartPoints(run.seen.step, { valleySlope }),
    ...forecastPoints(run.seen.step, plannedLoss(judgedCourse.outlook)),
  ]
  return { ...toldDear(run, outcome), charts }
}

const outlookOf = (run: Run, { cost, reading }: Judgement): Outlook => ({
  stayingGain: cost?.staying.value ?? null,
  annealingGain: cost?.annealing.value ?? null,
  earliestStep: cost?.earliestStep ?? null,
  probability: cost?.probability ?? null,
  alternatives: alternativesOf(run, reading, cost?.earliestStep ?? null),
})

/** What the plan ends at: the anneal at its step, or from now on. */
function plannedLoss(outlook: Outlook | null): Forecast | null {
  const planned = outlook?.alternatives.find(({ kind }) => kind === 'at' || kind === 'now')
  return planned === undefined ? null : { ...planned, value: planned.finalLoss }
}

function decide(run: Run, course: Large, judgement: Judgement): Outcome {
  const { step } = run.seen
  const { cost } = judgement
  const { override } = run.person
  if (override !== null)
    return held(run, course, judgement, { key: 'by-hand', values: { untilStep: override.untilStep } })
  const deadline = deadlineStep(run)
  if (deadline === null) return judgedOpen(run, course, judgement)
  if (step >= deadline) return wanted(run, course, 'deadline', judgement)
  if (step >= earliestRiseStep(run)) {
    if (isRising(run, riseDeviations)) return wanted(run, course, 'overfitting', judgement)
    // From there on an anneal begins anyway, and what a short one saves is little.
    const isShort = shortAnnealEnd(run) <= earliestSwitchStep(run)
    if (isShort && isMemorising(course, judgement, hitsNeeded))
      return wanted(run, course, 'memorising', judgement)
  }
  if (step >= earliestSureStep(run) && isSurelyMet(course, judgement))
    return wanted(run, course, 'rule', judgement)
  if (step < earliestSwitchStep(run)) return held(run, course, judgement, whyNotYet(run, course, judgement))
  const hits = course.verdicts.filter(Boolean).length
  if (cost?.satisfied && hits >= hitsNeeded) return wanted(run, course, ruleReason(run, cost), judgement)
  return held(run, course, judgement, whyNotYet(run, course, judgement), hits < hitsNeeded)
}

/** The rule holds, with both sides known well for some time. */
const isSurelyMet = ({ sureVerdicts, knownProbes }: Large, { cost }: Judgement): boolean =>
  cost?.isSure === true &&
  knownProbes >= knownProbesNeeded &&
  sureVerdicts.filter(Boolean).length >= hitsNeeded

/** What is still to be told of probes that are too dear; null = nothing. */
const dearProbes = (run: Run, { isDearSaid, rate }: Large) =>
  isDearSaid || rate === null || !offers(run.options, 'heldOutLoss') ? null : tooFewProbes(run)

/** Once: probes take so long that the rule will not get as many as it needs. */
function toldDear(run: Run, outcome: Outcome): Outcome {
  const { course } = outcome
  if (course.kind !== 'large') return outcome
  const few = dearProbes(run, course)
  if (few === null) return outcome
  const told = { ...course, isDearSaid: true }
  const values = { ...few, needed: valleyProbesNeeded, fallback: fallbackStep(run) }
  const draft = {
    kind: 'hold',
    rule: 'marginal-cost',
    reason: 'probes-too-dear',
    values,
    isHold: true,
  } as const
  return { ...outcome, course: told, records: [draft] }
}

/** First step of the anneal in the plan that the job follows; null = none, it is the one that was undone, or a person's rate holds. */
function plannedAnneal({ followed, plan, person }: Run, { undoneAtStep }: Large): number | null {
  if (person.override !== null) return null
  const from = (followed ?? plan).segments.find(({ phase }) => phase === 'anneal')?.fromStep ?? null
  return from === null || (undoneAtStep !== null && from <= undoneAtStep) ? null : from
}

/** The job followed its plan into the anneal by itself: what the plan said is recorded. */
function met(run: Run, course: Large, fromStep: number): Outcome {
  const judgement = judgementNow(run)
  const isDeadline =
    fromStep >= (deadlineStep({ ...run, seen: { ...run.seen, step: fromStep } }) ?? Infinity) &&
    (run.mode === 'approve' || course.undoneAtStep !== null || course.outlook?.earliestStep != null)
  return wanted(run, course, isDeadline ? 'deadline' : 'fallback', judgement, { fromStep, isMet: true })
}

/** The step at which the fallback plan is due, if nothing else has been decided by then; null = never. */
function fallbackDue(run: Run, course: Large): number | null {
  if (!isSteering(run.mode) || course.undoneAtStep !== null || run.person.override !== null) return null
  const isJudged = run.seen.signals.valley.count >= valleyProbesNeeded && course.outlook?.earliestStep != null
  return isJudged ? null : fallbackStep(run)
}

/**
 * Where the plan puts the anneal: at the step that the evidence points to, or where the fallback plan has it; but not
 * before the rule may switch, nor before the next two evaluations at the job's own distance could be judged. Where a
 * person must approve, at the last moment.
 */
export function plannedSwitchStep(run: Run, course: Large): number {
  const deadline = deadlineStep(run) ?? 0
  if (run.mode === 'approve') return deadline
  const fallback = course.undoneAtStep !== null ? deadline : (fallbackStep(run) ?? deadline)
  const isBlind = !offers(run.options, 'heldOutLoss') && !offers(run.options, 'microBatchNorms')
  const earliest = Math.max(earliestSwitchStep(run), isBlind ? 0 : patienceStep(run))
  return Math.min(Math.max(course.outlook?.earliestStep ?? fallback, earliest), deadline)
}

/** Without held-out probes the end comes with the last report: a job that logs each tenth step never reports the very last. */
export const lastStepOf = (run: Run): number => (endOf(run) ?? Infinity) - (run.seen.strideSteps - 1)

export const large: Phase<Large> = {
  wakeAt(run, course) {
    const ends = [lastStepOf(run), nextBlockEnd(run, course)]
    if (isSteering(run.mode) && run.trajectory.awaited === null) {
      ends.push(fallbackDue(run, course) ?? Infinity)
      ends.push((plannedAnneal(run, course) ?? Infinity) + 1)
      if (dearProbes(run, course) !== null) ends.push(run.seen.step)
    }
    return Math.min(...ends)
  },
  sampled(run, course) {
    const { step } = run.seen
    if (step >= lastStepOf(run)) return usedUp(run)
    if (!isSteering(run.mode) || run.trajectory.awaited !== null) return blockProbe(run, course, judged)
    const planned = plannedAnneal(run, course)
    if (planned !== null && step > planned) return met(run, course, planned)
    if (dearProbes(run, course) !== null) return toldDear(run, { course })
    const due = fallbackDue(run, course)
    // At the deadline nobody is asked any more: a question that ends there would be asked again at each step.
    const isForced = step >= (deadlineStep(run) ?? Infinity)
    if (due !== null && step >= due && (isForced || !awaitedAnswer(run, 'fallback')))
      return wanted(run, course, isForced ? 'deadline' : 'fallback', judgementNow(run))
    return blockProbe(run, course, judged)
  },
  probed: (run, course, _probe, reading) => (run.mode === 'off' ? { course } : judged(run, course, reading)),
  answered: () => null,
  segments(run, course) {
    const { rate, ramp } = course
    const { step, learningRate } = run.seen
    if (rate === null) {
      const own = learningRate ?? givenRate(run.options)
      return [segment('large', { fromStep: step, toStep: step + 1, from: own, to: own })]
    }
    const switchStep = plannedSwitchStep(run, course)
    return rampedSegments(largeSegments(horizonOf(run), { rate, switchStep }), ramp, step, 'large')
  },
  awaitAtStep: (run) => endOf(run),
}

/** The budget is used up without an anneal: nothing was steered, or a person held the rate. */
function usedUp(run: Run): Outcome {
  const { keep, values } = weightsAtHand(run)
  return enterDone(run, { keep }, [
    { kind: 'finish', rule: 'finish', reason: 'budget-used', values: { step: endOf(run), ...values } },
  ])
}
