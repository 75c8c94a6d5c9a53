// The tables and verdicts of experiment D.

import type { GeneralisationCase, Score, SeedResult } from './generalisation.ts'
import { type Interval, intervalText, meanInterval, ratioInterval } from './statistics.ts'
import { table, verdict } from './table.ts'

/** The test error of the arm is at most this share of its control's. */
const errorRatioMax = 0.97

type ScoreValue = (score: Score) => number
const error: ScoreValue = ({ testAccuracy }) => 1 - (testAccuracy ?? Number.NaN)
const testLoss: ScoreValue = (score) => score.testLoss ?? Number.NaN
const trainingLoss: ScoreValue = (score) => score.trainingLoss ?? Number.NaN
const epochsTaken: ScoreValue = (score) => score.epochs

/** What the arm is compared with. */
export const comparisons: readonly {
  readonly verdict: string
  readonly name: string
  readonly control: Exclude<keyof SeedResult, 'arm'>
}[] = [
  { verdict: 'D1', name: 'no large step', control: 'noLargeStep' },
  { verdict: 'D2', name: 'equal epochs', control: 'equalEpochs' },
  { verdict: 'D3', name: 'equal training loss', control: 'equalLoss' },
]

/** Test error of the arm over that of a control, paired by seed. */
export const errorRatio = (
  rows: readonly SeedResult[],
  control: (typeof comparisons)[number]['control'],
): Interval => ratioInterval(rows.map((row) => error(row.arm) / error(row[control])))

const percent = (interval: Interval): string =>
  intervalText({ ...interval, mean: 100 * interval.mean, low: 100 * interval.low, high: 100 * interval.high })

export const caseName = ({ name, labelNoise }: GeneralisationCase): string =>
  `${name}, ${labelNoise === 0 ? 'clean labels' : `${(100 * labelNoise).toFixed(0)} % wrong labels`}`

function scoreTable({ rows }: GeneralisationCase): string {
  const missed = rows.filter(({ arm, equalLoss }) => !(trainingLoss(equalLoss) <= trainingLoss(arm))).length
  const line = (name: string, which: keyof SeedResult, note = ''): string[] => {
    const of = (value: ScoreValue) => meanInterval(rows.map((row) => value(row[which])))
    return [
      name,
      intervalText(of(epochsTaken), 0) + note,
      intervalText(of(trainingLoss), 4),
      percent(of(error)),
      intervalText(of(testLoss), 3),
    ]
  }
  return table(
    ['run', 'epochs', 'training loss', 'test error, %', 'test loss'],
    [
      line('large step, then small', 'arm'),
      ...comparisons.map(({ name, control }) =>
        line(
          `small step alone: ${name}`,
          control,
          control === 'equalLoss' && missed > 0 ? `, ${missed} of ${rows.length} not reached` : '',
        ),
      ),
    ],
  )
}

/** Less error by enough, and surely less. */
const isAhead = (ratio: Interval): boolean => ratio.mean <= errorRatioMax && ratio.high < 1

const verdictLines = ({ rows }: GeneralisationCase): string =>
  comparisons
    .map(({ verdict: label, name, control }) => {
      const ratio = errorRatio(rows, control)
      return `- ${label}, test error over that with ${name}: ${intervalText(ratio, 3)}: ${verdict(isAhead(ratio))}`
    })
    .join('\n')

export function generalisationReport(cases: readonly GeneralisationCase[]): string {
  const ratios = cases.flatMap(({ rows }) => comparisons.map(({ control }) => errorRatio(rows, control)))
  const passed = ratios.filter(isAhead).length
  return [
    ...cases.flatMap((entry) => [`${caseName(entry)}:`, scoreTable(entry), verdictLines(entry)]),
    `- D as a whole, ${passed} of ${ratios.length}: ${verdict(passed === ratios.length)}`,
  ].join('\n\n')
}
