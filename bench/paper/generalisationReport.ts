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
const epochsTaken: ScoreValue = (score) => score.epochs

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
    intervalText(of('equalLoss', epochsTaken), 0) + reached,
  ]
}

/** What an arm is compared with, by its place in the list of arms. */
const comparisons: readonly {
  readonly name: string
  readonly other: (row: SeedResult, index: number) => Score
}[] = [
  { name: 'D1, against no large step', other: ({ arms }) => arms[0]! },
  { name: 'D2, against equal epochs', other: ({ equalEpochs }, index) => equalEpochs[index]! },
  { name: 'D3, against equal training loss', other: ({ equalLoss }, index) => equalLoss[index]! },
]

/** Differences in test accuracy, paired by seed, of the arm at `index` to its three controls. */
const differences = (rows: readonly SeedResult[], index: number): Interval[] =>
  comparisons.map(({ other }) =>
    meanInterval(rows.map((row) => accuracy(row.arms[index]!) - accuracy(other(row, index)))),
  )

function verdicts(rows: readonly SeedResult[], sizes: GeneralisationSizes): string {
  const { largeEpochs } = sizes
  const lines = differences(rows, largeEpochs.length - 1).map((difference, index) => {
    const isPassed = difference.mean >= differenceMin && difference.low > 0
    return `- ${comparisons[index]!.name}: ${percent(difference)} points of test accuracy: ${verdict(isPassed)}`
  })
  return lines.join('\n')
}

const differenceTable = (rows: readonly SeedResult[], { largeEpochs }: GeneralisationSizes): string =>
  table(
    ['large-step epochs', ...comparisons.map(({ name }) => name.slice(4))],
    largeEpochs.map((epochs, index) => [String(epochs), ...differences(rows, index).map(percent)]),
  )

export const generalisationReport = (result: GeneralisationResult, sizes: GeneralisationSizes): string =>
  [...result]
    .map(([labelNoise, rows]) =>
      [
        `Label noise ${(100 * labelNoise).toFixed(0)} %:`,
        table(
          head,
          sizes.largeEpochs.map((largeEpochs, index) => armRow(rows, largeEpochs, index)),
        ),
        verdicts(rows, sizes),
        'The same differences after other lengths of the large-step phase, in points (no threshold was set for these):',
        differenceTable(rows, sizes),
      ].join('\n\n'),
    )
    .join('\n\n')
