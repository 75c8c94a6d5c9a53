// Folds probes: into the signals, the chart and the guard's watch. A valley probe is where the run is judged: by the guard,
// by its phase, or, at the end of the anneal, for which weights are kept; the weights of a sound one are kept to come back
// to. A probe never moves the clock: one far ahead of the samples is counted in another unit. Cost: under 2 ms per probe.

import type { LineProbe, Probe, ValleyProbe } from '../../protocol/vocabulary.ts'
import { bestAverage } from '../estimators/averagedGap.ts'
import { guarded, newCheckpoint } from '../guard/recovery.ts'
import { watchProbe } from '../guard/watch.ts'
import { offers } from '../options.ts'
import { gainOf } from '../phases/judgement.ts'
import { newlyKept } from '../phases/kept.ts'
import { probed } from '../phases/phases.ts'
import { originOf } from '../plan/bounds.ts'
import { charted, replanned, settle, type Turn, updated } from '../settle.ts'
import { chartPoints, linePoints, valleyPoints } from '../signals/charts.ts'
import {
  foldLineProbe,
  foldProbeCost,
  foldValleyProbe,
  readSignals,
  type SignalsReading,
} from '../signals/signals.ts'
import type { Seen } from '../state.ts'
import { leftOut, probeReach } from './clean.ts'
import { regimeAtProbe } from './regime.ts'
import { rivalsAfter } from './samples.ts'

export function foldProbe(turn: Turn, probe: Probe): Turn {
  const { course, trajectory, seen } = turn.state
  if (course.kind === 'done') return turn
  // Nothing was reported yet: an evaluation before the first step is at whatever step it says.
  if (seen.origin !== null && probe.step - seen.step > probeReach(seen))
    return updated(turn, { seen: leftOut(seen, 'ahead', probe.step) })
  if (trajectory.awaited !== null || probe.step < trajectory.validFromStep) return turn
  if (probe.kind === 'valley') return foldValley(turn, probe)
  // A log of version 0.1.0 may hold probes of another kind.
  return probe.kind === 'line' ? foldLine(turn, probe) : turn
}

const withSeen = (turn: Turn, change: Partial<Seen>): Turn =>
  updated(turn, { seen: { ...turn.state.seen, ...change } })

function foldLine(turn: Turn, probe: LineProbe): Turn {
  const { learningRate, signals } = turn.state.seen
  const folded = foldLineProbe(signals, probe, learningRate)
  const reading = readSignals(folded)
  const charts = linePoints(reading, probe.step, learningRate)
  return watchedRegime(charted(withSeen(turn, { signals: folded }), charts), reading)
}

function foldValley(turn: Turn, probe: ValleyProbe): Turn {
  const { course, options, seen } = turn.state
  const { signals } = seen
  const paid = withSeen(turn, { signals: foldProbeCost(signals, probe) })
  // Scored on more examples than the others, so that nothing else is compared with it.
  if (probe.checkpoints !== undefined) return settle(paid, probed(paid.state, probe, readSignals(signals)))
  // Losses of training examples are another quantity: one of them among held-out ones would look like a jump.
  if (probe.set === 'train' && offers(options, 'heldOutLoss')) return paid
  const shown = valleyCharts(probe)
  if (course.kind === 'search')
    return settle(charted(paid, shown), probed(paid.state, probe, readSignals(signals)))
  const reading = folded(turn, probe)
  const charts = [...shown, ...valleyPoints(reading.signals, probe.step)]
  return judged(watchedRegime(charted(reading.turn, charts), reading.signals), probe, reading.signals)
}

function valleyCharts(probe: ValleyProbe) {
  const { step, raw } = probe
  const best = bestAverage(probe)
  return chartPoints(step, {
    probeLoss: raw.loss,
    probeAccuracy: raw.accuracy ?? null,
    averagedLoss: best?.loss ?? null,
    averagedAccuracy: best?.accuracy ?? null,
  })
}

/** The probe in signals, guard and rivals, and what the signals then say: read once, as the fit of the valley is most of it. */
function folded(turn: Turn, probe: ValleyProbe): { readonly turn: Turn; readonly signals: SignalsReading } {
  const { seen } = turn.state
  const own = { ...probe, step: probe.step - originOf(turn.state) }
  const signals = foldValleyProbe(seen.signals, own, seen.runLength, seen.learningRate)
  const isSound = [probe.raw, ...probe.averaged].every(({ loss }) => Number.isFinite(loss))
  const heldOut = { kind: 'probe', step: probe.step, heldOutLoss: probe.raw.loss } as const
  const rivals = rivalsAfter(turn.state, seen, heldOut)
  return {
    turn: withSeen(turn, { signals, guard: watchProbe(seen.guard, isSound), rivals }),
    signals: readSignals(signals),
  }
}

const watchedRegime = (turn: Turn, reading: SignalsReading): Turn =>
  regimeAtProbe(turn, gainOf(turn.state, reading))

/** What the guard has to say of it, or else the phase; then the weights are kept that are worth it. */
function judged(turn: Turn, probe: ValleyProbe, reading: SignalsReading): Turn {
  const guard = guarded(turn.state)
  if (guard !== null) return settle(turn, guard)
  return saved(keeping(settle(turn, probed(turn.state, probe, reading))))
}

/** The averaged weights at their lowest level. */
function keeping(turn: Turn): Turn {
  const { course } = turn.state
  const next = course.kind === 'large' || course.kind === 'anneal' ? newlyKept(turn.state) : null
  return next === null ? turn : settle(updated(turn, { kept: next.kept }), { course, ask: [next.ask] })
}

/** The weights of a sound probe, to come back to. */
function saved(turn: Turn): Turn {
  const { state } = turn
  const next = newCheckpoint(state)
  if (next === null) return replanned(turn)
  return settle(turn, {
    course: state.course,
    change: { seen: { ...state.seen, guard: next.guard } },
    ask: [next.ask],
  })
}
