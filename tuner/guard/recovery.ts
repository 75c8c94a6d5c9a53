// What is done about a sign of divergence, whatever phase the run is in. First: back to the newest checkpoint of a sound
// probe, past the batches that followed it, with half the rate climbing back. Without one there is nowhere to go: the rate is
// halved for a while and the level adopted, because a loss that is finite may have moved for a reason of its own (another
// stage, objective or unit). Only where the loss had come back and rose again is it the rate's fault: then the large rate is
// lowered for good, and the third time annealed. A fourth time stops a run whose numbers are none; a finite loss never does.
// Constants: bench/records/2026-11-24-prototype/README.md; windows are chosen.

import { isSteering, offers } from '../options.ts'
import { annealCourse, enterAnneal, enterDone, lastProbe } from '../phases/enter.ts'
import { judgementNow } from '../phases/judgement.ts'
import type { ActionRequest, Draft, Outcome, RestoreRequest, Run } from '../phases/phase.ts'
import { noVerdicts } from '../phases/rule.ts'
import { switchDraft } from '../phases/switchRecord.ts'
import { endOf, lengthOrNominal } from '../plan/bounds.ts'
import { freshSignals } from '../signals/signals.ts'
import type { Course, Ramp } from '../state.ts'
import { isOfNumbers, type Sign, signOf } from './signs.ts'
import { type Trip, watchedAfresh } from './watch.ts'

/** After a trip: factor on the rate, steps of re-warming and batches left out at most. */
const rateFactor = 0.5
const rewarmStepsMax = 200
const skipBatchesMax = 200
/** … and the guard looks away for so many steps at most: the job has yet to hear of it. */
const blindStepsMax = 50
/** All of them are at most this share of the budget. */
const shareMax = 0.02
/** Trips within this share of the budget belong together; the second lowers the large rate for good, by this factor. */
const repeatShare = 0.05
const lowerFactor = 0.7
const tripsKept = 16
/** Checkpoints of sound probes that are kept, this share of the budget apart. */
const checkpointsMax = 3
const checkpointShare = 0.01

const limited = (run: Run, steps: number): number =>
  Math.max(1, Math.min(steps, Math.ceil(shareMax * lengthOrNominal(run))))

/** What the guard does about the sign that is met; null = none is, or it is not the guard's to act. */
export function guarded(run: Run): Outcome | null {
  const { course, mode, trajectory, seen } = run
  if (!isSteering(mode) || course.kind === 'done' || course.kind === 'search' || trajectory.awaited !== null)
    return null
  const sign = signOf(seen.guard)
  return sign === null ? null : recovered(run, sign)
}

function recovered(run: Run, sign: Sign): Outcome {
  const { seen, course } = run
  const trip: Trip = {
    step: seen.step,
    isFinite: !isOfNumbers(sign),
    from: sign.values.from ?? null,
    to: sign.values.to ?? null,
  }
  const count = repeats(run, trip)
  if (count >= 4 && !trip.isFinite) return stopped(run, sign)
  const blindSteps = limited(run, blindStepsMax)
  const guard = {
    ...watchedAfresh(seen.guard, seen.step + blindSteps),
    unheardRows: blindSteps,
    trips: [...seen.guard.trips, trip].slice(-tripsKept),
  }
  const back = restoreOf(run)
  const tripped: Run = { ...run, seen: { ...seen, guard } }
  const next = back === null && trip.isFinite ? atNewLevel(tripped) : tripped
  const isThird = course.kind === 'large' && count >= 3 && trip.isFinite
  const slow = isThird ? annealed(next, sign) : slowed(next, sign, count >= 2, back)
  const change = { seen: next.seen, trajectory: next.trajectory, kept: next.kept }
  return { ...slow, change: { ...change, ...slow.change }, ...(back === null ? {} : { restore: back }) }
}

/** There is nowhere to go back to: what was measured before belongs to another level, or to other weights. */
export function atNewLevel(run: Run): Run {
  const { seen, course, trajectory } = run
  const { step } = seen
  const anew: Course =
    course.kind === 'large'
      ? {
          ...course,
          fromStep: step,
          ...noVerdicts,
          memorised: [],
          outlook: null,
        }
      : course.kind === 'anneal'
        ? { ...course, losses: [], bestLevel: null }
        : course
  return {
    ...run,
    course: anew,
    kept: null,
    trajectory: { ...trajectory, validFromStep: step },
    seen: { ...seen, signals: freshSignals(seen.signals), runLength: 0, rivals: null },
  }
}

/** How often, this one included, the rate has been at fault within the window: the loss was back, or is no number. */
function repeats(run: Run, trip: Trip): number {
  const window = Math.max(repeatShare * lengthOrNominal(run), 2 * limited(run, rewarmStepsMax))
  let count = 1
  let later = trip
  for (const earlier of [...run.seen.guard.trips].reverse()) {
    if (later.step - earlier.step > window || !isRepeat(earlier, later)) break
    later = earlier
    count++
  }
  return count
}

function isRepeat(earlier: Trip, later: Trip): boolean {
  if (!later.isFinite) return true
  if (earlier.from === null || earlier.to === null || later.from === null) return !earlier.isFinite
  return later.from < (earlier.from + earlier.to) / 2
}

/** Back to the newest sound checkpoint; null = there is none. */
function restoreOf(run: Run): RestoreRequest | null {
  const { seen, options } = run
  const checkpoint = seen.guard.checkpoints.at(-1)
  if (checkpoint === undefined || !offers(options, 'checkpoint')) return null
  return {
    atStep: seen.step,
    checkpoint: checkpoint.name,
    cause: 'guard',
    rewindData: false,
    skipBatches: limited(run, skipBatchesMax),
    runLength: checkpoint.runLength,
  }
}

function slowed(run: Run, sign: Sign, isForGood: boolean, back: RestoreRequest | null): Outcome {
  const { course, seen } = run
  if (course.kind !== 'large' && course.kind !== 'anneal') return { course }
  const toStep = seen.step + limited(run, rewarmStepsMax)
  const before = course.kind === 'large' ? (course.rate ?? 0) : (seen.learningRate ?? course.fromRate)
  const rate = isForGood ? before * lowerFactor : before
  const ramp: Ramp = { fromStep: seen.step, toStep, fromRate: rate * rateFactor }
  const keptStep = back === null ? null : (seen.guard.checkpoints.at(-1)?.step ?? null)
  const draft: Draft = {
    kind: 'guard',
    rule: 'divergence-guard',
    reason: sign.key,
    values: {
      ...sign.values,
      step: seen.step,
      rate,
      fromRate: ramp.fromRate,
      toStep,
      keptStep,
      isForGood: isForGood ? 1 : 0,
      byHand: run.person.override?.learningRate ?? null,
      untilStep: run.person.override?.untilStep ?? null,
    },
  }
  if (course.kind === 'large')
    return {
      course: {
        ...course,
        rate: course.rate === null ? null : rate,
        ramp,
        outlook: null,
        ...noVerdicts,
      },
      records: [draft],
    }
  const factor = isForGood ? lowerFactor : 1
  const rest = course.rest === null ? null : { ...course.rest, fromRate: course.rest.fromRate * factor }
  return {
    course: { ...course, fromRate: course.fromRate * factor, rest, ramp },
    withdraw: ({ kind }) => kind === 'probe',
    ask: lastProbe(run, course.toStep),
    records: [draft],
  }
}

function annealed(run: Run, sign: Sign): Outcome {
  const judgement = judgementNow(run)
  const anneal = annealCourse(run, 'guard', judgement, run.seen.step)
  const draft = switchDraft(run, anneal, judgement)
  return enterAnneal(run, anneal, [{ ...draft, values: { ...draft.values, ...sign.values }, text: sign.key }])
}

function stopped(run: Run, sign: Sign): Outcome {
  const { seen } = run
  const checkpoint = seen.guard.checkpoints.at(-1)
  const values = { ...sign.values, step: seen.step, keptStep: checkpoint?.step ?? null }
  return enterDone(
    run,
    {
      end: 'diverged',
      keptLoss: null,
      keep: checkpoint === undefined ? 'last' : { checkpoint: checkpoint.name },
    },
    [{ kind: 'finish', rule: 'divergence-guard', reason: 'diverged', values, text: sign.key }],
  )
}

/**
 * The job could not go back for the guard: what the guard has changed stands. What was measured before belongs to another
 * level then, unless the present one is no number; weights that were kept are compared at the end, so they stay.
 */
export function goesOn(run: Run, detail: string): Outcome {
  const next = run.seen.guard.trips.at(-1)?.isFinite === true ? atNewLevel(run) : run
  const { course, seen, trajectory } = next
  return { course, change: { seen, trajectory }, records: [notRestored(run, detail)] }
}

/** The record says which weights go on. */
export const notRestored = (run: Run, detail: string): Draft => ({
  kind: 'guard',
  rule: 'divergence-guard',
  reason: 'not-restored',
  values: { step: run.seen.step, rate: run.plan.segments[0]?.from ?? null },
  text: detail,
})

/** Keeps the weights of a sound probe to come back to; null = those that are kept will do. */
export function newCheckpoint(
  run: Run,
): { readonly guard: Run['seen']['guard']; readonly ask: ActionRequest } | null {
  const { seen, mode, options, course } = run
  const { guard, step, runLength } = seen
  const isSound = signOf(guard) === null && guard.badProbes === 0 && guard.highBlocks === 0
  if (course.kind === 'done' || !isSteering(mode) || !offers(options, 'checkpoint') || !isSound) return null
  const last = guard.checkpoints.at(-1)
  if (last !== undefined && step - last.step < checkpointShare * lengthOrNominal(run)) return null
  if (endOf(run) !== null && step >= endOf(run)!) return null
  const used = guard.checkpoints.map(({ name }) => name)
  const free = Array.from({ length: checkpointsMax }, (_, i) => `good-${i}`).find(
    (name) => !used.includes(name),
  )
  const name = free ?? used[0]!
  const checkpoints = [...guard.checkpoints.filter((entry) => entry.name !== name), { name, step, runLength }]
  return { guard: { ...guard, checkpoints }, ask: { kind: 'checkpoint', atStep: step, checkpoint: name } }
}
