// Evidence as it goes into a decision record: each number with its unit, error, count and where it came from.

import type { Evidence } from '../../protocol/vocabulary.ts'
import type { Estimate } from '../estimators/estimator.ts'
import type { SignalsReading } from '../signals/signals.ts'

const entry = (signal: string, estimate: Estimate, unit: string, source: string): Evidence[] =>
  estimate.value === null
    ? []
    : [
        {
          signal,
          value: estimate.value,
          standardError: estimate.standardError,
          unit,
          count: estimate.count,
          source,
        },
      ]

/** What the switch rule looked at. */
export function evidenceOfSignals(reading: SignalsReading, gain: Estimate): readonly Evidence[] {
  return [
    ...entry('averagedLoss', reading.averagedLoss, 'loss', 'valley-probe'),
    ...entry('averagedGap', reading.gap, 'loss', 'valley-probe'),
    ...entry('annealingGain', gain, 'loss', 'noise-and-curvature'),
    ...entry('noiseScale', reading.noiseScale, 'examples', 'micro-batch-norms'),
    ...entry('traceSigma', reading.traceSigma, 'squared gradient', 'micro-batch-norms'),
    ...entry(
      'preconditionedTraceSigma',
      reading.preconditionedTraceSigma,
      'squared gradient over √v̂',
      'preconditioned-norms',
    ),
    ...entry('noiseCurvature', reading.noiseCurvature, 'loss per squared distance', 'line-probe'),
    ...entry('criticalLearningRate', reading.criticalLearningRate, 'learning rate', 'line-probe'),
    ...entry('rateRatio', reading.rateRatio, 'ratio', 'line-probe'),
  ]
}
