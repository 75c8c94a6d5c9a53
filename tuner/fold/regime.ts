// The regime read anew, at probes and where the rate or the guard says something between them; a change of its known name is
// a transition: a record in every mode, which changes nothing else.

import type { RegimeName } from '../../protocol/vocabulary.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { signOf } from '../guard/signs.ts'
import type { Draft } from '../phases/phase.ts'
import { originOf } from '../plan/bounds.ts'
import { comparison } from '../record/evidence.ts'
import { charted, settle, type Turn, updated } from '../settle.ts'
import { chartPoints } from '../signals/charts.ts'
import { readRegime, regimeHalfShare, shareOf } from '../signals/regime.ts'
import type { TunerState } from '../state.ts'

/** Between probes the index is charted where it has moved by so much. Chosen: what a chart can show. */
const indexMoveMin = 0.01

/** After a probe; `gain`: G at the present rate. */
export const regimeAtProbe = (turn: Turn, gain: Estimate): Turn => told(turn, gain)

/** At the end of a block of steps, or at a sign of divergence. */
export function regimeAtSample(turn: Turn): Turn {
  const { seen, regime, course, trajectory } = turn.state
  if (course.kind !== 'large' && course.kind !== 'anneal') return turn
  // What is reported now may be undone.
  if (trajectory.awaited !== null) return turn
  const isMeasured = seen.signals.gapShare.shares.length > 0
  const isAboutDivergence = regime.name === 'unstable' || isTripped(turn.state)
  return isMeasured || isAboutDivergence ? told(turn, noEstimate(0, 1), indexMoveMin) : turn
}

const isTripped = ({ seen }: TunerState): boolean => signOf(seen.guard) !== null

function told(turn: Turn, gain: Estimate, moveMin = 0): Turn {
  const { state } = turn
  const { signals, learningRate, step } = state.seen
  const source = { signals, learningRate, gain }
  const regime = readRegime({
    ...source,
    isTripped: isTripped(state),
    validFromStep: state.trajectory.validFromStep - originOf(state),
    before: state.regime.name,
  })
  const { name, index: regimeIndex, low: regimeIndexLow, high: regimeIndexHigh } = regime
  const moved = Math.abs((regimeIndex ?? 0) - (state.regime.index ?? 0))
  if (name === state.regime.name && moved < moveMin) return turn
  const next = charted(
    updated(turn, { regime }),
    chartPoints(step, { regimeIndex, regimeIndexLow, regimeIndexHigh }),
  )
  if (name === 'unknown' || name === state.regimeKnown) return next
  const record = transition(state.regimeKnown, name, shareOf(source))
  return settle(updated(next, { regimeKnown: name }), { course: state.course, records: [record] })
}

function transition(from: RegimeName, to: RegimeName, share: Estimate): Draft {
  const { value, standardError } = share
  const relation = to === 'large-step' ? '>' : '<'
  const isTested = to !== 'unstable' && value !== null
  return {
    kind: 'transition',
    rule: 'regime',
    reason: `regime-${to}`,
    values: { share: value, error: standardError, half: regimeHalfShare },
    transition: { from, to },
    test: isTested ? comparison('regime', { value, standardError }, relation, regimeHalfShare) : undefined,
  }
}
