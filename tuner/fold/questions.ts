// What a sample may have to decide, in the order in which it is asked. Each question looks at the run and answers with an
// outcome, or with null.

import { atNewLevel, goesOn, guarded, notRestored } from '../guard/recovery.ts'
import { signOf } from '../guard/signs.ts'
import { isPassed, isTripwireStale } from '../guard/tripwire.ts'
import { blocksInARow, guardBlockSteps, watchedAfresh } from '../guard/watch.ts'
import { isSteering } from '../options.ts'
import { unansweredEnd } from '../person/approval.ts'
import { handedBack } from '../person/commands.ts'
import type { Outcome, Run } from '../phases/phase.ts'
import { sampled } from '../phases/phases.ts'
import { searchCutShort } from '../phases/search/search.ts'
import { lengthOrNominal } from '../plan/bounds.ts'
import { driftOf } from '../record/outcome.ts'
import type { Seen } from '../state.ts'
import { relaid } from './start.ts'

/** A new objective, or a passed limit, is not looked at again for so many steps, or this share of the budget. Chosen. */
const graceStepsMax = 50
const graceShare = 0.02
/** So long the guard needs to share an alarm: five blocks, and one that was begun. */
const sharedSteps = (blocksInARow + 1) * guardBlockSteps
/** A restore that is not answered for so many steps, or this share of the budget, is taken to have failed. Chosen. */
const restoreSteps = 100
const restoreShare = 0.05

type Question = (run: Run, before: Seen) => Outcome | null

const graceOf = (run: Run): number =>
  Math.max(1, Math.min(graceStepsMax, Math.ceil(graceShare * lengthOrNominal(run))))

/** Where did the job's counter begin? */
const origin: Question = (run, before) => (run.seen.isOriginSure && !before.isOriginSure ? relaid(run) : null)

/** The run goes on from an earlier step, as it was resumed. */
const wentBack: Question = ({ seen, course }, before) => {
  if (seen.step >= before.step) return null
  const values = { step: seen.step - 1, before: before.step }
  return { course, records: [{ kind: 'hold', rule: 'person', reason: 'resumed', values }] }
}

/** The job says that the loss measures something else: a new level is no divergence. */
const objective: Question = (run, before) => {
  const { seen } = run
  if (seen.objective === before.objective || before.objective === null) return null
  const values = { step: seen.step - 1 }
  const next = atNewLevel(run)
  const guard = watchedAfresh(seen.guard, seen.step + graceOf(run))
  const signals = { ...next.seen.signals, firstLoss: null, firstCount: 0 }
  const text = seen.objective ?? ''
  return {
    course: next.course,
    change: { seen: { ...next.seen, guard, signals }, kept: null },
    records: [{ kind: 'hold', rule: 'divergence-guard', reason: 'objective', values, text }],
  }
}

/** A person's rate ends by itself. */
const override: Question = (run) =>
  run.person.override !== null && run.seen.step >= run.person.override.untilStep
    ? handedBack(run, 'handed-back-in-time')
    : null

/** A restore that was asked for long ago: the job goes on from the weights that it has. */
const overdueRestore: Question = (run) => {
  const { trajectory, seen, course } = run
  const { awaited } = trajectory
  const patience = Math.max(restoreSteps, restoreShare * lengthOrNominal(run))
  if (awaited === null || seen.step <= awaited.sinceStep + patience) return null
  const change = { trajectory: { ...trajectory, awaited: null } }
  const withdraw: Outcome['withdraw'] = ({ id }) => id === awaited.actionId
  if (course.kind === 'search')
    return searchCutShort({ ...run, ...change }, course, { reason: 'search-left', isFromStart: false })
  if (awaited.cause === 'guard') return { ...goesOn({ ...run, ...change }, 'no answer'), withdraw }
  return { course, change, withdraw, records: [notRestored(run, 'no answer')] }
}

/** The job does not follow its plan. */
const drift: Question = (run) => {
  const { seen, course } = run
  const values = driftOf(run)
  if (values === null || seen.drift.isTold) return null
  return {
    course,
    change: { seen: { ...seen, drift: { ...seen.drift, isTold: true } } },
    records: [{ kind: 'drift', rule: 'drift', reason: 'drift', values }],
  }
}

/** The limits that the plan carries follow the loss; a client that has passed one is told of, once in a while. */
const limits: Question = (run) => {
  const { seen, plan, course } = run
  if (!isSteering(run.mode) || course.kind === 'search' || course.kind === 'done') return null
  const { passed } = seen.guard
  if (passed !== null && seen.step >= passed.step + sharedSteps) return unshared(run, passed)
  if (!isPassed(run)) return isTripwireStale(run) ? { course } : null
  if (passed !== null) return { course }
  const limit = plan.tripwire!.lossAbove!
  const guard = { ...seen.guard, passed: { step: seen.step, limit } }
  return { course, change: { seen: { ...seen, guard } } }
}

/** The guard has had time to share a client's alarm, and has not. */
function unshared({ seen, plan, course }: Run, { step, limit }: { step: number; limit: number }): Outcome {
  const values = { step, limit, rate: plan.tripwire?.thenLearningRate ?? null }
  return {
    course,
    change: { seen: { ...seen, guard: { ...seen.guard, passed: null } } },
    records: [{ kind: 'guard', rule: 'divergence-guard', reason: 'tripwire', values }],
  }
}

/** A sign of divergence comes before everything that the phase may want. */
const phase: Question = (run) =>
  isSteering(run.mode) && signOf(run.seen.guard) !== null && run.course.kind !== 'search'
    ? null
    : sampled(run)

export const questions: readonly Question[] = [
  origin,
  wentBack,
  objective,
  override,
  overdueRestore,
  guarded,
  drift,
  limits,
  unansweredEnd,
  phase,
]
