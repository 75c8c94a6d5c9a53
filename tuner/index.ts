// The tuner's public face. `tune` is the whole decision engine: pure, and the same for server, trainer, bench and tests.
export { initialState } from './fold/start.ts'
export { usualRate } from './options.ts'
export { holdShare } from './plan/bounds.ts'
export { headline } from './record/headline.ts'
export { summaryOf, type TunerSummary } from './record/summary.ts'
export { type Lifecycle, type TuneResult, type TunerState, tunerVersion } from './state.ts'
export { tune } from './tune.ts'
