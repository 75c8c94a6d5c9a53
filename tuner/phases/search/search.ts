// The search for the large rate: rates race from the start's weights, around the job's own rate or the optimizer's usual one.
// Everything that an arm did counts in the budget and is undone by restoring the start. Where the job cannot go back, is cut
// off, or a person takes over, the search ends with the rate that it began from: what was not measured is no bound, and
// nothing above it is planned.

import type { Acknowledgement, Segment, ValleyProbe } from '../../../protocol/vocabulary.ts'
import { bestAverage } from '../../estimators/averagedGap.ts'
import type { Score } from '../../estimators/pairedLoss.ts'
import { mean } from '../../estimators/uncertainty.ts'
import { watchedAfresh } from '../../guard/watch.ts'
import { armMeasure, clampedRate, givenRate, isSteering, offers, rateBounds } from '../../options.ts'
import { fallbackStep, lengthOrNominal } from '../../plan/bounds.ts'
import { armSegments, endedInTime, horizonOf, largeSegments } from '../../plan/segments.ts'
import { evidenceOfRace } from '../../record/evidence.ts'
import type { Search } from '../../state.ts'
import { enterLarge, restoreStart, startCheckpoint } from '../enter.ts'
import {
  type ActionRequest,
  type Draft,
  isOfTheCourse,
  type Outcome,
  type Phase,
  type Run,
} from '../phase.ts'
import { nextRate } from './climb.ts'
import { endArm, hasArmDiverged, openRace, type RaceState, startArm, watchedRace } from './race.ts'
import { raceResult } from './result.ts'

/** Steps of grace until an arm that diverged is left, the same for every way of batching: the job learns of it at its next
 *  report. Chosen. */
const graceSteps = 10
/** Where every arm diverged the run starts at this share of the slowest. Chosen. */
const belowDivergence = 0.1

/** How this run's search begins; null = there is no way to search, so it starts large. */
export function initialSearch(run: Run): Search | null {
  const { options, mode, seen } = run
  const measure = armMeasure(options)
  if (!isSteering(mode) || measure === null) return null
  // In approve mode giving no rate asks for the search; a rate that is given is the person's, and stays.
  if (mode === 'approve' && options.learningRate.initial !== null) return null
  const race = openRace({
    reference: givenRate(options),
    fromStep: seen.step,
    length: lengthOrNominal(run),
    hasSameBatches: offers(options, 'rewind'),
    measure,
    ...rateBounds(options),
  })
  return race === undefined ? null : { kind: 'search', race }
}

/** The first arm, and what the job is asked before it. */
export function beginSearch(run: Run, { race }: Search): Outcome {
  const { step } = run.seen
  const first = nextArm(run, race, step)
  const start = { kind: 'checkpoint', atStep: step, checkpoint: startCheckpoint } as const
  return { ...first, ask: [start, ...(first.ask ?? [])] }
}

/** Starts the next arm at a step, or ends the race. */
function nextArm(run: Run, race: RaceState, step: number): Outcome {
  const rate = nextRate(race, rateBounds(run.options))
  if (rate === undefined) return endRace(run, race)
  const started = startArm(race, rate, step)
  const { seen, trajectory } = run
  const isFirst = race.arms.length === 0
  return {
    course: { kind: 'search', race: started },
    change: {
      seen: { ...seen, guard: watchedAfresh(seen.guard) },
      trajectory: { ...trajectory, validFromStep: step },
    },
    withdraw: (action) => !isFirst && isOfTheCourse(action),
    ...(isFirst ? {} : { restore: restoreStart(run, 'arm', step) }),
    ask: probesOf(race, started.current!.toStep),
  }
}

/** What the end of an arm is judged by, where that is not what the job reports anyway. */
const probesOf = ({ measure }: RaceState, atStep: number): ActionRequest[] =>
  measure === 'training' ? [] : [{ kind: 'probe', atStep, probe: 'valley' }]

function endRace(run: Run, race: RaceState): Outcome {
  const result = raceResult(race)
  const cost = { arms: race.arms.length, steps: run.seen.step - race.fromStep, reference: race.reference }
  const rates = race.arms.map(({ learningRate }) => learningRate)
  const [slowest, fastest] = [Math.min(...rates), Math.max(...rates)]
  const rate = clampedRate(run.options, result?.learningRate ?? slowest * belowDivergence)
  const entered = (draft: Pick<Draft, 'kind' | 'reason' | 'values'>): Outcome => {
    const records: Draft[] = [{ ...draft, rule: 'race', evidence: evidenceOfRace(race) }]
    return enterLarge(run, rate, { isFromStart: true, records })
  }
  if (result === undefined)
    return entered({ kind: 'lower', reason: 'all-diverged', values: { ...cost, rate, slowest } })
  const diverged = race.arms.filter((arm) => arm.diverged).length
  const values = { ...cost, rate, optimum: result.optimum, slowest, fastest, diverged }
  if (rate === race.reference) return entered({ kind: 'hold', reason: 'rate-kept', values })
  return entered({ kind: rate > race.reference ? 'raise' : 'lower', reason: 'rate-found', values })
}

/** Ends the search before it has an answer: the present weights, or those of the start, go on at the rate it began from. */
export function searchCutShort(
  run: Run,
  { race }: Search,
  { isFromStart, ...why }: { readonly reason: string; readonly text?: string; readonly isFromStart: boolean },
): Outcome {
  const rate = race.reference
  const values = { rate, rateBefore: run.seen.learningRate, steps: run.seen.step - race.fromStep }
  const kind = rate === run.options.learningRate.initial ? 'hold' : 'lower'
  return enterLarge(run, rate, {
    isFromStart,
    records: [{ kind, rule: 'race', ...why, values, evidence: evidenceOfRace(race) }],
  })
}

/** By what an arm is ranked: the mean of its loss and of P, that of averaged weights, with their parts. An anneal takes off
 *  part of what lies between: the first prefers rates that are too small, the second ones that are too large. */
export function scoreOf({ raw, averaged, examples }: ValleyProbe, deviation: number | null): Score {
  const best = bestAverage({ averaged }) ?? raw
  const rawParts = raw.lossByPart ?? []
  const bestParts = best.lossByPart ?? []
  const parts =
    rawParts.length === bestParts.length ? rawParts.map((part, i) => middle(part, bestParts[i]!)) : []
  return { loss: middle(raw.loss, best.loss), parts, examples, deviation }
}

/** Halves first: losses may be as large as numbers go. */
const middle = (a: number, b: number): number => a / 2 + b / 2

/** The restored arm begins where the job has gone back: it may have been between two reports. */
function armRestored({ trajectory }: Run, { race }: Search, step: number): Outcome | null {
  const { current } = race
  if (current === null || step <= current.fromStep) return null
  const moved = { ...current, fromStep: step, toStep: current.toStep + step - current.fromStep }
  return {
    course: { kind: 'search', race: { ...race, current: moved } },
    withdraw: ({ kind }) => kind === 'probe',
    ask: probesOf(race, moved.toStep),
    change: { trajectory: { ...trajectory, validFromStep: Math.max(trajectory.validFromStep, step) } },
  }
}

/** The first step after a sample that was taken at rate 0. */
const measuredFromStep = ({ measure, current, zeroAfterSteps }: RaceState): number =>
  measure === 'training' && current !== null ? current.fromStep + zeroAfterSteps + 1 : Infinity

/** With the newest training loss, where the arm is measured by such. */
function measuredRace(race: RaceState, { seen }: Run): RaceState {
  const { current } = race
  const { lastLoss } = seen.guard
  const isOfArm = current !== null && lastLoss !== null && seen.step >= measuredFromStep(race)
  return isOfArm ? { ...race, current: { ...current, losses: [...current.losses, lastLoss] } } : race
}

/** By training losses, paired: all arms see the same batches. */
function trainedScore({ seen }: Run, race: RaceState, losses: readonly number[]): Score {
  const batchSize = seen.signals.batchSize ?? 1
  return {
    loss: mean(losses),
    parts: losses,
    examples: batchSize * losses.length,
    deviation: race.scatter === null ? null : race.scatter * Math.sqrt(batchSize),
  }
}

/** The job has gone on alone for as long as an arm: the race cannot be continued fairly. */
const overdueStep = ({ race }: Search): number =>
  race.current === null ? Infinity : race.current.toStep + race.armSteps

export const search: Phase<Search> = {
  wakeAt: (run, course) =>
    hasArmDiverged(course.race, run.seen.guard) || course.race.lossFirst === null
      ? 0
      : Math.min(overdueStep(course), measuredFromStep(course.race)),
  sampled(run, course) {
    const race = watchedRace(course.race, run.seen.guard)
    const { step, guard } = run.seen
    const { current } = race
    if (current === null || run.trajectory.awaited !== null) return null
    if (hasArmDiverged(race, guard))
      return nextArm(run, endArm(race, null, step), Math.min(current.toStep, step + graceSteps))
    if (step > overdueStep(course))
      return searchCutShort(run, course, { reason: 'search-left', isFromStart: false })
    const measured = measuredRace(race, run)
    const losses = measured.current?.losses ?? []
    if (measured.measure === 'training' && step >= current.toStep && losses.length > 0)
      return nextArm(run, endArm(measured, trainedScore(run, measured, losses), step), step)
    return measured === course.race ? null : { course: { kind: 'search', race: measured } }
  },
  probed(run, course, probe) {
    const race = watchedRace(course.race, run.seen.guard)
    const { current } = race
    // Other probes in the search say nothing about an arm.
    if (current === null || race.measure === 'training' || probe.step < current.toStep) return { course }
    const { batchSize } = run.seen.signals
    const deviation = race.scatter === null || batchSize === null ? null : race.scatter * Math.sqrt(batchSize)
    const atStep = Math.max(current.toStep, probe.step)
    return nextArm(run, endArm(race, scoreOf(probe, deviation), atStep), atStep)
  },
  answered(run, course, action, { status, step, detail }: Acknowledgement) {
    const isDone = status === 'done'
    if (action.kind === 'restore' && isDone) return armRestored(run, course, step)
    const isStart = action.kind === 'checkpoint' && action.checkpoint === startCheckpoint
    if (isDone || !(action.kind === 'restore' || isStart)) return null
    return searchCutShort(run, course, { reason: 'not-restored', text: detail, isFromStart: false })
  },
  segments(run, { race }): Segment[] {
    const { current, reference, arms } = race
    const horizon = horizonOf(run)
    const rest = (fromStep: number, rate: number) =>
      largeSegments({ ...horizon, step: fromStep }, { rate, switchStep: fallbackStep(run) ?? 0 })
    if (current === null) return rest(run.seen.step, reference)
    const { fromStep, toStep } = current
    const { learningRate: rate } = arms[current.arm]!
    const downFromStep = fromStep + race.downAfterSteps
    const zeroFromStep = fromStep + race.zeroAfterSteps
    // A job that hears nothing after the arm goes on at a rate that nobody has measured: never above the reference.
    // And one that was heard of late may have no steps left for the arm.
    return endedInTime(horizon, [
      ...armSegments(horizon.momentum, { rate, fromStep, downFromStep, zeroFromStep, toStep }),
      ...rest(toStep, Math.min(rate, reference)),
    ])
  },
  awaitAtStep: (_run, { race }) => race.current?.toStep ?? null,
}
