// What of the signals is charted: readings at a step, with their errors.

import type { SignalName, SignalReading } from '../../protocol/vocabulary.ts'
import type { Estimate } from '../estimators/estimator.ts'
import type { SignalsReading } from './signals.ts'

/** A reading for the chart; nothing where there is no value. */
export function chartPoint(
  signal: SignalName,
  step: number,
  estimate: Pick<Estimate, 'value' | 'standardError'> | number | null,
): SignalReading[] {
  const { value, standardError } =
    typeof estimate === 'number' || estimate === null ? { value: estimate, standardError: null } : estimate
  return value === null || !Number.isFinite(value) ? [] : [{ signal, step, value, standardError }]
}

/** What a valley probe puts on the chart. */
export function valleyPoints(reading: SignalsReading, step: number): SignalReading[] {
  return [
    ...chartPoint('averagedGap', step, reading.gap),
    ...chartPoint('noiseScale', step, reading.noiseScale),
    ...chartPoint('traceSigma', step, reading.traceSigma),
    ...chartPoint('signalShare', step, reading.signalShare),
    ...chartPoint('probeShare', step, reading.probeShare),
  ]
}

/** What a line probe puts on the chart; the ratio is that of the rate at the probe, so it follows an anneal. */
export function linePoints(
  reading: SignalsReading,
  step: number,
  learningRate: number | null,
): SignalReading[] {
  const { criticalLearningRate } = reading
  const critical = criticalLearningRate.value
  const ratio = learningRate === null || critical === null ? null : learningRate / critical
  return [
    ...chartPoint('curvature', step, reading.curvature),
    ...chartPoint('noiseCurvature', step, reading.noiseCurvature),
    ...chartPoint('criticalLearningRate', step, criticalLearningRate),
    ...chartPoint('rateRatio', step, ratio),
  ]
}
