// Settle: what a phase, the guard or a person has answered becomes the run, in one place and one order: what waits for a
// person ends where something else was decided; the course and what it changes; the actions that this makes pointless and
// those it asks for; the plan; the records. Nothing else changes a course, plans or records.

import type { Action, Decision, DecisionKind, Observation, SignalReading } from '../protocol/vocabulary.ts'
import { valleyProbesNeeded } from './estimators/valleySlope.ts'
import { isSteering } from './options.ts'
import { endOfProposal } from './person/approval.ts'
import { branchLeft } from './person/branch.ts'
import { annealedFromLoss } from './phases/forecasts.ts'
import type { ActionRequest, Beside, Draft, Outcome } from './phases/phase.ts'
import { awaitAtStepOf, segmentsOf } from './phases/phases.ts'
import { endOf, originOf } from './plan/bounds.ts'
import { planned } from './plan/planOf.ts'
import { recordOf } from './record/decision.ts'
import { counterfactualsOf } from './rivals/counterfactuals.ts'
import { type Lifecycle, phaseOf, type TunerState } from './state.ts'

export type Turn = {
  readonly observation: Observation
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly readings: readonly SignalReading[]
}

/** Outstanding actions never exceed this: guards, races and commands ask for a few at a time. */
export const actionsMax = 64
/** Phases kept in the run's history; beyond it the oldest are forgotten. */
const phaseSpansMax = 64

export const updated = (turn: Turn, change: Partial<TunerState>): Turn => ({
  ...turn,
  state: { ...turn.state, ...change },
})

export const charted = (turn: Turn, readings: readonly SignalReading[]): Turn =>
  readings.length === 0 ? turn : { ...turn, readings: [...turn.readings, ...readings] }

export function settle(turn: Turn, outcome: Outcome): Turn {
  const before = turn.state
  const changed: TunerState = { ...before, ...outcome.change, course: outcome.course }
  const ending = proposalEnd(before, changed, outcome)
  const open = ending === null ? changed : { ...changed, person: { ...changed.person, proposal: null } }
  const asked = withActions(open, outcome)
  const moved = { ...asked, phases: phasesOf(before, asked, outcome.sinceStep) }
  const run = { ...moved, ...planOf(before, moved), lifecycle: lifecycleOf(moved) }
  const drafts = [...(ending === null ? [] : [ending]), ...(outcome.records ?? [])]
  const recorded = drafts.reduce((next, draft) => recordedOne(next, before, draft), { ...turn, state: run })
  const told = charted(proposing(recorded, outcome), outcome.charts ?? [])
  return run.course.kind === 'done' ? beside(told, branchLeft(told.state, 'branch-left')) : told
}

/** What is made of a run beside it: records, and what the job is asked, while course, plan and clock stand still. */
export function beside(turn: Turn, outcome: Beside | null): Turn {
  if (outcome === null) return turn
  const { records, ...change } = outcome
  const before = turn.state
  const state = { ...before, ...change }
  return records.reduce((next, draft) => recordedOne(next, before, draft), { ...turn, state })
}

/** The plan of what has become; after the end nothing is planned any more. */
function planOf(before: TunerState, run: TunerState): Pick<TunerState, 'plan' | 'issued'> {
  if (before.course.kind === 'done') return { plan: before.plan, issued: before.issued }
  return planned(run, { segments: segmentsOf(run), awaitAtStep: awaitAtStepOf(run) })
}

/** The same course, told anew: measured as often as it now asks for, within the limits that now hold. */
export const replanned = (turn: Turn): Turn => settle(turn, { course: turn.state.course })

/** Kinds that leave what was proposed before as it is; all others leave nothing of it. */
const kindsBeside: readonly DecisionKind[] = ['start', 'hold', 'hand-back', 'drift', 'transition', 'branch']

/** How what waited for a person ends by this outcome; null = it waits on, or nothing did. */
function proposalEnd(before: TunerState, after: TunerState, outcome: Outcome): Draft | null {
  const { proposal } = before.person
  if (proposal === null || after.person.proposal === null) return null
  const records = outcome.records ?? []
  const isOvertaken =
    records.some(({ kind, answers }) => answers === undefined && !kindsBeside.includes(kind)) ||
    before.budgetSteps !== after.budgetSteps ||
    before.mode !== after.mode
  if (isOvertaken) return endOfProposal(after, proposal, 'overtaken')
  // A proposal for want of evidence stands as long as that is wanting.
  const stands = proposal.reason === 'fallback' && after.seen.signals.valley.count < valleyProbesNeeded
  return outcome.endsQuestion === true && !stands ? endOfProposal(after, proposal, 'unasked') : null
}

function withActions(run: TunerState, { withdraw, restore, ask = [] }: Outcome): TunerState {
  const kept = withdraw === undefined ? run.actions : run.actions.filter((action) => !withdraw(action))
  const requests: ActionRequest[] = [...ask]
  if (restore !== undefined) {
    const { atStep, checkpoint, rewindData, skipBatches } = restore
    requests.unshift({ kind: 'restore', atStep, checkpoint, rewindData, skipBatches })
  }
  const replaced = kept.filter((action) => !requests.some((request) => isSameCheckpoint(action, request)))
  const added = requests.map((request, i) => ({ ...request, id: `a-${run.actionCount + i + 1}` }) as Action)
  const actions = [...replaced, ...added].slice(-actionsMax)
  const next = { ...run, actions, actionCount: run.actionCount + added.length }
  if (restore === undefined) return next
  const { cause, runLength } = restore
  const awaited = { actionId: added[0]!.id, cause, sinceStep: run.seen.step, runLength }
  return { ...next, trajectory: { ...run.trajectory, awaited } }
}

/** A checkpoint under the same name that was not made yet is not wanted any more. */
const isSameCheckpoint = (action: Action, request: ActionRequest): boolean =>
  action.kind === 'checkpoint' && request.kind === 'checkpoint' && action.checkpoint === request.checkpoint

/** The history of phases, where another one begins. */
function phasesOf(before: TunerState, after: TunerState, sinceStep = after.seen.step): TunerState['phases'] {
  const phase = phaseOf(after.course)
  if (phase === phaseOf(before.course)) return after.phases
  const last = after.phases.at(-1)
  const fromStep = Math.max(sinceStep, last?.fromStep ?? 0)
  // A phase that no step was taken in leaves no trace.
  const ended = last === undefined || last.fromStep >= fromStep ? [] : [{ ...last, toStep: fromStep }]
  const phases = [...after.phases.slice(0, -1), ...ended, { phase, fromStep, toStep: null }]
  return merged(phases).slice(-phaseSpansMax)
}

/** Two stretches of one phase without a step between them are one. */
const merged = (phases: TunerState['phases']): TunerState['phases'] => {
  const [a, b] = phases.slice(-2)
  if (a === undefined || b === undefined || a.phase !== b.phase) return phases
  return [...phases.slice(0, -2), { ...b, fromStep: a.fromStep }]
}

function lifecycleOf({ course, person }: TunerState): Lifecycle {
  if (course.kind === 'done') return course.end
  if (person.isPaused) return 'paused'
  return person.proposal === null ? 'running' : 'waiting'
}

function recordedOne(turn: Turn, before: TunerState, draft: Draft): Turn {
  const { state, observation } = turn
  const counterfactuals = counterfactualsOf({
    rivals: state.seen.rivals,
    options: state.options,
    origin: originOf(state),
    end: endOf(state),
    step: state.seen.step,
    // In the anneal the loss of averaged weights says nothing of a large step any more.
    annealedLoss: (fromStep) => (before.course.kind === 'large' ? annealedFromLoss(state, fromStep) : null),
  })
  const isAdvice =
    !isSteering(state.mode) && !['override', 'hand-back', 'start', 'drift', 'transition'].includes(draft.kind)
  const decision = recordOf(draft, {
    run: state,
    phaseBefore: phaseOf((draft.kind === 'start' ? state : before).course),
    observation,
    counterfactuals,
    status: draft.status ?? (isAdvice && draft.rule !== 'person' ? 'advisory' : 'applied'),
  })
  const decisions = [...turn.decisions, decision]
  return { ...turn, state: { ...state, decisionCount: decision.number }, decisions }
}

/** The last record waits for a person. */
function proposing(turn: Turn, { proposes }: Outcome): Turn {
  if (proposes === undefined) return turn
  const { state } = turn
  const proposal = { ...proposes, number: state.decisionCount, step: state.seen.step }
  const next = { ...state, person: { ...state.person, proposal } }
  return { ...turn, state: { ...next, lifecycle: lifecycleOf(next) } }
}
