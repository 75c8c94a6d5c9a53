// What a phase is: one interface for all of them, and the value with which it answers. A phase looks at the run and says
// what becomes of it; it changes, plans and records nothing itself (settle.ts does, in one place), so phases never import
// each other: a course of another kind is a transition.

import type {
  Acknowledgement,
  Action,
  DecisionKind,
  DecisionStatus,
  DecisionTest,
  Evidence,
  RegimeName,
  Segment,
  SignalReading,
  ValleyProbe,
} from '../../protocol/vocabulary.ts'
import type { Forecast } from '../estimators/finalLoss.ts'
import type { SignalsReading } from '../signals/signals.ts'
import type { AnnealReason, Course, Outlook, RestoreCause, TunerState } from '../state.ts'

export type Run = TunerState

/** An action without the id that the state gives it. */
export type ActionRequest = Action extends infer A ? (A extends Action ? Omit<A, 'id'> : never) : never

/** A restore, with whose it is and the run length that it brings back (null = that of now). */
export type RestoreRequest = {
  readonly atStep: number
  readonly checkpoint: string
  readonly cause: RestoreCause
  readonly rewindData: boolean
  readonly skipBatches: number
  readonly runLength: number | null
}

/** A record in the making: keys and numbers. What is absent is taken from the run as it is after the change. */
export type Draft = {
  readonly kind: DecisionKind
  readonly rule: RuleId
  readonly reason: string
  readonly values?: Readonly<Record<string, number | null>>
  /** Words of a person or of the job, as they are. */
  readonly text?: string | undefined
  readonly test?: DecisionTest | undefined
  readonly evidence?: readonly Evidence[]
  /** It says why it is not yet time; so its reason is also `whyNotYet`. */
  readonly isHold?: boolean
  readonly outlook?: Outlook | null
  readonly status?: DecisionStatus
  /** The proposal that it answers. */
  readonly answers?: number
  readonly person?: { readonly by: string; readonly reason: string } | undefined
  readonly promised?: Forecast | null
  readonly reached?: number | null
  /** Of a transition: the known regimes before and after. */
  readonly transition?: { readonly from: RegimeName; readonly to: RegimeName }
}

/** Rules by id, with the version of what they say. */
export const ruleVersions = {
  race: 3,
  'marginal-cost': 2,
  'diminishing-returns': 1,
  memorising: 2,
  rise: 2,
  comparison: 2,
  finish: 2,
  'divergence-guard': 2,
  drift: 1,
  regime: 2,
  approval: 2,
  person: 2,
} as const
export type RuleId = keyof typeof ruleVersions

/** What a phase, the guard or a person makes of the run. */
export type Outcome = {
  readonly course: Course
  readonly change?: Partial<
    Pick<
      Run,
      'seen' | 'trajectory' | 'person' | 'kept' | 'budgetSteps' | 'mode' | 'followed' | 'issued' | 'phases'
    >
  >
  /** Outstanding actions that it makes pointless. */
  readonly withdraw?: (action: Action) => boolean
  readonly restore?: RestoreRequest
  readonly ask?: readonly ActionRequest[]
  readonly records?: readonly Draft[]
  /** The decision proposed in `records` waits for a person until this step. */
  readonly proposes?: { readonly expiresAtStep: number; readonly reason: AnnealReason }
  /** The evidence no longer asks for what a person was asked. */
  readonly endsQuestion?: boolean
  readonly charts?: readonly SignalReading[]
  /** The step at which the phase began, where the job was there before us. */
  readonly sinceStep?: number
}

/** What is made of a run beside it, and moves neither its course nor its plan. */
export type Beside = Partial<Pick<Run, 'actions' | 'branches' | 'branchCount'>> & {
  readonly records: readonly Draft[]
}

export type Phase<C extends Course> = {
  /** The next step at which a sample alone may change something; a smaller number costs time and no more. */
  wakeAt(run: Run, course: C): number
  /** At that step, after the sample is folded; null = nothing. */
  sampled(run: Run, course: C): Outcome | null
  /** A valley probe, folded into the signals; `reading`: what they say with it. */
  probed(run: Run, course: C, probe: ValleyProbe, reading: SignalsReading): Outcome
  /** What the job says of an action of this phase. `isDone`: a restore, done or not; null = nothing follows. */
  answered(run: Run, course: C, action: Action, acknowledgement: Acknowledgement): Outcome | null
  /** The rate ahead, from the present step on. */
  segments(run: Run, course: C): readonly Segment[]
  /** Where a client that can afford it waits for the answer; null = nowhere. */
  awaitAtStep(run: Run, course: C): number | null
}

/** What a change of course makes pointless: all but a person's word, and what frees the job's memory. */
export const isOfTheCourse = ({ kind }: Action): boolean =>
  kind !== 'pause' && kind !== 'resume' && kind !== 'drop' && kind !== 'branch'
