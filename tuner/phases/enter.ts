// How a run enters a phase: the course that begins, and what its beginning changes besides. Values only: whoever ends a phase
// (another phase, the guard, a person) returns one of these, and settle.ts carries it out.

import { averagedGap } from '../estimators/averagedGap.ts'
import { watchedAfresh } from '../guard/watch.ts'
import { givenRate, isSteering, offers } from '../options.ts'
import { elapsedOf, endOf, lengthOrNominal, originOf } from '../plan/bounds.ts'
import { freshSignals } from '../signals/signals.ts'
import {
  type Anneal,
  type AnnealReason,
  type Done,
  type Large,
  largeRateOf,
  type Ramp,
  switchStepOf,
} from '../state.ts'
import { annealedLoss } from './forecasts.ts'
import { type Judgement, shortAnnealEnd } from './judgement.ts'
import { type ActionRequest, isOfTheCourse, type Outcome, type RestoreRequest, type Run } from './phase.ts'
import { noVerdicts } from './rule.ts'

/** The large rate is reached over this share of the budget, or over the job's own warm-up. ENGINE: five jobs, their usual
 *  warm-up; from nearly nothing, as schedulers do. */
const rampShare = 0.05
const rampFrom = 0.05
/** Length of the anneal after overfitting, as a share of the steps at the best level. */
export const overfittingAnnealShare = 0.5
/** Held-out losses that the watch over the anneal begins with. */
const seedLosses = 4

export const startCheckpoint = 'start'
export const keptCheckpoint = 'lowest'

/** The climb to a rate from a step on; null = the job has none. */
export function rampTo(run: Run, rate: number, fromStep: number): Ramp | null {
  const steps = run.options.warmupSteps ?? Math.round(rampShare * lengthOrNominal(run))
  return steps < 1 ? null : { fromStep, toStep: fromStep + steps, fromRate: rampFrom * rate }
}

export function largeCourse(fromStep: number, rate: number | null, ramp: Ramp | null = null): Large {
  return {
    kind: 'large',
    fromStep,
    rate,
    ramp,
    ...noVerdicts,
    evaluatedAtStep: fromStep,
    memorised: [],
    outlook: null,
    diminishing: null,
    undoneAtStep: null,
    advisedAtStep: null,
    isDearSaid: false,
  }
}

/** Goes back to the weights of the start, with the data where the job can take it back. */
export const restoreStart = (run: Run, cause: 'start' | 'arm', atStep = run.seen.step): RestoreRequest => ({
  atStep,
  checkpoint: startCheckpoint,
  cause,
  rewindData: offers(run.options, 'rewind'),
  skipBatches: 0,
  runLength: cause === 'arm' ? null : 0,
})

/**
 * The large phase after a search, from the weights of the start: those of an arm were hurt by rates that were not this one.
 * Signals start afresh, as those of the search belong to other weights.
 */
export function enterLarge(
  run: Run,
  rate: number,
  { isFromStart, ...record }: Required<Pick<Outcome, 'records'>> & { readonly isFromStart: boolean },
): Outcome {
  const { seen } = run
  const { step, signals, guard } = seen
  const afresh = { runLength: 0, signals: freshSignals(signals), guard: watchedAfresh(guard), rivals: null }
  return {
    course: largeCourse(step, rate, rampTo(run, rate, step)),
    change: {
      seen: { ...seen, ...afresh },
      trajectory: { validFromStep: step, awaited: null },
    },
    withdraw: isOfTheCourse,
    ...(isFromStart ? { restore: restoreStart(run, 'start') } : {}),
    ask: [{ kind: 'drop', atStep: step, checkpoint: startCheckpoint }],
    ...record,
  }
}

/** The anneal from the present step on, or from where the job has begun it by itself. */
export function annealCourse(run: Run, reason: AnnealReason, judgement: Judgement, fromStep: number): Anneal {
  const { course, person, seen } = run
  const { cost } = judgement
  const rate =
    person.override?.learningRate ?? largeRateOf(course) ?? seen.learningRate ?? givenRate(run.options)
  const toStep = annealEnd(run, reason)
  return {
    kind: 'anneal',
    fromStep,
    toStep,
    fromRate: rate,
    reason,
    largeFromStep: course.kind === 'large' ? course.fromStep : fromStep,
    fromRunLength: seen.runLength,
    scale: cost === undefined ? null : cost.annealing.value / 2,
    promised: annealedLoss(run, judgement.reading, { switchStep: fromStep, toStep }),
    rest: null,
    isCutShort: reason === 'overfitting' || reason === 'memorising',
    ramp: course.kind === 'large' && (course.ramp?.toStep ?? 0) > seen.step ? course.ramp : null,
    // An anneal after overfitting starts above the best level.
    losses: reason === 'overfitting' ? [] : seen.signals.averagedLosses.slice(-seedLosses),
    bestLevel: null,
    isUnprobed: false,
    isComparing: false,
  }
}

function annealEnd(run: Run, reason: AnnealReason): number {
  const { seen, kept } = run
  const end = endOf(run) ?? Infinity
  if (reason === 'overfitting') {
    const elapsed = kept === null ? elapsedOf(run) : kept.step - originOf(run)
    return Math.min(end, seen.step + Math.max(2, Math.ceil(overfittingAnnealShare * elapsed)))
  }
  if (reason === 'memorising' || end === Infinity) return Math.min(end, shortAnnealEnd(run))
  return Math.max(end, seen.step + 1)
}

/** Goes back to the kept weights. The data order is not taken back: the batches since then were seen. */
export const restoreKept = (run: Run): RestoreRequest => ({
  atStep: run.seen.step,
  checkpoint: keptCheckpoint,
  cause: 'kept',
  rewindData: false,
  skipBatches: 0,
  runLength: null,
})

/** The probe at the end of an anneal. */
export const lastProbe = (run: Run, toStep: number): ActionRequest[] =>
  offers(run.options, 'heldOutLoss') ? [{ kind: 'probe', atStep: toStep, probe: 'valley' }] : []

export function enterAnneal(run: Run, anneal: Anneal, records: Outcome['records'] & object): Outcome {
  const { seen, person, kept, trajectory } = run
  const canGoBack = kept !== null && isSteering(run.mode) && trajectory.awaited === null
  return {
    course: anneal,
    change: {
      // Gaps at the large rate say nothing of the regime at a lower one.
      seen: { ...seen, signals: { ...seen.signals, gap: averagedGap.init() } },
      person: { ...person, override: null },
    },
    withdraw: ({ kind }) => kind === 'probe',
    // What was memorised since the rise is not annealed away.
    ...(anneal.reason === 'overfitting' && canGoBack ? { restore: restoreKept(run) } : {}),
    ask: lastProbe(run, anneal.toStep),
    records,
    sinceStep: anneal.fromStep,
  }
}

export type Keep = 'last' | 'averaged' | { readonly checkpoint: string }

/** The end: where nothing else is said, with the last weights. `isAsked`: the job is told to stop; advice ends by itself. */
export function enterDone(
  run: Run,
  given: Partial<Pick<Done, 'end' | 'keptLoss' | 'reached'>> & {
    readonly keep?: Keep
    readonly isAsked?: boolean
  },
  records: Outcome['records'] & object,
): Outcome {
  const { course, seen, person, trajectory } = run
  const {
    end = 'finished',
    keptLoss = null,
    reached = null,
    keep = 'last',
    isAsked = isSteering(run.mode),
  } = given
  return {
    course: {
      kind: 'done',
      end,
      switchStep: switchStepOf(course),
      largeRate: largeRateOf(course),
      keptLoss,
      promised: course.kind === 'anneal' ? course.promised : null,
      reached,
    },
    change: {
      person: { ...person, override: null, isPaused: false },
      trajectory: { ...trajectory, awaited: null },
    },
    withdraw: () => true,
    ask: isAsked ? [{ kind: 'finish', atStep: seen.step, keep }] : released(run),
    records,
  }
}

/** A job that is paused, or is about to be by what it was asked before, has nobody who lets it go on once the run has ended. */
const released = ({ person, actions, seen }: Run): NonNullable<Outcome['ask']> =>
  person.isPaused || actions.some(({ kind }) => kind === 'pause' || kind === 'resume')
    ? [{ kind: 'resume', atStep: seen.step }]
    : []
