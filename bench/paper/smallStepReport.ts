// The tables and verdicts of experiment C.

import { bufferCases, bufferOutcome, bufferRules } from './bufferChange.ts'
import {
  armNames,
  type BatchResult,
  type BufferName,
  type BufferResult,
  bufferNames,
  type SmallStepResult,
} from './smallStep.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import { table, verdict } from './table.ts'

const gapMin = 1.5
const firstLossRatioMin = 1.5
const keptRatioMax = 1.1
/** Then the gap is called nil. */
const holdsOne = ({ failures, low, high }: Interval): boolean => failures === 0 && low <= 1 && high >= 1
const gapText = (gap: Interval): string => intervalText(gap) + (holdsOne(gap) ? ' (nil)' : '')

/** How the fork starts momentum's buffer, and the names of its two verdicts in the record. */
const looks: Readonly<
  Record<BufferName, { readonly title: string; readonly names: readonly [string, string] }>
> = {
  scaled: {
    title: "The buffer at the fork, scaled as the trainer's optimizer did then:",
    names: ['C1', 'C2'],
  },
  empty: { title: 'Second look, an empty buffer at the fork:', names: ['C3', 'C4'] },
}

const armRows = ({ batchSize, epochsMax, rates, epochs }: BatchResult): string[][] =>
  armNames.map((name) => {
    const reached = epochs[name].filter(Number.isFinite)
    return [
      String(batchSize),
      name,
      rates[name].toPrecision(3),
      reached.length === 0 ? '' : intervalText(meanInterval(reached)),
      `${epochs[name].length - reached.length} of ${epochs[name].length} (cap ${epochsMax})`,
    ]
  })

function bufferReport(buffer: BufferName, { batches, gapGrowth }: BufferResult): string {
  const { title, names } = looks[buffer]
  const gaps = batches.map(({ batchSize, gap, matchedGap }) => [
    String(batchSize),
    gapText(gap),
    gapText(matchedGap),
  ])
  const { gap, batchSize } = batches.at(-1)!
  return [
    title,
    table(
      ['batch', 'arm', 'η_eff', 'epochs to the aim (of those that reached it)', 'not reached'],
      batches.flatMap(armRows),
    ),
    table(['batch', 'epochs without / with momentum, both tuned', 'without tuned / with, matched'], gaps),
    `- ${names[0]}, gap at batch ${batchSize} at least ${gapMin}: ${intervalText(gap)}: ${verdict(gap.mean >= gapMin && gap.low > 1)}`,
    `- ${names[1]}, growth of the log gap from the smallest batch to the largest: ${intervalText(gapGrowth)}: ${verdict(gapGrowth.low > 0)}`,
  ].join('\n\n')
}

function bufferTable(): string {
  const two = (value: number): string => value.toFixed(2)
  return table(
    ['momentum', 'η_eff·h_max', 'changed', ...bufferRules],
    bufferCases.map((entry) => [
      `${entry.from} to ${entry.to}`,
      String(entry.sharpness),
      entry.start === 'rest' ? 'at rest' : 'in the descent',
      ...bufferRules.map((rule) => {
        const { peak, end } = bufferOutcome(rule, entry)
        return `${two(peak)}, ${two(end)}`
      }),
    ]),
  )
}

export function smallStepReport({ divergence, buffers, firstLossRatios }: SmallStepResult): string {
  const { batches } = buffers.scaled
  const ratios = firstLossRatios.scaled.map((ratio, index) => {
    const isCause = ratio.mean >= firstLossRatioMin && ratio.low > 1
    return `- C5, first loss after the fork at batch ${batches[index]!.batchSize}, scaled buffer over empty: ${intervalText(ratio)}: ${verdict(isCause)}`
  })
  const keptRatios = firstLossRatios.kept.map(
    (ratio, index) =>
      `- C6, the same, kept buffer over empty, at batch ${batches[index]!.batchSize}: ${intervalText(ratio)}: ${verdict(ratio.mean <= keptRatioMax)}`,
  )
  return [
    `Divergence rate of this task: ${divergence.toPrecision(3)}.`,
    ...bufferNames.map((buffer) => bufferReport(buffer, buffers[buffer])),
    [...ratios, ...keptRatios].join('\n'),
    'C6, exactly: highest expected excess loss within 100 steps of the change, and that after 100 steps, both over the run without a change:',
    bufferTable(),
  ].join('\n\n')
}
