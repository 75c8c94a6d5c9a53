// The tables and verdicts of experiment C.

import { armNames, type SmallStepResult } from './smallStep.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import { table, verdict } from './table.ts'

const gapMin = 1.5
/** Then the gap is called nil. */
const holdsOne = ({ failures, low, high }: Interval): boolean => failures === 0 && low <= 1 && high >= 1

export function smallStepReport({ divergence, batches, gapGrowth }: SmallStepResult): string {
  const rows = batches.flatMap(({ batchSize, epochsMax, rates, epochs }) =>
    armNames.map((name) => {
      const reached = epochs[name].filter(Number.isFinite)
      return [
        String(batchSize),
        name,
        rates[name].toPrecision(3),
        reached.length === 0 ? '' : intervalText(meanInterval(reached)),
        `${epochs[name].length - reached.length} of ${epochs[name].length} (cap ${epochsMax})`,
      ]
    }),
  )
  const gaps = batches.map(({ batchSize, gap, matchedGap }) => [
    String(batchSize),
    intervalText(gap) + (holdsOne(gap) ? ' (nil)' : ''),
    intervalText(matchedGap) + (holdsOne(matchedGap) ? ' (nil)' : ''),
  ])
  const { gap, batchSize } = batches.at(-1)!
  return [
    `Divergence rate of this task: ${divergence.toPrecision(3)}.`,
    table(['batch', 'arm', 'η_eff', 'epochs to the aim (of those that reached it)', 'not reached'], rows),
    table(['batch', 'epochs without / with momentum, both tuned', 'without tuned / with, matched'], gaps),
    `- C1, gap at batch ${batchSize} at least ${gapMin}: ${intervalText(gap)}: ${verdict(gap.mean >= gapMin && gap.low > 1)}`,
    `- C2, growth of the log gap from the smallest batch to the largest: ${intervalText(gapGrowth)}: ${verdict(gapGrowth.low > 0)}`,
  ].join('\n\n')
}
