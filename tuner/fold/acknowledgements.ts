// What the job says about the actions that it was asked for. A restore decides which weights the run is at; a checkpoint that
// could not be made is forgotten; the rest is for the phase that asked.

import type { Acknowledgement, Action } from '../../protocol/vocabulary.ts'
import { valleyUpTo } from '../estimators/valleySlope.ts'
import { goesOn } from '../guard/recovery.ts'
import { watchedAfresh } from '../guard/watch.ts'
import { branchAnswered } from '../person/branch.ts'
import { keptCheckpoint } from '../phases/enter.ts'
import type { Draft, Outcome, Run } from '../phases/phase.ts'
import { answered } from '../phases/phases.ts'
import { beside, settle, type Turn, updated } from '../settle.ts'
import type { Course, Ramp, RestoreCause, Trajectory } from '../state.ts'

export function foldAcknowledgement(turn: Turn, acknowledgement: Acknowledgement): Turn {
  const { actionId, status } = acknowledgement
  const action = turn.state.actions.find(({ id }) => id === actionId)
  if (action === undefined) return turn
  const next = updated(turn, { actions: turn.state.actions.filter(({ id }) => id !== actionId) })
  if (action.kind === 'branch') return beside(next, branchAnswered(next.state, action, acknowledgement))
  const { awaited } = next.state.trajectory
  const isAwaited = action.kind === 'restore' && awaited?.actionId === actionId
  const known = isAwaited ? settle(next, restored(next.state, awaited, acknowledgement)) : next
  const kept = action.kind === 'checkpoint' && status !== 'done' ? withoutCheckpoint(known, action) : known
  const outcome = answered(kept.state, action, acknowledgement)
  return outcome === null ? kept : settle(kept, outcome)
}

/** The run is at other weights from that step on, or, where the job could not go back, still at the present ones. */
function restored(
  run: Run,
  awaited: NonNullable<Trajectory['awaited']>,
  { status, step, detail }: Acknowledgement,
): Outcome {
  const { trajectory, seen } = run
  const validFromStep = Math.max(trajectory.validFromStep, step)
  const change = { trajectory: { validFromStep, awaited: null } }
  const course = withRampsFrom(run.course, step)
  if (status !== 'done' && awaited.cause === 'guard') return goesOn({ ...run, course, ...change }, detail)
  if (status !== 'done') return { course, change, records: failureOf(run, awaited.cause, detail) }
  const { runLength, cause } = awaited
  // Earlier weights stand at a higher training loss: that they do is no sign of divergence.
  const guard = cause === 'kept' ? watchedAfresh(seen.guard) : seen.guard
  if (runLength === null) return { course, change: { ...change, seen: { ...seen, guard } } }
  // What was measured beyond the point that the weights are from is forgotten.
  const signals = { ...seen.signals, valley: valleyUpTo(seen.signals.valley, runLength) }
  return { course, change: { ...change, seen: { ...seen, runLength, signals } } }
}

/** A climb of the same length from another step on. */
const movedTo = (ramp: Ramp | null, step: number): Ramp | null =>
  ramp === null || ramp.fromStep >= step
    ? ramp
    : { ...ramp, fromStep: step, toStep: step + ramp.toStep - ramp.fromStep }

const withRampsFrom = (course: Course, step: number): Course =>
  'ramp' in course ? { ...course, ramp: movedTo(course.ramp, step) } : course

/** Which weights go on where a restore failed; an arm's is the search's to tell. */
function failureOf(run: Run, cause: RestoreCause, detail: string): Draft[] {
  if (cause === 'arm') return []
  const rate = run.course.kind === 'large' ? run.course.rate : run.seen.learningRate
  const kind = run.course.kind === 'anneal' ? 'lower' : 'hold'
  const rule = cause === 'kept' ? 'rise' : 'race'
  const values = { step: run.seen.step, rate }
  return [{ kind, rule, reason: `${cause}-not-restored`, values, text: detail }]
}

/** A checkpoint that could not be made is not one to go back to. */
function withoutCheckpoint(turn: Turn, { checkpoint }: Extract<Action, { kind: 'checkpoint' }>): Turn {
  const { seen, kept } = turn.state
  const checkpoints = seen.guard.checkpoints.filter(({ name }) => name !== checkpoint)
  return updated(turn, {
    kept: checkpoint === keptCheckpoint ? null : kept,
    seen: { ...seen, guard: { ...seen.guard, checkpoints } },
  })
}
