// The tables and verdicts of experiment D.

import type { GeneralisationResult, GeneralisationSizes, Score, SeedResult } from './generalisation.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import { table, verdict } from './table.ts'

/** Points of test accuracy, as a share, that count as a difference. */
const differenceMin = 0.005

type ScoreValue = (score: Score) => number
const accuracy: ScoreValue = ({ testAccuracy }) => testAccuracy ?? Number.NaN
const testLoss: ScoreValue = (score) => score.testLoss ?? Number.NaN
const trainingLoss: ScoreValue = (score) => score.trainingLoss ?? Number.NaN
const epochs: ScoreValue = (score) => score.epochs

const percent = (interval: Interval): string =>
  intervalText({ ...interval, mean: 100 * interval.mean, low: 100 * interval.low, high: 100 * interval.high })

const head = [
  'large-step epochs',
  'training loss',
  'test accuracy, %',
  'test loss',
  'small step alone, equal epochs, %',
  'small step alone, equal training loss, %',
  'its epochs',
]

function armRow(rows: readonly SeedResult[], largeEpochs: number, index: number): string[] {
  const of = (name: keyof SeedResult, value: ScoreValue) =>
    meanInterval(rows.map((row) => value(row[name][index]!)))
  const missed = rows.filter(
    ({ arms, equalLoss }) => !(trainingLoss(equalLoss[index]!) <= trainingLoss(arms[index]!)),
  ).length
  const reached = missed === 0 ? '' : `, ${missed} of ${rows.length} not reached`
  return [
    String(largeEpochs),
    intervalText(of('arms', trainingLoss), 3),
    percent(of('arms', accuracy)),
    intervalText(of('arms', testLoss), 3),
    percent(of('equalEpochs', accuracy)),
    percent(of('equalLoss', accuracy)),
    intervalText(of('equalLoss', epochs), 0) + reached,
  ]
}

/** What the arm with the longest large-step phase is compared with. */
const comparisons: readonly { readonly name: string; readonly other: (row: SeedResult) => Score }[] = [
  { name: 'D1, against no large step', other: ({ arms }) => arms[0]! },
  { name: 'D2, against equal epochs', other: ({ equalEpochs }) => equalEpochs.at(-1)! },
  { name: 'D3, against equal training loss', other: ({ equalLoss }) => equalLoss.at(-1)! },
]

function verdicts(rows: readonly SeedResult[]): string {
  const lines = comparisons.map(({ name, other }) => {
    const difference = meanInterval(rows.map((row) => accuracy(row.arms.at(-1)!) - accuracy(other(row))))
    const isPassed = difference.mean >= differenceMin && difference.low > 0
    return `- ${name}: ${percent(difference)} points of test accuracy: ${verdict(isPassed)}`
  })
  return lines.join('\n')
}

export const generalisationReport = (result: GeneralisationResult, sizes: GeneralisationSizes): string =>
  [...result]
    .map(([labelNoise, rows]) =>
      [
        `Label noise ${(100 * labelNoise).toFixed(0)} %:`,
        table(
          head,
          sizes.largeEpochs.map((largeEpochs, index) => armRow(rows, largeEpochs, index)),
        ),
        verdicts(rows),
      ].join('\n\n'),
    )
    .join('\n\n')
