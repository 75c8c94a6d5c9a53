// Evidence as it goes into a decision record: each number with its unit, error, count and where it came from.

import type { Evidence } from '../protocol/vocabulary.ts'
import type { Estimate } from './estimators/estimator.ts'
import { type RaceState, triedArms } from './rules/race.ts'
import { formatRate } from './sentences.ts'
import type { SignalsReading } from './signals/signals.ts'

/** Arms recorded at most: seven and what an edge adds. */
const armsShownMax = 16

/** The last averaged loss of every arm, slowest rate first. */
export function evidenceOfRace(race: RaceState): readonly Evidence[] {
  return triedArms(race)
    .toSorted((a, b) => a.learningRate - b.learningRate)
    .slice(0, armsShownMax)
    .map((arm) => ({
      signal: `arm at ${formatRate(arm.learningRate)}`,
      value: arm.losses.at(-1) ?? null,
      standardError: null,
      unit: 'loss',
      count: arm.losses.length,
      source: arm.diverged ? 'race, diverged' : `race, averaged weights after ${arm.stepCount} steps`,
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
    ...entry('noiseCurvature', reading.noiseCurvature, 'loss per squared distance', 'line probe'),
    ...entry('criticalLearningRate', reading.criticalLearningRate, 'learning rate', 'line probe'),
    ...entry('rateRatio', reading.rateRatio, 'ratio', 'line probe'),
    ...entry('lossTrend', reading.lossTrend, 'loss per step', 'training loss'),
  ]
}
