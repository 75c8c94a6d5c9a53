// What the server knows of the tuner: it folds observations into a state that the server stores and shows but
// never interprets, besides the fields named here. Tests inject a small one; realTuner.ts is the real one.

import type {
  Action,
  Decision,
  Observation,
  Plan,
  RunSummary,
  SignalReading,
} from '../../protocol/vocabulary.ts'
import type { RunRecord } from '../storage/storage.ts'

export type FoldState = {
  readonly plan: Plan
  readonly actions: readonly Action[]
  readonly lifecycle: RunRecord['lifecycle']
}

/** The part of a summary that follows from the tuner's state. */
export type StateSummary = Omit<
  RunSummary,
  'id' | 'state' | 'decisionCount' | 'createdAt' | 'lastSeenAt' | 'stepsPerSecond' | 'heldOut'
>

export type Tuner = {
  /** Changes whenever the same log may give other decisions. */
  readonly version: string
  initialState(): FoldState
  tune(
    state: FoldState,
    observation: Observation,
  ): {
    readonly state: FoldState
    readonly decisions: readonly Decision[]
    readonly readings: readonly SignalReading[]
  }
  summaryOf(state: FoldState): StateSummary
}
