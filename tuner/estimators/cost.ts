// What measuring costs: the shares of the run's time that signals and probes take. A step's seconds include its
// signals' seconds; a probe's seconds lie outside the steps. So the run's time is Σ step + Σ probe, and
//   signalShare = Σ signal / time,   probeShare = Σ probe / time,   both in [0, 1].
// A share of which nothing was reported is null, not 0. Cost: O(1) per sample.
// Negative and non-finite seconds are left out, as are signal seconds above the step's own.

import type { Column, Estimator, Rows } from './estimator.ts'

/** Seconds of wall time, of a step or of a probe; null, or absent = not reported. */
type Sample = {
  readonly stepSeconds?: number | null
  readonly signalSeconds?: number | null
  readonly probeSeconds?: number | null
}
/** Sums of seconds; null = never reported. `steps`: how many steps told theirs. */
export type CostState = {
  readonly steps: number
  readonly step: number
  readonly signal: number | null
  readonly probe: number | null
}

export const cost = {
  init: (): CostState => ({ steps: 0, step: 0, signal: null, probe: null }),
  update(state: CostState, sample: Sample): CostState {
    const stepSeconds = seconds(sample.stepSeconds)
    const probeSeconds = seconds(sample.probeSeconds)
    const signalSeconds = seconds(sample.signalSeconds)
    const signalKnown = signalSeconds !== null && stepSeconds !== null && signalSeconds <= stepSeconds
    const step = state.step + (stepSeconds ?? 0)
    const probe = probeSeconds === null ? state.probe : (state.probe ?? 0) + probeSeconds
    if (!Number.isFinite(step + (probe ?? 0))) return state
    return {
      steps: state.steps + (stepSeconds === null ? 0 : 1),
      step,
      signal: signalKnown ? (state.signal ?? 0) + signalSeconds : state.signal,
      probe,
    }
  },
  read({ step, signal, probe }: CostState) {
    const time = step + (probe ?? 0)
    const share = (part: number | null) => (part === null || time === 0 ? null : part / time)
    return { signalShare: share(signal), probeShare: share(probe) }
  },
} satisfies Estimator<CostState, Sample>

/** Many at once. */
export function spentOver(
  state: CostState,
  stepColumn: Column,
  signalColumn: Column,
  { from, to }: Rows,
): CostState {
  if (stepColumn === undefined) return state
  let { steps, step, signal } = state
  const probe = state.probe ?? 0
  for (let i = from; i < to; i++) {
    const stepSeconds = seconds(stepColumn[i])
    if (stepSeconds === null || !Number.isFinite(step + stepSeconds + probe)) continue
    const signalSeconds = seconds(signalColumn?.[i])
    steps++
    step += stepSeconds
    if (signalSeconds !== null && signalSeconds <= stepSeconds) signal = (signal ?? 0) + signalSeconds
  }
  return { steps, step, signal, probe: state.probe }
}

const seconds = (value: number | null | undefined): number | null =>
  value != null && value >= 0 && Number.isFinite(value) ? value : null
