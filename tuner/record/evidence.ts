// Evidence as it goes into a decision record: each number with its unit, error, count and where it came from.

import type { Evidence } from '../../protocol/vocabulary.ts'
import type { Estimate } from '../estimators/estimator.ts'
import { pairedDifference } from '../estimators/pairedLoss.ts'
import type { RaceState } from '../phases/search/race.ts'
import type { SignalsReading } from '../signals/signals.ts'
import { formatRate } from './sentences.ts'

/** Averaged loss of every arm, slowest rate first; its error is that of the difference to the reference's. */
export function evidenceOfRace(race: RaceState): readonly Evidence[] {
  const reference = race.arms[0]?.score ?? null
  return race.arms
    .toSorted((a, b) => a.learningRate - b.learningRate)
    .map(({ id, learningRate, score, diverged, stepCount }) => ({
      signal: `arm at ${formatRate(learningRate)}`,
      value: score?.loss ?? null,
      standardError:
        score === null || reference === null || id === 0
          ? null
          : pairedDifference(score, reference).standardError,
      unit: 'loss',
      count: score?.examples ?? 0,
      source: diverged
        ? 'race, diverged'
        : `race, averaged weights after ${stepCount} steps; error of the paired difference to the first arm`,
    }))
}

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
    ...entry('averagedLoss', reading.averagedLoss, 'loss', 'valley probe'),
    ...entry('averagedGap', reading.gap, 'loss', 'valley probe'),
    ...entry('annealingGain', gain, 'loss', 'gradient noise and curvature'),
    ...entry('noiseScale', reading.noiseScale, 'examples', 'micro-batch norms'),
    ...entry('traceSigma', reading.traceSigma, 'squared gradient', 'micro-batch norms'),
    ...entry(
      'preconditionedTraceSigma',
      reading.preconditionedTraceSigma,
      'squared gradient over √v̂',
      'preconditioned micro-batch norms',
    ),
    ...entry('noiseCurvature', reading.noiseCurvature, 'loss per squared distance', 'line probe'),
    ...entry('criticalLearningRate', reading.criticalLearningRate, 'learning rate', 'line probe'),
    ...entry('rateRatio', reading.rateRatio, 'ratio', 'line probe'),
    ...entry('lossTrend', reading.lossTrend, 'loss per step', 'training loss'),
  ]
}
