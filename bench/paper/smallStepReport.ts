// The tables and verdicts of experiment C.

import type { MomentumGap } from './leastSquares.ts'
import { ownRatesReport } from './ownRates.ts'
import { armNames, type BatchResult, type SmallStepResult } from './smallStep.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import { table, verdict } from './table.ts'
import type { TunedRate } from './tunedRate.ts'

const gapMin = 1.5
/** A measured ratio of steps is the expected one within this share. */
const expectedShare = 0.15
/** Share of √κ that the best momentum saves at least. */
const rootShareMin = 0.5

/** Then the gap is called nil. */
const holdsOne = ({ failures, low, high }: Interval): boolean => failures === 0 && low <= 1 && high >= 1
const gapText = (gap: Interval): string => intervalText(gap) + (holdsOne(gap) ? ' (nil)' : '')
const rateText = ({ rate, isInside }: TunedRate): string =>
  rate.toPrecision(3) + (isInside ? '' : ' (at an edge)')

const armRows = ({ batchSize, epochsMax, rates, epochs }: BatchResult): string[][] =>
  armNames.map((name) => {
    const reached = epochs[name].filter(Number.isFinite)
    return [
      String(batchSize),
      name,
      rateText(rates[name]),
      reached.length === 0 ? '' : intervalText(meanInterval(reached)),
      `${epochs[name].length - reached.length} of ${epochs[name].length} (cap ${epochsMax})`,
    ]
  })

const isTuned = ({ rates }: BatchResult): boolean => armNames.every((name) => rates[name].isInside)

function networkReport({ batches, gapGrowth }: SmallStepResult): string {
  const gaps = batches.map(({ batchSize, gap, matchedGap }) => [
    String(batchSize),
    gapText(gap),
    gapText(matchedGap),
  ])
  const [first, last] = [batches[0]!, batches.at(-1)!]
  const isWide = isTuned(last) && last.gap.mean >= gapMin && last.gap.low > 1
  const hasGrown = isTuned(first) && isTuned(last) && gapGrowth.low > 0
  return [
    table(
      ['batch', 'arm', 'η_eff', 'epochs to the aim (of those that reached it)', 'not reached'],
      batches.flatMap(armRows),
    ),
    table(['batch', 'epochs without / with momentum, both tuned', 'without tuned / with, matched'], gaps),
    [
      `- C1, gap at batch ${last.batchSize} at least ${gapMin}: ${intervalText(last.gap)}: ${verdict(isWide)}`,
      `- C2, growth of the log gap from batch ${first.batchSize} to ${last.batchSize}: ${intervalText(gapGrowth)}: ${verdict(hasGrown)}`,
    ].join('\n'),
  ].join('\n\n')
}

const isExpected = ({ ratio, expected, rates }: MomentumGap): boolean =>
  rates.every(({ isInside }) => isInside) && Math.abs(ratio.mean / expected - 1) <= expectedShare

function isRoot({ ratio, condition }: MomentumGap): boolean {
  const root = Math.sqrt(condition)
  return ratio.mean >= rootShareMin * root && ratio.mean <= root
}

function leastSquaresReport(gaps: readonly MomentumGap[]): string {
  const rows = gaps.map((gap) => [
    String(gap.condition),
    Math.sqrt(gap.condition).toPrecision(2),
    gap.momentum.toFixed(3) + (gap.isBest ? ' (μ*)' : ''),
    gap.rates.map(rateText).join(', '),
    String(gap.expected),
    intervalText(gap.ratio),
  ])
  return [
    table(['κ', '√κ', 'momentum', 'η_eff without, with', 'expected', 'steps without / with momentum'], rows),
    [
      `- C3, each ratio within ${100 * expectedShare} % of the expected one: ${verdict(gaps.every(isExpected))}`,
      `- C4, at μ* between √κ/2 and √κ: ${verdict(gaps.filter(({ isBest }) => isBest).every(isRoot))}`,
    ].join('\n'),
  ].join('\n\n')
}

export const smallStepReport = (result: SmallStepResult): string =>
  [
    `Divergence rate of this task: ${result.divergence.toPrecision(3)}. Aim: a training loss of ${result.reference.loss.toPrecision(3)} (reference at η_eff ${rateText(result.reference.rate)}).`,
    networkReport(result),
    'Least squares:',
    leastSquaresReport(result.leastSquares),
    'Second look, each seed at its own best rates:',
    ownRatesReport(result.ownRates, gapMin),
  ].join('\n\n')
