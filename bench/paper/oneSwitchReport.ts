// The tables and verdicts of experiment E.

import { type RowTrials, type SwitchResult, type SwitchSizes, type Trial, tunerRow } from './oneSwitch.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import { table, verdict } from './table.ts'

/** As a share; and as a log ratio of test losses. */
const accuracyBelowMax = 0.003
const logLossAboveMax = 0.05

const orNaN = (value: number | null): number => value ?? Number.NaN

/** The trial with the best held-out loss; one without a finite loss only if there is no other. */
export function bestTrial(trials: readonly Trial[]): Trial {
  const loss = (trial: Trial) => trial.heldOutLoss ?? Number.POSITIVE_INFINITY
  return trials.reduce((best, trial) => (loss(trial) < loss(best) ? trial : best))
}

const accuracies = (trials: readonly Trial[]) => trials.map(({ testAccuracy }) => orNaN(testAccuracy))
const logLosses = (trials: readonly Trial[]) => trials.map(({ testLoss }) => Math.log(orNaN(testLoss)))

const percent = (interval: Interval): string =>
  intervalText({ ...interval, mean: 100 * interval.mean, low: 100 * interval.low, high: 100 * interval.high })
const lossText = (interval: Interval): string =>
  intervalText(
    {
      ...interval,
      mean: Math.exp(interval.mean),
      low: Math.exp(interval.low),
      high: Math.exp(interval.high),
    },
    4,
  )

/** How often each rate was the chosen one. */
function chosenText(chosen: readonly Trial[], rates: readonly number[]): string {
  const counts = rates.map((rate) => `${rate}: ${chosen.filter((trial) => trial.rate === rate).length}`)
  return counts.join(', ')
}

type Chosen = { readonly name: string; readonly best: readonly Trial[]; readonly single: readonly Trial[] }

const chosenOf = ({ name, trials }: RowTrials): Chosen => ({
  name,
  best: trials.map(bestTrial),
  single: trials.map((ofSeed) => ofSeed[Math.floor(ofSeed.length / 2)]!),
})

function taskVerdicts(rows: readonly Chosen[]): string {
  const ours = rows.find(({ name }) => name === tunerRow)!
  const compare = (values: (trials: readonly Trial[]) => number[], sign: 1 | -1) => {
    const value = ({ best }: Chosen) => sign * meanInterval(values(best)).mean
    const leader = rows.reduce((best, row) => (value(row) > value(best) ? row : best))
    const others = values(leader.best)
    const behind = meanInterval(values(ours.best).map((own, index) => sign * (others[index]! - own)))
    return { leader: leader.name, behind }
  }
  const accuracy = compare(accuracies, 1)
  const loss = compare(logLosses, -1)
  return [
    `- E1: the best row by accuracy is ${accuracy.leader}; the tuner is ${percent(accuracy.behind)} points below it: ${verdict(accuracy.behind.mean <= accuracyBelowMax)}`,
    `- E2: the best row by test loss is ${loss.leader}; the tuner's log loss is ${intervalText(loss.behind, 3)} above it: ${verdict(loss.behind.mean <= logLossAboveMax)}`,
  ].join('\n')
}

export function oneSwitchReport(result: SwitchResult, sizes: SwitchSizes): string {
  const middle = sizes.rates[Math.floor(sizes.rates.length / 2)]!
  const head = [
    'row',
    'test accuracy, %',
    'test loss',
    'rates chosen',
    `accuracy, one trial at ${middle}`,
    'test loss, one trial',
  ]
  const parts = result.map(({ name, rows }) => {
    const chosen = rows.map(chosenOf)
    const lines = chosen.map(({ name: row, best, single }) => [
      row,
      percent(meanInterval(accuracies(best))),
      lossText(meanInterval(logLosses(best))),
      chosenText(best, sizes.rates),
      percent(meanInterval(accuracies(single))),
      lossText(meanInterval(logLosses(single))),
    ])
    return [`Task ${name}:`, table(head, lines), taskVerdicts(chosen)].join('\n\n')
  })
  return parts.join('\n\n')
}
