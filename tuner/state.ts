// The tuner's whole memory of a run: plain JSON of bounded size, so it can be stored, shown, compared and resumed.
// Everything in it follows from the log of observations. What the run is in the middle of is its `course`, a union: a
// race that anneals, or an anneal without a first step, cannot be written. `tunerVersion` changes whenever the same log
// may give other decisions; testing/golden holds it to that.

import type {
  Action,
  Alternative,
  Branch,
  Decision,
  Mode,
  Phase,
  PhaseSpan,
  Plan,
  RegimeName,
  RegimeReading,
  RunOptions,
  SignalReading,
} from '../protocol/vocabulary.ts'
import type { Forecast } from './estimators/finalLoss.ts'
import type { DriftState, IssuedPlan } from './guard/drift.ts'
import type { GuardState } from './guard/watch.ts'
import type { RaceState } from './phases/search/race.ts'
import type { RivalsState } from './rivals/counterfactuals.ts'
import type { SignalsState } from './signals/signals.ts'

export const tunerVersion = 18

export type Lifecycle = 'running' | 'paused' | 'waiting' | 'diverged' | 'finished'

/** The rate climbs linearly from `fromRate` to that of the course over [fromStep, toStep). */
export type Ramp = { readonly fromStep: number; readonly toStep: number; readonly fromRate: number }

/** Rates race for the large one. */
export type Search = { readonly kind: 'search'; readonly race: RaceState }

/** The large step, held until something ends it. */
export type Large = {
  readonly kind: 'large'
  readonly fromStep: number
  /** Null: the job's own, as nothing is steered. */
  readonly rate: number | null
  readonly ramp: Ramp | null
  /** What the last evaluations of the switch rule said, newest last, at most three. */
  readonly verdicts: readonly boolean[]
  /** Whether it held with both sides known well, at the same probes, and at how many probes in a row they have been. */
  readonly sureVerdicts: readonly boolean[]
  readonly knownProbes: number
  readonly evaluatedAtStep: number
  /** The signs that a longer anneal would memorise, at the last probes, newest last, at most three. */
  readonly memorised: readonly boolean[]
  readonly outlook: Outlook | null
  /** Without a budget, at the last evaluation; null = too little to tell by. */
  readonly diminishing: Diminishing | null
  /** Here a switch was undone: only the rule or the deadline switches again, neither the fallback plan nor one of before. */
  readonly undoneAtStep: number | null
  /** Where nothing is steered: the switch is advised since this step. */
  readonly advisedAtStep: number | null
  /** It was said that probes are too dear to decide by. */
  readonly isDearSaid: boolean
}

/** Whether a run without a budget is worth going on with. */
export type Diminishing = {
  /** What as many steps again would take off; positive where the loss falls. */
  readonly gain: { readonly value: number; readonly standardError: number }
  /** What they must, to be worth it. */
  readonly worth: number
  readonly isEnough: boolean
}

export type AnnealReason =
  | 'rule'
  | 'tolerance'
  | 'deadline'
  | 'fallback'
  | 'overfitting'
  | 'memorising'
  | 'command'
  | 'guard'

/** The rate falls to 0. */
export type Anneal = {
  readonly kind: 'anneal'
  readonly fromStep: number
  readonly toStep: number
  readonly fromRate: number
  readonly reason: AnnealReason
  /** First step of the large phase before it. */
  readonly largeFromStep: number
  /** Run length in large steps at the switch. */
  readonly fromRunLength: number
  /** b at the switch: what each e-fold of the anneal's length gains; null = not measured. */
  readonly scale: number | null
  /** The final loss that was forecast at the switch; null = none was. */
  readonly promised: Forecast | null
  /** The rest of the anneal once its end has moved: from this step and rate to 0 at `toStep`. */
  readonly rest: { readonly fromStep: number; readonly fromRate: number } | null
  /** The end has moved forward, because more steps would memorise. */
  readonly isCutShort: boolean
  /** After a guard: the planned rate is reached again over this ramp. */
  readonly ramp: Ramp | null
  /** Held-out losses of averaged weights, for the sign of a rise. */
  readonly losses: readonly number[]
  readonly bestLevel: number | null
  /** The job cannot make the last probe, or will not: the end does not wait for it. */
  readonly isUnprobed: boolean
  /** The kept weights are being scored against the last ones. */
  readonly isComparing: boolean
}

/** The run has ended. */
export type Done = {
  readonly kind: 'done'
  readonly end: 'finished' | 'diverged'
  readonly switchStep: number | null
  readonly largeRate: number | null
  /** Held-out loss of the weights that are kept; null = not measured. */
  readonly keptLoss: number | null
  /** The final loss that was forecast when its anneal began, and the one that it reached on the same examples; null = none. */
  readonly promised: Forecast | null
  readonly reached: number | null
}

export type Course = Search | Large | Anneal | Done

/** What the last evaluation of the switch rule looked ahead to. */
export type Outlook = {
  readonly stayingGain: number | null
  readonly annealingGain: number | null
  readonly earliestStep: number | null
  readonly probability: number | null
  readonly alternatives: readonly Alternative[]
}

/** A person's rate, in force until `untilStep`. */
export type Override = { readonly learningRate: number; readonly untilStep: number; readonly reason: string }

/** A decision that waits for a person: what is done once it is approved. */
export type Proposal = {
  /** The number of the decision. */
  readonly number: number
  readonly step: number
  readonly expiresAtStep: number
  readonly reason: AnnealReason
}

/** What a person has said. */
export type PersonState = {
  readonly override: Override | null
  readonly proposal: Proposal | null
  /** Nobody is asked again before this step. */
  readonly askedFromStep: number
  readonly isPaused: boolean
}

/** A copy that is annealed beside the run, by the action that asks for it. */
export type BranchRun = Branch & { readonly actionId: string }

/** Whose restore it is: it says what follows where the job cannot do it. */
export type RestoreCause = 'arm' | 'start' | 'guard' | 'kept'

/** Which weights the run is at. */
export type Trajectory = {
  /** Samples and probes of steps below this belong to weights that were undone, and are not folded into signals. */
  readonly validFromStep: number
  /** A restore that was asked for: until it is acknowledged, what is reported belongs to the weights that it undoes. */
  readonly awaited: {
    readonly actionId: string
    readonly cause: RestoreCause
    readonly sinceStep: number
    /** Run length in large steps of the weights that it brings back; null = that of now. */
    readonly runLength: number | null
  } | null
}

/** Averaged weights kept on the job's side at their lowest held-out level. */
export type KeptWeights = { readonly step: number; readonly loss: number }

/** What a sample moves by itself. Between decisions it changes these fields and no other. */
export type Seen = {
  /** The step that the run's own counter began at; null = nothing was reported yet. */
  readonly origin: number | null
  /** The second report has told whether the first one was of the first step. */
  readonly isOriginSure: boolean
  /** The job has asked for the run again: the next step may be an earlier one. */
  readonly isResumed: boolean
  /** Number of the next step: one more than the highest that is believed. */
  readonly step: number
  /** Distance of the last two reported steps. */
  readonly strideSteps: number
  /** A step far ahead of the rest, and how many have gone on from it. */
  readonly ahead: { readonly step: number; readonly count: number } | null
  readonly learningRate: number | null
  readonly momentum: number | null
  /** What the loss measures, as the job names it. */
  readonly objective: string | null
  /** S: run length in large-step equivalents, Σ η/η_large over the surviving trajectory. */
  readonly runLength: number
  readonly signals: SignalsState
  readonly guard: GuardState
  readonly drift: DriftState
  readonly rivals: RivalsState | null
}

export type TunerState = {
  readonly tunerVersion: number
  readonly runId: string
  readonly options: RunOptions
  readonly mode: Mode
  readonly budgetSteps: number | null
  readonly lifecycle: Lifecycle
  readonly seen: Seen
  readonly course: Course
  readonly trajectory: Trajectory
  readonly person: PersonState
  readonly kept: KeptWeights | null
  readonly regime: RegimeReading
  /** The last name but `unknown` that the regime had; `unknown` = none yet. */
  readonly regimeKnown: RegimeName
  readonly phases: readonly PhaseSpan[]
  /** The plan in force: what a client is told to follow. */
  readonly plan: Plan
  /** The last plans that were issued, oldest first, and the one that the job says it follows (null = it does not say). */
  readonly issued: readonly IssuedPlan[]
  readonly followed: IssuedPlan | null
  /** Outstanding actions: the whole list; a client forgets those that are no longer in it. */
  readonly actions: readonly Action[]
  readonly actionCount: number
  /** Beside the run: oldest first, bounded, at most one of them `asked`; and how many were asked for. */
  readonly branches: readonly BranchRun[]
  readonly branchCount: number
  readonly decisionCount: number
}

export type TuneResult = {
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly readings: readonly SignalReading[]
}

/** The word on the wire for what the tuner is doing. */
export const phaseOf = ({ kind }: Course): Phase => (kind === 'search' ? 'warmup' : kind)

/** The rate of the large step; null while it is looked for, or where the job has its own. */
export function largeRateOf(course: Course): number | null {
  if (course.kind === 'large') return course.rate
  if (course.kind === 'anneal') return course.fromRate
  return course.kind === 'done' ? course.largeRate : null
}

/** The step of the switch that the run was steered into; null = it was not. */
export function switchStepOf(course: Course): number | null {
  if (course.kind === 'anneal') return course.fromStep
  return course.kind === 'done' ? course.switchStep : null
}
