// A turn: what one observation makes of the state, step by step. Each transition takes a turn and returns a
// new one; decisions and readings gather in it in order. Here are the moves that all transitions share.

import type {
  Action,
  Decision,
  DecisionKind,
  DecisionStatus,
  DecisionTest,
  Evidence,
  Observation,
  Phase,
  SignalReading,
} from '../../protocol/vocabulary.ts'
import { isSteering } from '../options.ts'
import { cadenceOf } from '../plan/cadence.ts'
import { planParts } from '../plan/planOf.ts'
import { nextPlan } from '../plan/segments.ts'
import { formatStep } from '../record/sentences.ts'
import { counterfactualsOf } from '../rivals/counterfactuals.ts'
import type { TunerState } from '../state.ts'
import { waitingOf } from './large/waiting.ts'

export type Turn = {
  readonly observation: Observation
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly readings: readonly SignalReading[]
}

/** Outstanding actions never exceed this: a race asks for three per arm, guards and commands for a few more. */
export const actionsMax = 64

/** Phases kept in the run's history; beyond it the oldest ones merge into the first. */
const phaseSpansMax = 64

export function updated(turn: Turn, change: Partial<TunerState>): Turn {
  return { ...turn, state: { ...turn.state, ...change } }
}

export function charted(turn: Turn, readings: readonly SignalReading[]): Turn {
  return readings.length === 0 ? turn : { ...turn, readings: [...turn.readings, ...readings] }
}

/** The plan made anew from the state; its version grows only if it asks for something else. */
export function replanned(turn: Turn): Turn {
  return updated(turn, { plan: nextPlan(turn.state.plan, planParts(turn.state)) })
}

/** The same course, measured as often as the state now asks for. */
export function recadenced(turn: Turn): Turn {
  const { plan } = turn.state
  const { segments, tripwire = null, awaitAtStep = null } = plan
  return updated(turn, {
    plan: nextPlan(plan, { segments, tripwire, awaitAtStep, cadence: cadenceOf(turn.state) }),
  })
}

/** Another phase from the present step on. */
export function inPhase(turn: Turn, phase: Phase, fromStep = turn.state.step): Turn {
  if (phase === turn.state.phase) return turn
  const last = turn.state.phases.at(-1)
  const before = turn.state.phases.slice(0, -1)
  // A phase that no step was taken in leaves no trace.
  const ended = last === undefined || last.fromStep >= fromStep ? [] : [{ ...last, toStep: fromStep }]
  const phases = [...before, ...ended, { phase, fromStep, toStep: null }].slice(-phaseSpansMax)
  return updated(turn, { phase, phases })
}

/** An action without the id that the state gives it. */
export type ActionRequest = Action extends infer A ? (A extends Action ? Omit<A, 'id'> : never) : never

/** Adds actions after those outstanding, in the order in which the job is to do them. */
export function asked(turn: Turn, requests: readonly ActionRequest[]): Turn {
  const { actions, actionCount } = turn.state
  const added = requests.map((request, i) => ({ ...request, id: `a-${actionCount + i + 1}` }) as Action)
  return updated(turn, {
    actions: [...actions, ...added].slice(-actionsMax),
    actionCount: actionCount + added.length,
  })
}

/** What a change of course makes pointless: all but a person's word, and what frees the job's memory. */
const isOfTheCourse = ({ kind }: Action): boolean => kind !== 'pause' && kind !== 'resume' && kind !== 'drop'

/** Takes back outstanding actions that a change of course has made pointless. */
export function withdrawn(turn: Turn, isPointless: (action: Action) => boolean = isOfTheCourse): Turn {
  return updated(turn, { actions: turn.state.actions.filter((action) => !isPointless(action)) })
}

/** Asks for a checkpoint; one under the same name that was not made yet is not wanted any more. */
export function askedCheckpoint(
  turn: Turn,
  request: Omit<Extract<ActionRequest, { kind: 'checkpoint' }>, 'kind'>,
): Turn {
  const free = withdrawn(
    turn,
    (action) => action.kind === 'checkpoint' && action.checkpoint === request.checkpoint,
  )
  return asked(free, [{ kind: 'checkpoint', ...request }])
}

type DecisionDraft = {
  readonly kind: DecisionKind
  readonly summary: string
  readonly phaseBefore: Phase
  readonly rule: { readonly id: string; readonly version: number }
  readonly test?: DecisionTest
  readonly evidence?: readonly Evidence[]
  readonly whyNotYet?: string
  /** Where it is not `applied` (`advisory` where nothing is steered). */
  readonly status?: DecisionStatus
  /** The proposal that it answers. */
  readonly answers?: number
}

/** Kinds that leave nothing of what was proposed before. */
const changesOfCourse: readonly DecisionKind[] = [
  'raise',
  'lower',
  'switch',
  'undo',
  'guard',
  'override',
  'finish',
]

/** Records a decision; the plan and phase are those of the turn, so the state is changed first. */
export function decided(turn: Turn, draft: DecisionDraft): Turn {
  const isOther = draft.answers === undefined && changesOfCourse.includes(draft.kind)
  return recorded(isOther ? proposalEnded(turn, 'superseded', 'something else was decided') : turn, draft)
}

const approvalRule = { id: 'approval', version: 1 } as const

/** Ends the proposal that waits, if one does, with what waiting took. */
export function proposalEnded(turn: Turn, status: 'rejected' | 'expired' | 'superseded', why: string): Turn {
  const { approval, phase } = turn.state
  if (approval.pending === null) return turn
  const { number } = approval.pending
  const waiting = waitingOf(turn.state, approval.pending)
  return recorded(withoutProposal(turn), {
    kind: 'switch',
    summary: `Decision ${formatStep(number)} is ${status}: ${why}. ${waiting.words}`,
    phaseBefore: phase,
    rule: approvalRule,
    status,
    answers: number,
    evidence: waiting.evidence,
  })
}

/** Nothing waits for a person any more. */
export function withoutProposal(turn: Turn): Turn {
  const { approval, lifecycle } = turn.state
  return updated(turn, {
    approval: { ...approval, pending: null },
    lifecycle: lifecycle === 'waiting' ? 'running' : lifecycle,
  })
}

function recorded(turn: Turn, draft: DecisionDraft): Turn {
  const { state, observation } = turn
  const { kind, summary, phaseBefore, rule, test, evidence, whyNotYet, answers } = draft
  const isAdvice = !isSteering(state.mode) && kind !== 'override' && kind !== 'hand-back' && kind !== 'start'
  const decision: Decision = {
    number: state.decisionCount + 1,
    runId: state.runId,
    step: state.step,
    kind,
    summary,
    phase: { from: phaseBefore, to: state.phase },
    regime: state.regime,
    plan: state.plan,
    reason: { key: 'unknown', values: {} },
    ...(test === undefined ? {} : { test }),
    evidence: evidence ?? [],
    ...(whyNotYet === undefined ? {} : { whyNotYet }),
    ...(state.outlook?.earliestStep == null ? {} : { earliestStep: state.outlook.earliestStep }),
    alternatives: state.phase === 'done' ? [] : (state.outlook?.alternatives ?? []),
    counterfactuals: counterfactualsOf(state),
    rule,
    mode: state.mode,
    status: draft.status ?? (isAdvice ? 'advisory' : 'applied'),
    ...(answers === undefined ? {} : { answers }),
    cause: observation.number,
    madeAt: observation.receivedAt,
  }
  return {
    ...turn,
    state: { ...state, decisionCount: decision.number },
    decisions: [...turn.decisions, decision],
  }
}
