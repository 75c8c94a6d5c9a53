// A panel for any signal of the run: its last value in each bucket as a line, over the span of all its samples. What a
// signal means is told where this project knows it; a job's own metrics carry their own names.

import { formatNumber, formatPercent, formatRate } from '../../protocol/numbers.ts'
import { valueAt } from '../state/series.ts'
import { formatKnown } from '../views/format.ts'
import { keyWords } from '../views/words.ts'
import { extremesOf, fittedRange, linearScale, quantileOf, type Scale } from './scale.ts'
import { type ChartSpec, type Mark, type RunView, signalPrefix } from './spec.ts'
import {
  columnsOf,
  fileStepsOf,
  hasValues,
  pointsOf,
  signalColumn,
  tableStepsOf,
  valuesFrom,
} from './view.ts'

const titles: Readonly<Record<string, string>> = {
  loss: 'Loss, samples',
  lossSmoothed: 'Loss, smoothed by the server',
  learningRate: 'Learning rate',
  probeLoss: 'Held-out loss',
  probeAccuracy: 'Held-out accuracy',
  averagedLoss: 'Held-out loss, averaged weights',
  averagedAccuracy: 'Held-out accuracy, averaged weights',
  averagedGap: 'Gap, removable by annealing',
  valleySlope: 'Slope of the averaged loss, a step',
  annealingGain: 'What annealing gains',
  annealingGainError: 'What annealing gains, standard error',
  stayingGain: 'What staying still gains',
  stayingGainError: 'What staying still gains, standard error',
  noiseScale: 'Gradient noise scale',
  noiseScaleError: 'Gradient noise scale, standard error',
  traceSigma: 'Gradient variance',
  curvature: 'Curvature along the step',
  noiseCurvature: 'Curvature along the noise',
  criticalLearningRate: 'Critical rate',
  rateRatio: 'Rate ÷ critical rate',
  regimeIndex: 'Regime index',
  regimeIndexLow: 'Regime index, 95 % from',
  regimeIndexHigh: 'Regime index, 95 % to',
  forecastLoss: 'Final loss expected',
  forecastLossLow: 'Final loss expected, 95 % from',
  forecastLossHigh: 'Final loss expected, 95 % to',
  signalShare: 'Share of time for signals',
  probeShare: 'Share of time for probes',
  gradientNormSquared: 'Gradient norm, squared',
  microGradientNormSquared: 'Micro-batch gradient norm, squared',
  weightNormSquared: 'Weight norm, squared',
  updateNormSquared: 'Update norm, squared',
  batchSize: 'Batch size',
  microBatchSize: 'Micro-batch size',
  momentum: 'Momentum',
  stepSeconds: 'Seconds a step',
  signalSeconds: 'Seconds for signals',
  tokens: 'Tokens',
  clipped: 'Clipped gradients',
  skipped: 'Skipped steps',
}
const metricPrefix = 'metrics.'

/** What a signal is called; a job's own metric by its own name. */
export const signalWords = (signal: string): string =>
  signal.startsWith(metricPrefix) ? signal.slice(metricPrefix.length) : keyWords(signal, titles)

export const isOwnMetric = (signal: string): boolean => signal.startsWith(metricPrefix)

function formatFor(signal: string): (value: number) => string {
  if (/share|accuracy$/i.test(signal) && !isOwnMetric(signal)) return (value) => formatPercent(value, 4)
  return /LearningRate$|^learningRate$/.test(signal) ? formatRate : formatNumber
}

export function signalChart(view: RunView, signal: string): ChartSpec {
  const columns = columnsOf(view, signal)
  const format = formatFor(signal)
  const title = signalWords(signal)
  const measured = hasValues(columns)
  const now = valueAt(columns, view.to)
  return {
    id: `${signalPrefix}${signal}`,
    title,
    heightPx: 92,
    bottomPx: 6,
    scale: signalScale(view, signal),
    marks: signalMarks(view, signal),
    head: (step) => {
      const value = valueAt(columns, step)
      return value === null ? [] : [{ label: '', value: format(value), key: 'ink' }]
    },
    sentence: `${title}: ${formatKnown(now, format)}.`,
    tableSteps: tableStepsOf(view, columns),
    fileSteps: fileStepsOf(view, columns),
    columns: [signalColumn(view, signal, title, format)],
    missing: measured
      ? null
      : columns === undefined
        ? 'Loading, or not reported by this run.'
        : 'No values yet.',
  }
}

function signalScale(view: RunView, signal: string): Scale {
  const columns = columnsOf(view, signal)
  const values = [valueAt(columns, view.from), ...valuesFrom(columns, 'last', view, 0)]
  const all = extremesOf(values)
  if (all === null) return linearScale(0, 1, 4)
  // Few values are all shown; of many the fall of a start would flatten the rest, from above or from below.
  const [low, high] = [quantileOf(values, 0.01) ?? all[0], fittedRange(values)?.[1] ?? all[1]]
  return values.length < 30 ? linearScale(all[0], all[1], 4) : linearScale(low, Math.max(high, low), 4)
}

function signalMarks(view: RunView, signal: string): Mark[] {
  const columns = columnsOf(view, signal)
  if (columns === undefined) return []
  const points = pointsOf(view, signal)
  const thinned = columns.count.some((count) => count > 1)
  return [
    ...(thinned
      ? [
          {
            kind: 'spikes' as const,
            step: columns.step,
            min: columns.min,
            max: columns.max,
            color: 'ink-3' as const,
            alpha: 0.3,
          },
        ]
      : []),
    { kind: 'line', points, color: 'ink', width: 1.5, dots: 1.7 },
  ]
}
