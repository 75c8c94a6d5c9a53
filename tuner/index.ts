// The tuner's public face. `tune` is the whole decision engine: pure, and the same for server, trainer, bench and tests.
export { headline } from './headline.ts'
export { formatNumber, formatPercent, formatRate, formatStep } from './sentences.ts'
export { initialState } from './start.ts'
export { type Lifecycle, type TuneResult, type TunerState, tunerVersion } from './state.ts'
export { summaryOf, type TunerSummary } from './summary.ts'
export { tune } from './tune.ts'
