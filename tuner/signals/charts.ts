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

/** Several signals at one step. */
export const chartPoints = (
  step: number,
  values: Partial<Record<SignalName, Parameters<typeof chartPoint>[2]>>,
): SignalReading[] =>
  Object.entries(values).flatMap(([signal, value]) => chartPoint(signal as SignalName, step, value))

type Gain = Pick<Estimate, 'value' | 'standardError'> | null

const errorOf = (estimate: Gain) => (estimate?.value == null ? null : estimate.standardError)

/** The two sides of the switch rule, each with its standard error as a signal of its own: stored series hold values alone. */
export function gainPoints(
  step: number,
  { annealingGain, stayingGain }: { annealingGain: Gain; stayingGain: Gain },
): SignalReading[] {
  return chartPoints(step, {
    annealingGain,
    annealingGainError: errorOf(annealingGain),
    stayingGain,
    stayingGainError: errorOf(stayingGain),
  })
}

/** What a valley probe puts on the chart. */
export function valleyPoints(reading: SignalsReading, step: number): SignalReading[] {
  const { gap: averagedGap, noiseScale, traceSigma, signalShare, probeShare } = reading
  const noiseScaleError = errorOf(noiseScale)
  return chartPoints(step, { averagedGap, noiseScale, noiseScaleError, traceSigma, signalShare, probeShare })
}

/** What a line probe puts on the chart; the ratio is that of the rate at the probe, so it follows an anneal. */
export function linePoints(
  { curvature, noiseCurvature, criticalLearningRate }: SignalsReading,
  step: number,
  learningRate: number | null,
): SignalReading[] {
  const critical = criticalLearningRate.value
  const rateRatio = learningRate === null || critical === null ? null : learningRate / critical
  return chartPoints(step, { curvature, noiseCurvature, criticalLearningRate, rateRatio })
}
