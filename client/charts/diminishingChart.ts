// Of a run without a budget: what as many steps again would take off the loss, with its 95 % band, and what they must, to be worth
// it, as the rule weighed them at every probe. Where the first falls below the second, the run anneals and ends. Both are of the
// records of decisions; both are in units of the loss, so 0 is on the axis.

import { formatNumber, formatPair } from '../../protocol/numbers.ts'
import { formatMeasured, standardErrorsIn95 } from '../views/format.ts'
import { howWords, whyNotMeasured } from './diagnosticCharts.ts'
import { extremesOf, linearScale, logScale, quantileOf, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, Points, RunView } from './spec.ts'
import { pointAt, tableColumn } from './view.ts'

/** What was weighed at each probe, in order of step. */
type Weighed = {
  readonly gain: Points
  /** Half of the gain's 95 % interval. */
  readonly half: Points
  readonly worth: Points
}

function weighedOf({ decisions }: RunView): Weighed {
  const step: number[] = []
  const columns = { gain: [] as number[], half: [] as (number | null)[], worth: [] as number[] }
  for (const decision of decisions) {
    const { test } = decision
    if (test?.key !== 'diminishing-returns' || decision.step <= (step.at(-1) ?? -1)) continue
    const { value, standardError } = test.left
    step.push(decision.step)
    columns.gain.push(value)
    columns.half.push(standardError === null ? null : standardErrorsIn95 * standardError)
    columns.worth.push(test.right.value)
  }
  const points = (value: readonly (number | null)[]): Points => ({ step, value })
  return { gain: points(columns.gain), half: points(columns.half), worth: points(columns.worth) }
}

/** What is gained at first may be a hundred times what makes it worth it: beyond this ratio the axis is logarithmic. */
const logRatio = 20

export function diminishingChart(view: RunView): ChartSpec {
  const weighed = weighedOf(view)
  const { gain, half, worth } = weighed
  const isMeasured = gain.step.length > 0
  const scale = scaleOf(weighed, view)
  const why = whyNotMeasured(view.run, 'heldOutLoss')
  const inside = gain.step.filter((step) => step >= view.from && step <= view.to)
  return {
    id: 'gains',
    title: 'What as many steps again gain',
    heightPx: 128,
    bottomPx: 8,
    scale,
    marks: isMeasured ? marksOf(weighed, scale) : [],
    head: (step) => headOf(weighed, step),
    note: 'The run ends where they cross.',
    sentence: isMeasured ? sentenceOf(weighed, view.to) : `What as many steps again gain: ${why}`,
    tableSteps: inside,
    fileSteps: inside,
    columns: [
      tableColumn('as many steps again gain', (step) => pointAt(gain, step)),
      tableColumn('± 95 %', (step) => pointAt(half, step)),
      tableColumn('worth it above', (step) => pointAt(worth, step)),
    ],
    missing: isMeasured ? null : why,
    how: howWords.heldOutLoss,
  }
}

function marksOf({ gain, half, worth }: Weighed, { kind, low }: Scale): Mark[] {
  // Below 0 there is no place on a logarithmic axis: the band reaches its end.
  const shown = (edge: number) => (kind === 'log' ? Math.max(low, edge) : edge)
  const edge = (sign: 1 | -1) =>
    gain.value.map((value, i) =>
      value === null || half.value[i] == null ? null : shown(value + sign * half.value[i]!),
    )
  return [
    { kind: 'band', step: gain.step, low: edge(-1), high: edge(1), color: 'large', alpha: 0.16 },
    { kind: 'line', points: gain, color: 'large', width: 2, dots: 1.8 },
    { kind: 'line', points: worth, color: 'anneal', width: 2, dots: 1.8 },
  ]
}

/** Holds what is usual of both lines in view, and three quarters of the bands: early ones would flatten the rest. */
function scaleOf({ gain, half, worth }: Weighed, { from, to }: RunView): Scale {
  const shown = gain.step.flatMap((step, i) => (step >= from && step <= to ? [i] : []))
  const amount = ({ value }: Points, i: number) => value[i] ?? 0
  const lines = [gain, worth].map((points) => shown.map((i) => amount(points, i)))
  const usual = lines.flatMap((values) => [quantileOf(values, 0.03), quantileOf(values, 0.97)])
  const ends = ([-1, 1] as const).map((sign) =>
    quantileOf(
      shown.map((i) => amount(gain, i) + sign * amount(half, i)),
      sign < 0 ? 0.25 : 0.75,
    ),
  )
  const [low, high] = extremesOf([0, ...usual, ...ends])!
  const [most, least] = [quantileOf(lines[0]!, 0.9), extremesOf(lines[1]!)?.[0]]
  if (most != null && least !== undefined && least > 0 && most > logRatio * least)
    return logScale(least / 2, Math.max(most, high), 5)
  return high > low ? linearScale(low, high, 4) : linearScale(0, 1, 4)
}

function headOf({ gain, half, worth }: Weighed, step: number): HeadItem[] {
  const [value, width, needed] = [pointAt(gain, step), pointAt(half, step), pointAt(worth, step)]
  if (value === null || needed === null) return []
  const words = formatMeasured(value, width === null ? null : width / standardErrorsIn95)
  const after = words.plusMinus === null ? {} : { after: `± ${words.plusMinus}` }
  return [
    { label: 'gain', value: words.value, ...after, key: 'large' },
    { label: 'worth it above', value: formatNumber(needed), key: 'anneal' },
  ]
}

function sentenceOf({ gain, worth }: Weighed, at: number): string {
  const [value, needed] = [pointAt(gain, at), pointAt(worth, at)]
  if (value === null || needed === null) return 'What as many steps again gain is not measured yet.'
  const verdict = value > needed ? 'are still worth it' : 'are not worth it any more'
  return `By the last probe as many steps again ${verdict}: they gain ${formatPair(value, needed).replace(' vs ', ', and must gain ')}.`
}
