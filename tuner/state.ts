// The tuner's whole memory of a run: plain JSON of bounded size, so it can be stored, shown, compared and
// resumed. Everything in it follows from the log of observations; `tunerVersion` changes whenever an old state
// can no longer be continued, and the server then folds the log again.

import type {
  Action,
  Alternative,
  Decision,
  Mode,
  Phase,
  PhaseSpan,
  Plan,
  RegimeReading,
  RunOptions,
  SignalReading,
} from '../protocol/vocabulary.ts'
import type { DivergenceState } from './guard/divergence.ts'
import type { AnnealWatch, KeptCheckpoint, KeptWeights } from './phases/anneal/annealWatch.ts'
import type { SequentialTestState } from './phases/large/sequentialTest.ts'
import type { RaceState } from './phases/search/race.ts'
import type { RangeTestState } from './phases/search/rangeTest.ts'
import type { RivalsState } from './rivals/counterfactuals.ts'
import type { SignalsState } from './signals/signals.ts'

export const tunerVersion = 5

export type Lifecycle = 'running' | 'paused' | 'waiting' | 'diverged' | 'finished'

/** A person's rate, in force until `untilStep`. */
export type Override = { readonly learningRate: number; readonly untilStep: number; readonly reason: string }

/** How the warm-up is being done; null once the large rate is chosen. */
export type WarmupState =
  | { readonly kind: 'range'; readonly range: RangeTestState }
  | { readonly kind: 'race'; readonly race: RaceState }
  | { readonly kind: 'ramp'; readonly untilStep: number }

/** The anneal under way. */
export type AnnealState = {
  readonly fromStep: number
  readonly toStep: number
  readonly fromRate: number
  readonly reason:
    | 'rule'
    | 'tolerance'
    | 'deadline'
    | 'fallback'
    | 'overfitting'
    | 'memorising'
    | 'command'
    | 'guard'
  /** What the whole anneal was to take off the loss, G and D together; null = none was measured. */
  readonly expectedGain: number | null
  /** b at the switch: what each e-fold of the anneal's length gains; null = not measured. */
  readonly scale: number | null
  /** Run length in large steps at the switch. */
  readonly fromLargeSteps: number
  /** The weights of the switch were asked to be kept. */
  readonly isCheckpointed: boolean
  /** How often it was asked whether the switch was a mistake. */
  readonly undoChecks: number
  /** The rest of the anneal once its end has moved: from this step and rate to 0 at `toStep`. Early: cut short. */
  readonly rest: { readonly fromStep: number; readonly fromRate: number; readonly isEarly: boolean } | null
  readonly watch: AnnealWatch
  /** Kept weights look better than the last ones: which, while both are scored on more examples; null = not asked. */
  readonly compared: KeptCheckpoint | null
}

/** A decision that waits for a person: what is done once it is approved. */
export type Proposal = {
  /** The number of the decision. */
  readonly number: number
  readonly step: number
  readonly expiresAtStep: number
  readonly reason: AnnealState['reason']
  readonly detail: string
}

/** What the last evaluations of the switch rule said, newest last, at most three. */
type RuleMemory = { readonly satisfied: readonly boolean[]; readonly evaluatedAtStep: number }

export type TunerState = {
  readonly tunerVersion: number
  readonly runId: string
  readonly options: RunOptions
  readonly mode: Mode
  readonly budgetSteps: number | null
  readonly lifecycle: Lifecycle
  readonly phase: Phase
  readonly phases: readonly PhaseSpan[]
  /** Number of the next step: one more than the highest reported. */
  readonly step: number
  /** The plan in force: what a client follows. */
  readonly plan: Plan
  /** Outstanding actions: the whole list; a client forgets those that are no longer in it. */
  readonly actions: readonly Action[]
  readonly actionCount: number
  readonly decisionCount: number
  /** The rate of the large-step phase; null while it is looked for. */
  readonly largeLearningRate: number | null
  readonly switchStep: number | null
  /** The switch was undone, which evidence does once: without evidence the large step then stays until the switch is forced. */
  readonly isUndone: boolean
  /** The averaged weights that are kept at their lowest held-out level, of the large phase and of the anneal. */
  readonly lowest: KeptWeights | null
  /** Samples and probes of steps below this belong to weights that were undone, and are not folded into signals. */
  readonly validFromStep: number
  /** The restore that a guard has asked for: until it is acknowledged, samples belong to the diverged weights. */
  readonly awaitedRestore: string | null
  /** Run length in large steps of the weights that it brings back; null = that of now. */
  readonly awaitedLargeSteps: number | null
  readonly warmup: WarmupState | null
  readonly anneal: AnnealState | null
  readonly override: Override | null
  /** Approve mode: what waits, and the step before which nobody is asked again. */
  readonly approval: { readonly pending: Proposal | null; readonly notBeforeStep: number }
  /** After a guard: the rate climbs back over these steps. */
  readonly rewarm: { readonly fromStep: number; readonly toStep: number; readonly fromRate: number } | null
  readonly rule: RuleMemory
  /** The test that decides without a budget. */
  readonly sequential: SequentialTestState
  /** Run length in large-step equivalents: Σ η/η_large over the surviving trajectory. */
  readonly largeSteps: number
  readonly signals: SignalsState
  readonly divergence: DivergenceState
  readonly regime: RegimeReading
  readonly learningRate: number | null
  readonly momentum: number | null
  /** Where forecasts stand, for the headline: the last evaluated test's two sides and the earliest step. */
  readonly outlook: Outlook | null
  /** Held-out loss of the weights that the finish keeps; null = not measured. */
  readonly keptLoss: number | null
  /** A standing remark for the headline, such as why there is no measured large rate. */
  readonly remark: string | null
  /** Other rules on the same observations, for the counterfactuals; null before the large phase. */
  readonly rivals: RivalsState | null
}

export type Outlook = {
  readonly stayingGain: number | null
  readonly annealingGain: number | null
  readonly earliestStep: number | null
  readonly probeCount: number
  readonly probesNeeded: number
  readonly probability: number | null
  readonly alternatives: readonly Alternative[]
}

export type TuneResult = {
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly readings: readonly SignalReading[]
}
