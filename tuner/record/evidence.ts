// What goes into a decision record of numbers: evidence, each with its unit, error, count and where it came from, and tests.

import type { DecisionTest, Evidence } from '../../protocol/vocabulary.ts'
import type { Estimate } from '../estimators/estimator.ts'
import type { Memorising } from '../estimators/memorising.ts'
import { pairedDifference } from '../estimators/pairedLoss.ts'
import type { SignalsReading } from '../signals/signals.ts'
import type { Search } from '../state.ts'

type Measured = Pick<Estimate, 'value' | 'standardError' | 'count'>
type Looked = {
  readonly reading: SignalsReading
  readonly gain: Estimate
  readonly memorising: Memorising | undefined
}

const entry = (signal: string, measured: Measured, unit: string, source: string): Evidence[] => {
  const { value, standardError, count } = measured
  return value === null ? [] : [{ signal, value, standardError, unit, count, source }]
}

const told = ({ ratio, standardError, probeCount }: Memorising): Measured => ({
  value: ratio,
  standardError,
  count: probeCount,
})

/** What the switch rule looked at. */
export function evidenceOf({ reading, gain, memorising }: Looked): readonly Evidence[] {
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
    ...(memorising === undefined ? [] : entry('memorising', told(memorising), 'ratio', 'memorising-window')),
  ]
}

/**
 * What every arm of the search is ranked by, slowest rate first; its error is that of the difference to the reference's. An arm
 * that has not come to its end has no loss, and one that still runs no last step.
 */
export function evidenceOfRace({ arms, hasSameBatches }: Search['race']): readonly Evidence[] {
  const reference = arms[0]?.score ?? null
  return arms
    .toSorted((a, b) => a.learningRate - b.learningRate)
    .map(({ id, learningRate, score, diverged, fromStep, toStep }) => ({
      signal: 'arm',
      learningRate,
      fromStep,
      ...(toStep === null ? {} : { toStep }),
      value: score?.loss ?? null,
      standardError:
        score === null || reference === null || id === 0
          ? null
          : pairedDifference(score, reference, hasSameBatches).standardError,
      unit: 'loss',
      count: score?.examples ?? 0,
      source: diverged ? 'race-diverged' : score === null ? 'race-unfinished' : 'race',
    }))
}

/** Two sides, a relation and how often it held; a number on the right is a bound of ours, and has no error. */
export function comparison(
  key: DecisionTest['key'],
  left: DecisionTest['left'],
  relation: DecisionTest['relation'],
  right: DecisionTest['right'] | number,
  { satisfied = true, hits, probability = null }: Partial<DecisionTest> = {},
): DecisionTest {
  return {
    key,
    left,
    relation,
    right: typeof right === 'number' ? { value: right, standardError: null } : right,
    satisfied,
    hits: hits ?? { met: satisfied ? 1 : 0, of: 1 },
    probability,
  }
}
