// The pictures of experiments B, C and D: ratios with their 95 % intervals beside the line that they are judged by. Blue is
// the large step or what is claimed, orange the small one or the control, as on the product's page.

import type { GeneralisationCase } from './generalisation.ts'
import { caseName, comparisons, errorRatio } from './generalisationReport.ts'
import { type Axis, colors, type Panel, type Point, picture, type Series } from './panel.ts'
import type { RescalingResult } from './rescaling.ts'
import type { SmallStepResult } from './smallStep.ts'
import type { Interval } from './statistics.ts'

const gray = '#9aa3af'

const pointOf = (x: number, { mean: y, low, high }: Interval): Point => ({ x, y, low, high })
const line = (axis: Axis, y: number, label: string): Series => ({
  points: [axis.from, axis.to].map((x) => ({ x, y })),
  color: gray,
  dash: '4 3',
  label,
})

const ratioTicks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
/** A log axis of the ticks that hold all points with their bars, at least from `from` to `to`. */
function ratioAxis(
  label: string,
  series: readonly Series[],
  { from, to }: { from: number; to: number },
): Axis {
  const values = series.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [y, low, high]))
  const finite = values.filter((value) => Number.isFinite(value) && value > 0)
  const [lowest, highest] = [Math.min(from, ...finite), Math.max(to, ...finite)]
  const first = ratioTicks.findLast((tick) => tick <= lowest) ?? ratioTicks[0]!
  const last = ratioTicks.find((tick) => tick >= highest) ?? ratioTicks.at(-1)!
  return {
    label,
    scale: 'log',
    from: first,
    to: last,
    ticks: ratioTicks.filter((tick) => tick >= first && tick <= last),
  }
}

function rescalingPanel({ name, ratios }: RescalingResult): Panel {
  const x: Axis = { label: 'momentum', scale: 'linear', from: 0.4, to: 1, ticks: [0.5, 0.9, 0.95] }
  const series: Series[] = [
    {
      points: ratios.map(({ momentum, rescaled }) => pointOf(momentum, rescaled)),
      color: colors.large,
      hasMarks: true,
      label: 'same η_eff',
    },
    {
      points: ratios.map(({ momentum, control }) => pointOf(momentum, control)),
      color: colors.small,
      hasMarks: true,
      label: 'same η',
    },
  ]
  const y = ratioAxis('distance to the plain run / between seeds', series, { from: 0.5, to: 2 })
  return { title: name, x, y, series: [...series, line(x, 1.5, '1.5')] }
}

export const rescalingPicture = (results: readonly RescalingResult[]): string =>
  picture(
    results.map(rescalingPanel),
    'Experiment B: distance of runs with momentum to the plain run, at the same effective rate and at the same rate',
  )

function networkPanel({ batches, ownRates }: SmallStepResult): Panel {
  const sizes = batches.map(({ batchSize }) => batchSize)
  const x: Axis = {
    label: 'batch size',
    scale: 'log',
    from: sizes[0]! / 2,
    to: sizes.at(-1)! * 2,
    ticks: sizes,
  }
  const series: Series[] = [
    {
      points: batches.map(({ batchSize, gap }) => pointOf(batchSize, gap)),
      color: colors.large,
      hasMarks: true,
    },
    {
      points: ownRates.batches.map(({ batchSize, gap }) => pointOf(batchSize * 1.15, gap)),
      color: colors.small,
      hasMarks: true,
    },
  ]
  const y = ratioAxis('epochs without / with momentum .9', series, { from: 0.5, to: 2 })
  return { title: 'Network: one rate blue, own rates orange', x, y, series: [...series, line(x, 1, 'nil')] }
}

function leastSquaresPanel({ leastSquares }: SmallStepResult): Panel {
  const conditions = [...new Set(leastSquares.map(({ condition }) => condition))]
  const [least, most] = [conditions[0]!, conditions.at(-1)!]
  const x: Axis = {
    label: 'condition number κ',
    scale: 'log',
    from: least / 2,
    to: most * 2,
    ticks: conditions,
  }
  const of = (isBest: boolean, color: string): Series => ({
    points: leastSquares
      .filter((gap) => gap.isBest === isBest)
      .map(({ condition, ratio }) => pointOf(condition, ratio)),
    color,
    hasMarks: true,
  })
  const root: Series = {
    points: conditions.map((condition) => ({ x: condition, y: Math.sqrt(condition) })),
    color: gray,
    dash: '4 3',
    label: '√κ',
  }
  const series = [of(true, colors.large), of(false, colors.small), root]
  const y = ratioAxis('steps without / with momentum', series, { from: 0.5, to: 2 })
  return { title: 'Least squares: best momentum blue, .9 orange', x, y, series }
}

export const smallStepPicture = (result: SmallStepResult): string =>
  picture(
    [networkPanel(result), leastSquaresPanel(result)],
    'Experiment C: what momentum saves, by batch size for a network and by condition number for least squares',
  )

export function generalisationPicture(cases: readonly GeneralisationCase[]): string {
  const panels = cases.map((entry): Panel => {
    const x: Axis = {
      label: comparisons.map(({ name }, index) => `${index + 1}: ${name}`).join(', '),
      scale: 'linear',
      from: 0.5,
      to: comparisons.length + 0.5,
      ticks: comparisons.map((_, index) => index + 1),
    }
    const points = comparisons.map(({ control }, index) =>
      pointOf(index + 1, errorRatio(entry.rows, control)),
    )
    const y: Axis = {
      label: 'test error, arm / control',
      scale: 'linear',
      from: 0.7,
      to: 1.2,
      ticks: [0.7, 0.8, 0.9, 1, 1.1, 1.2],
    }
    return {
      title: caseName(entry),
      x,
      y,
      series: [{ points, color: colors.large, hasLine: false, hasMarks: true }, line(x, 1, 'equal')],
    }
  })
  return picture(panels, 'Experiment D: test error with a large-step phase over that of three controls')
}
