// The tuner that a real server folds with.

import { initialState, summaryOf, type TunerState, tune, tunerVersion } from '../../tuner/index.ts'
import type { Tuner } from './tuner.ts'

export const realTuner: Tuner = {
  version: String(tunerVersion),
  initialState,
  // A stored state of another version never gets here: it is refolded from the log.
  tune: (state, observation) => tune(state as TunerState, observation),
  summaryOf: (state) => summaryOf(state as TunerState),
}
