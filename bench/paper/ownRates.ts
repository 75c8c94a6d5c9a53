// The second look of experiment C: the rate tuned by each seed for itself. One rate for all seeds lies close below the edge of
// what is stable without momentum, and where a seed's edge lies lower its run does not arrive; how long momentum takes
// against that is not defined. Here every run has the best rate of its own fork, with and without momentum.

import { type Interval, intervalText, meanInterval, ratioInterval } from './statistics.ts'
import { table, verdict } from './table.ts'
import { timeScore, tunedRate } from './tunedRate.ts'

export type OwnRatesSizes = {
  /** Seeds of which no rate has been tuned before. */
  readonly seeds: readonly number[]
  /** Batch sizes, the smallest and the largest of the experiment. */
  readonly batchSizes: readonly number[]
}

/** One seed's best effective rate and its time; infinite = none arrived, or the best is at an edge. */
export type OwnTime = { readonly rate: number; readonly epochs: number }
export type OwnRatesBatch = {
  readonly batchSize: number
  readonly plain: readonly OwnTime[]
  readonly heavy: readonly OwnTime[]
  /** Epochs without momentum over epochs with. */
  readonly gap: Interval
}
export type OwnRatesResult = { readonly batches: readonly OwnRatesBatch[]; readonly gapGrowth: Interval }

/** Epochs to the aim; null = not within so many. */
type TimeOf = (seed: number, effectiveRate: number, epochsMax: number) => Promise<number | null>

async function ownTime(
  timeOf: TimeOf,
  options: { seed: number; cap: number; middle: number; refinements: number },
): Promise<OwnTime> {
  const { seed, cap, middle, refinements } = options
  const score = timeScore({ seeds: [seed], cap, measure: timeOf })
  const { rate, isInside } = await tunedRate({ middle, refinements, score })
  const epochs = isInside ? await timeOf(seed, rate, cap) : null
  return { rate, epochs: epochs ?? Number.POSITIVE_INFINITY }
}

export async function runOwnRates(options: {
  readonly sizes: OwnRatesSizes
  readonly refinements: number
  readonly momentum: number
  readonly batches: readonly { batchSize: number; epochsMax: number; middleRate: number }[]
  readonly timeOf: (batchSize: number, momentum: number) => TimeOf
}): Promise<OwnRatesResult> {
  const { sizes, refinements, momentum, timeOf } = options
  const batches: OwnRatesBatch[] = []
  for (const { batchSize, epochsMax: cap, middleRate: middle } of options.batches) {
    if (!sizes.batchSizes.includes(batchSize)) continue
    const timesOf = async (momentumOfArm: number): Promise<OwnTime[]> => {
      const times: OwnTime[] = []
      for (const seed of sizes.seeds)
        times.push(await ownTime(timeOf(batchSize, momentumOfArm), { seed, cap, middle, refinements }))
      return times
    }
    const [plain, heavy] = [await timesOf(0), await timesOf(momentum)]
    const gap = ratioInterval(plain.map(({ epochs }, index) => epochs / heavy[index]!.epochs))
    batches.push({ batchSize, plain, heavy, gap })
  }
  const logGaps = ({ plain, heavy }: OwnRatesBatch): number[] =>
    plain.map(({ epochs }, index) => Math.log(epochs / heavy[index]!.epochs))
  const [first, last] = [logGaps(batches[0]!), logGaps(batches.at(-1)!)]
  return { batches, gapGrowth: meanInterval(last.map((gap, index) => gap - first[index]!)) }
}

export function ownRatesReport({ batches, gapGrowth }: OwnRatesResult, gapMin: number): string {
  const listed = (times: readonly OwnTime[]): string =>
    times.map(({ rate, epochs }) => `${epochs} at ${rate.toPrecision(3)}`).join(', ')
  const rows = batches.map(({ batchSize, plain, heavy, gap }) => [
    String(batchSize),
    listed(plain),
    listed(heavy),
    intervalText(gap),
  ])
  const { batchSize, gap } = batches.at(-1)!
  return [
    table(['batch', 'epochs at η_eff, no momentum, by seed', 'with momentum', 'without / with'], rows),
    [
      `- C5, gap at batch ${batchSize} at least ${gapMin}: ${intervalText(gap)}: ${verdict(gap.mean >= gapMin && gap.low > 1)}`,
      `- C6, growth of the log gap from batch ${batches[0]!.batchSize} to ${batchSize}: ${intervalText(gapGrowth)}: ${verdict(gapGrowth.low > 0)}`,
    ].join('\n'),
  ].join('\n\n')
}
