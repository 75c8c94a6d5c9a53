// The picture of experiment A. Blue is the large step, orange the small one, as on the product's page.

import type { BandsResult, BandsSizes } from './bands.ts'
import { type Curve, finalLoss, hasDiverged } from './curves.ts'
import { type Axis, colors, type Panel, picture, type Series } from './panel.ts'

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
