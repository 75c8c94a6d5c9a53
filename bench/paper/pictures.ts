// The pictures of experiments A and D. Blue is the large step, orange the small one, as on the product's page.

import type { BandsResult, BandsSizes } from './bands.ts'
import { type Curve, finalLoss, hasDiverged } from './curves.ts'
import type { GeneralisationResult, GeneralisationSizes, Score, SeedResult } from './generalisation.ts'
import { type Axis, colors, type Panel, picture, type Series } from './panel.ts'
import { type Interval, meanInterval } from './statistics.ts'

const gray = '#9aa3af'

const lossAxis: Axis = {
  label: 'training loss',
  scale: 'log',
  from: 0.05,
  to: 3,
  ticks: [0.05, 0.1, 0.2, 0.5, 1, 2],
}

const colorOf = (curve: Curve): string => {
  if (hasDiverged(curve)) return gray
  return curve.risen.length > 0 ? colors.large : colors.small
}

/** Labels stand at the ends of curves; one whose end is this close to a labelled one gets none. */
const labelRatioMin = 1.28

/** Which curves get their rate as a label: the smallest that diverges; of the others, from the largest, those with room. */
function labelsOf(curves: readonly Curve[], rates: readonly number[]): (string | undefined)[] {
  const firstDiverged = curves.findIndex(hasDiverged)
  const ends: number[] = []
  return curves
    .map((curve, index) => ({ curve, index, text: rates[index]!.toPrecision(2) }))
    .reverse()
    .map(({ curve, index, text }) => {
      if (hasDiverged(curve)) return index === firstDiverged ? `${text}: diverged` : undefined
      const end = curve.losses.at(-1)!
      if (ends.some((other) => Math.max(end / other, other / end) < labelRatioMin)) return undefined
      ends.push(end)
      return text
    })
    .reverse()
}

function curvesPanel(curves: readonly Curve[], sizes: BandsSizes): Panel {
  const every = Math.max(1, Math.round(sizes.epochs / 4))
  const labels = labelsOf(curves, sizes.rates)
  const series: Series[] = curves.map((curve, index) => {
    const label = labels[index]
    return {
      points: curve.losses.map((loss, epoch) => ({ x: epoch, y: loss ?? Number.NaN })),
      color: colorOf(curve),
      ...(label === undefined ? {} : { label }),
    }
  })
  return {
    title: 'One seed: loss after each epoch at each rate',
    x: {
      label: 'epoch',
      scale: 'linear',
      from: 0,
      to: sizes.epochs,
      ticks: [0, 1, 2, 3, 4].map((part) => part * every),
    },
    y: lossAxis,
    series,
  }
}

function finalPanel({ curves }: BandsResult, { rates }: BandsSizes): Panel {
  // The kinds a little apart, so that they do not cover each other.
  const of = (color: string, label: string, shift: number): Series => ({
    points: [...curves.values()].flatMap((row) =>
      row.flatMap((curve, index) =>
        colorOf(curve) === color ? [{ x: rates[index]! * shift, y: finalLoss(curve) }] : [],
      ),
    ),
    color,
    hasLine: false,
    hasMarks: true,
    label,
  })
  return {
    title: 'All seeds: final loss by rate',
    x: {
      label: 'learning rate',
      scale: 'log',
      from: rates[0]!,
      to: rates.at(-1)!,
      ticks: [0.002, 0.01, 0.05, 0.2, 1],
    },
    y: lossAxis,
    series: [of(colors.small, 'no epoch rises', 1), of(colors.large, 'some epoch rises', 1.12)],
  }
}

export function bandsPicture(result: BandsResult, sizes: BandsSizes): string {
  return picture(
    [curvesPanel(result.curves.get(sizes.seeds[0]!)!, sizes), finalPanel(result, sizes)],
    'Experiment A: training loss by epoch and by learning rate; orange where no epoch rises, blue where one does',
  )
}

const percents = (rows: readonly SeedResult[], score: (row: SeedResult) => Score): Interval =>
  meanInterval(rows.map((row) => 100 * (score(row).testAccuracy ?? Number.NaN)))

function noisePanel(labelNoise: number, rows: readonly SeedResult[], sizes: GeneralisationSizes): Panel {
  const { largeEpochs } = sizes
  // Lines a little apart, so that error bars do not cover each other.
  const of = (name: keyof SeedResult, shift: number) =>
    largeEpochs.map((epochs, index) => {
      const { mean, low, high } = percents(rows, (row) => row[name][index]!)
      return { x: epochs + shift, y: mean, low, high }
    })
  const series: Series[] = [
    { points: of('arms', 0), color: colors.large, hasMarks: true, label: 'large, then small' },
    { points: of('equalEpochs', 0.4), color: colors.small, hasMarks: true, label: 'equal epochs' },
    { points: of('equalLoss', 0.8), color: gray, hasMarks: true, label: 'equal loss' },
  ]
  const bounds = series.flatMap(({ points }) =>
    points.flatMap(({ low = Number.NaN, high = Number.NaN }) => [low, high]),
  )
  const finite = bounds.filter(Number.isFinite)
  const from = Math.floor(Math.min(...finite))
  const to = Math.ceil(Math.max(...finite))
  const tickStep = Math.max(1, Math.ceil((to - from) / 8))
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  return {
    title: labelNoise === 0 ? 'Clean labels' : `${(100 * labelNoise).toFixed(0)} % of labels wrong`,
    x: {
      label: 'epochs of the large step',
      scale: 'linear',
      from: 0,
      to: largeEpochs.at(-1)! + 1,
      ticks: largeEpochs,
    },
    y: {
      label: 'test accuracy, %',
      scale: 'linear',
      from,
      to,
      ticks: ticks.filter((_, index) => index % tickStep === 0),
    },
    series,
  }
}

export function generalisationPicture(result: GeneralisationResult, sizes: GeneralisationSizes): string {
  return picture(
    [...result].map(([labelNoise, rows]) => noisePanel(labelNoise, rows, sizes)),
    'Experiment D: test accuracy by the length of the large-step phase, beside runs with the small step alone',
  )
}
