// A. Two bands of learning rate: a sweep of constant rates without momentum. Is there a band of rates that do not
// diverge although their loss rises from some epoch to the next, and does it end at a much higher loss?

import { type Curve, curveOf, finalLoss, hasDiverged } from './curves.ts'
import type { Lab, Subject } from './lab.ts'
import { type Interval, intervalText, ratioInterval } from './statistics.ts'
import type { Store } from './store.ts'
import { table, verdict } from './table.ts'

export type BandsSizes = {
  readonly subject: Subject
  readonly seeds: readonly number[]
  /** Ascending. */
  readonly rates: readonly number[]
  readonly epochs: number
}

/** One seed's rates; null = none of the grid. */
export type Bands = {
  readonly seed: number
  readonly smallestDiverging: number | null
  readonly largestSurviving: number | null
  readonly largestSmooth: number | null
}

export type BandsResult = {
  readonly curves: ReadonlyMap<number, readonly Curve[]>
  readonly bands: readonly Bands[]
  readonly gap: Interval
  readonly lossRatio: Interval
}

const thresholds = { gap: 4, gapLow: 2, lossRatio: 1.5, lossRatioLow: 1 } as const

const last = (rates: readonly number[]): number | null => rates.at(-1) ?? null

export function bandsOf(seed: number, rates: readonly number[], curves: readonly Curve[]): Bands {
  const where = (isWanted: (curve: Curve) => boolean) => rates.filter((_, index) => isWanted(curves[index]!))
  return {
    seed,
    smallestDiverging: where(hasDiverged)[0] ?? null,
    largestSurviving: last(where((curve) => !hasDiverged(curve))),
    largestSmooth: last(where((curve) => !hasDiverged(curve) && curve.risen.length === 0)),
  }
}

export async function runBands(lab: Lab, store: Store, sizes: BandsSizes): Promise<BandsResult> {
  const { subject, seeds, rates, epochs } = sizes
  const curves = new Map<number, Curve[]>()
  for (const seed of seeds) {
    const row: Curve[] = []
    for (const learningRate of rates)
      row.push(
        await store.once(`seed ${seed}, rate ${learningRate}`, () =>
          curveOf(lab, { subject, seed, rates: { learningRate, momentum: 0 }, epochs }),
        ),
      )
    curves.set(seed, row)
  }
  const bands = seeds.map((seed) => bandsOf(seed, rates, curves.get(seed)!))
  const lossAt = (seed: number, rate: number | null) =>
    rate === null ? Number.NaN : finalLoss(curves.get(seed)![rates.indexOf(rate)]!)
  return {
    curves,
    bands,
    gap: ratioInterval(
      bands.map(({ largestSurviving, largestSmooth }) => (largestSurviving ?? 0) / (largestSmooth ?? 0)),
    ),
    lossRatio: ratioInterval(
      bands.map(
        ({ seed, largestSurviving, largestSmooth }) =>
          lossAt(seed, largestSurviving) / lossAt(seed, largestSmooth),
      ),
    ),
  }
}

export function bandsReport({ bands, curves, gap, lossRatio }: BandsResult, sizes: BandsSizes): string {
  const rateText = (rate: number | null) => (rate === null ? 'none' : rate.toPrecision(3))
  const perSeed = table(
    ['seed', 'smallest diverging', 'largest not diverging', 'largest smooth'],
    bands.map(({ seed, smallestDiverging, largestSurviving, largestSmooth }) => [
      String(seed),
      ...[smallestDiverging, largestSurviving, largestSmooth].map(rateText),
    ]),
  )
  const all = [...curves.values()]
  const perRate = table(
    ['rate', 'final training loss', 'diverged', 'epochs that rose, of all'],
    sizes.rates.map((rate, index) => {
      const row = all.map((curves) => curves[index]!)
      const survivors = row.filter((curve) => !hasDiverged(curve))
      return [
        rate.toPrecision(3),
        survivors.length === 0 ? '' : intervalText(ratioInterval(survivors.map(finalLoss)), 3),
        `${row.length - survivors.length} of ${row.length}`,
        `${survivors.reduce((sum, { risen }) => sum + risen.length, 0)} of ${survivors.length * sizes.epochs}`,
      ]
    }),
  )
  const isWide = gap.mean >= thresholds.gap && gap.low > thresholds.gapLow
  const isHigher = lossRatio.mean >= thresholds.lossRatio && lossRatio.low > thresholds.lossRatioLow
  return [
    perSeed,
    perRate,
    `- A1, gap of the rates: ${intervalText(gap)}: ${verdict(isWide)}`,
    `- A2, ratio of the final losses: ${intervalText(lossRatio)}: ${verdict(isHigher)}`,
  ].join('\n\n')
}
