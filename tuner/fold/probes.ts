// Folds probes: into the signals, the chart and the guard's watch. A valley probe is where the run is judged: by
// the guard, by the switch rule, or, at the end of the anneal, for which weights are kept; the weights of a
// normal one are kept to come back to. Cost: under 2 ms per probe.

import type { Probe, ValleyProbe } from '../../protocol/vocabulary.ts'
import { guardCheckpoints } from '../constants.ts'
import { bestAverage } from '../estimators/averagedGap.ts'
import { divergenceSign, isProbeNormal, watchProbe } from '../guard/divergence.ts'
import { recovered } from '../guard/recovery.ts'
import { isSteering, nominalBudget, offers } from '../options.ts'
import { annealProbed } from '../phases/anneal/annealing.ts'
import { withLowest } from '../phases/anneal/lowest.ts'
import { finishedAtProbe, finishedByComparison } from '../phases/done.ts'
import { gainOf } from '../phases/large/judgement.ts'
import { steer } from '../phases/large/steering.ts'
import { foldWarmupProbe } from '../phases/search/raceSearch.ts'
import { askedCheckpoint, charted, recadenced, type Turn, updated } from '../phases/settle.ts'
import { watchedRivals } from '../rivals/counterfactuals.ts'
import { readRegime } from '../signals/regime.ts'
import {
  chartPoint,
  foldLineProbe,
  foldProbeCost,
  foldValleyProbe,
  linePoints,
  readSignals,
  type SignalsReading,
  valleyPoints,
} from '../signals/signals.ts'

export function foldProbe(turn: Turn, probe: Probe): Turn {
  const { state } = turn
  if (state.phase === 'done' || state.awaitedRestore !== null || probe.step < state.validFromStep) return turn
  // A probe counts the steps taken so far; a job may report it before any sample of the step it follows.
  const arrived = probe.step > state.step ? updated(turn, { step: probe.step }) : turn
  if (probe.kind === 'valley') return foldValley(arrived, probe)
  // A stored log may hold kinds of probe that there once were.
  if (probe.kind !== 'line') return arrived
  const signals = foldLineProbe(state.signals, probe, state.learningRate)
  const reading = readSignals(signals)
  const charts = linePoints(reading, probe.step, state.learningRate)
  return watchedRegime(charted(updated(arrived, { signals }), charts), reading)
}

function foldValley(turn: Turn, probe: ValleyProbe): Turn {
  const { state } = turn
  const { step } = probe
  if (probe.checkpoints !== undefined) return foldComparison(turn, probe)
  // Losses of training examples are another quantity: one of them among held-out ones would look like a jump.
  if (probe.set === 'train' && offers(state.options, 'heldOutLoss'))
    return updated(turn, { signals: foldProbeCost(state.signals, probe.seconds) })
  const charts = [
    ...chartPoint('probeLoss', step, probe.raw.loss),
    ...chartPoint('probeAccuracy', step, probe.raw.accuracy ?? null),
    ...chartPoint('averagedLoss', step, bestAverage(probe)?.loss ?? null),
    ...chartPoint('averagedAccuracy', step, bestScore(probe)),
  ]
  const seen = charted(turn, charts)
  if (state.warmup !== null && state.warmup.kind !== 'ramp')
    return foldWarmupProbe(updated(seen, { signals: foldProbeCost(state.signals, probe.seconds) }), probe)
  const signals = foldValleyProbe(state.signals, probe, state.largeSteps)
  const next = updated(seen, {
    signals,
    divergence: watchProbe(state.divergence, probe.raw.loss),
    rivals: watchedRivals(state, { kind: 'probe', step, heldOutLoss: probe.raw.loss }),
  })
  // Read once a probe: the fit of the valley is most of what a probe costs.
  const reading = readSignals(signals)
  return afterProbe(watchedRegime(charted(next, valleyPoints(reading, step)), reading), probe, reading)
}

/** Of more examples than the other probes, so that nothing else is compared with it. */
function foldComparison(turn: Turn, probe: ValleyProbe): Turn {
  const { signals } = turn.state
  return finishedByComparison(updated(turn, { signals: foldProbeCost(signals, probe.seconds) }), probe)
}

function bestScore(probe: ValleyProbe): number | null {
  const best = bestAverage(probe)
  return probe.averaged.find(({ windowSteps }) => windowSteps === best?.windowSteps)?.accuracy ?? null
}

function watchedRegime(turn: Turn, reading: SignalsReading): Turn {
  const { state } = turn
  const { signals, divergence, awaitedRestore } = state
  const isTripped = awaitedRestore !== null || divergenceSign(divergence) !== null
  const regime = readRegime({ signals, reading, gain: gainOf(state, reading), isTripped })
  return charted(updated(turn, { regime }), [
    ...chartPoint('regimeIndex', state.step, regime.index),
    ...chartPoint('regimeIndexLow', state.step, regime.low),
    ...chartPoint('regimeIndexHigh', state.step, regime.high),
  ])
}

function afterProbe(turn: Turn, probe: ValleyProbe, reading: SignalsReading): Turn {
  const { state } = turn
  const sign = isSteering(state.mode) ? divergenceSign(state.divergence) : null
  if (sign !== null) return recovered(turn, sign)
  if (state.phase === 'anneal') {
    const end = isSteering(state.mode) ? state.anneal?.toStep : state.budgetSteps
    const isLast = end != null && probe.step >= end
    return isLast
      ? finishedAtProbe(turn, { last: probe.raw.loss, averaged: bestAverage(probe)?.loss ?? null })
      : saved(recadenced(annealProbed(withLowest(turn), probe)))
  }
  if (state.mode === 'off') return turn
  return saved(steer(withLowest(turn), reading))
}

/** Keeps the weights of a normal probe to come back to. */
function saved(turn: Turn): Turn {
  const { state } = turn
  const { divergence, step, largeSteps, phase, mode } = state
  if (
    phase === 'done' ||
    !isSteering(mode) ||
    !offers(state.options, 'checkpoint') ||
    !isProbeNormal(divergence)
  )
    return turn
  const last = divergence.checkpoints.at(-1)
  if (last !== undefined && step - last.step < nominalBudget(state.budgetSteps) / 100) return turn
  const used = divergence.checkpoints.map(({ name }) => name)
  const unused = Array.from({ length: guardCheckpoints }, (_, i) => `good-${i}`).find(
    (name) => !used.includes(name),
  )
  const name = unused ?? used[0]!
  const kept = divergence.checkpoints.filter((entry) => entry.name !== name)
  return updated(askedCheckpoint(turn, { atStep: step, checkpoint: name }), {
    divergence: { ...divergence, checkpoints: [...kept, { name, step, largeSteps }] },
  })
}
