// Learning rate on a logarithmic axis: applied (solid ink) up to the present step, planned (dashed, in its
// phase's colour) after it, evaluated from the plan as any client does. A rate of 0 has a row of its own
// below the axis. The scale spans two decades under the highest rate; a range test that starts at one
// millionth would flatten all the rest.

import { formatRate, formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan, segmentsRate } from '../../protocol/plan.ts'
import type { Segment } from '../../protocol/vocabulary.ts'
import { valueAt } from '../state/series.ts'
import { formatKnown } from '../views/format.ts'
import { aheadWords } from '../views/words.ts'
import type { ColorName } from './palette.ts'
import { warmupEndOf } from './phases.ts'
import { extremesOf, logScale, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, Points, RunView } from './spec.ts'
import { columnsOf, fileStepsOf, tableColumn, tableStepsOf, valuesFrom } from './view.ts'

/** The scale reaches down to a hundredth of the highest rate; for an anneal that went lower, to this share. */
const spanShown = 100
const spanMax = 2_000
const heightPx = 92
/** With curves of other rules, which lie close to one another. */
const othersHeightPx = 168
/** Points at which a planned stretch is evaluated. */
const plannedPoints = 80

export function rateChart(view: RunView): ChartSpec {
  const applied = columnsOf(view, 'learningRate')
  const scale = rateScale(view)
  const ahead = aheadWords(view.run)
  return {
    id: 'rate',
    title: 'Learning rate',
    heightPx: view.others?.length ? othersHeightPx : heightPx,
    bottomPx: 16,
    scale,
    marks: rateMarks(view, scale),
    head: (step) => rateHead(view, step),
    sentence: rateSentence(view),
    tableSteps: tableStepsOf(view, applied),
    fileSteps: fileStepsOf(view, applied),
    columns: [
      tableColumn('applied', (step) => (step < view.run.step ? valueAt(applied, step) : null), formatRate),
      {
        title: ahead,
        value: (step) => (step >= view.run.step ? plannedRate(view, step) : null),
        at: (step) => (step >= view.run.step ? formatKnown(plannedRate(view, step), formatRate) : 'past'),
      },
    ],
    missing: null,
  }
}

function plannedRate(view: RunView, step: number): number | null {
  return view.run.plan.segments.length === 0 ? null : evaluatePlan(view.run.plan, step).learningRate
}

function rateScale(view: RunView): Scale {
  const applied = columnsOf(view, 'learningRate')
  const planned = view.stretches
    // A range test is planned far beyond where it will stop: it does not set the scale.
    .filter(({ planned: ahead, phase }) => ahead && phase !== 'warmup')
    .flatMap(({ fromStep, toStep }) => [plannedRate(view, fromStep), plannedRate(view, toStep - 1e-6)])
  const all = extremesOf(valuesFrom(applied, 'max', view, 0), planned)
  if (all === null || all[1] <= 0) return logScale(0.001, 1, 4)
  const high = all[1]
  const settled = view.stretches.find(({ phase, planned: ahead }) => phase === 'large' && !ahead)
  if (settled === undefined && view.run.phase === 'warmup') {
    const shown = extremesOf(valuesFrom(applied, 'min', view, 0).filter((v) => v !== null && v > 0))
    return logScale(Math.min(shown?.[0] ?? high / spanShown, high), high, 5)
  }
  const least = extremesOf(
    valuesFrom(applied, 'min', view, warmupEndOf(view.run)).filter((v) => v !== null && v > 0),
  )?.[0]
  const low = Math.max(high / spanMax, Math.min(high / spanShown, least ?? high))
  return logScale(low, high * 1.4, 5)
}

function rateMarks(view: RunView, scale: Scale): Mark[] {
  const marks: Mark[] = [{ kind: 'zeroRow' }, ...zonesByHand(view)]
  const applied = columnsOf(view, 'learningRate')
  if (applied !== undefined) {
    const shown = applied.last.map((rate) =>
      rate !== null && (rate >= scale.low || rate === 0) ? rate : null,
    )
    marks.push({ kind: 'line', points: { step: applied.step, value: shown }, color: 'ink', width: 2 })
  }
  for (const stretch of view.stretches) {
    if (!stretch.planned) continue
    const step: number[] = []
    const value: number[] = []
    for (let k = 0; k <= plannedPoints; k++) {
      const at = stretch.fromStep + ((stretch.toStep - stretch.fromStep) * k) / plannedPoints
      // The end belongs to the next stretch; a hair before it the segment's own value holds.
      const rate = plannedRate(view, k === plannedPoints && at < view.to ? at - 1e-6 : at) ?? 0
      if (rate < scale.low && rate !== 0) continue
      step.push(at)
      value.push(rate)
    }
    const color: ColorName =
      stretch.phase === 'anneal' ? 'anneal' : stretch.phase === 'large' ? 'large' : 'ink-3'
    marks.push({ kind: 'line', points: { step, value }, color, width: 2, dash: [5, 4] })
  }
  return [...marks, ...otherMarks(view, scale), ...ghostMarks(view, scale)]
}

/** The rates of segments inside the window; null = none of them is. */
function segmentPoints(segments: readonly Segment[], { from, to }: RunView, scale: Scale): Points | null {
  const begin = segments[0]?.fromStep
  const end = segments.at(-1)?.toStep
  if (begin === undefined || end === undefined) return null
  const [first, last] = [Math.max(begin, from), Math.min(end, to)]
  if (first >= last) return null
  const step: number[] = []
  const value: (number | null)[] = []
  for (let k = 0; k <= plannedPoints; k++) {
    const at = first + ((last - first) * k) / plannedPoints
    const rate = segmentsRate(segments, at)
    step.push(at)
    value.push(rate >= scale.low || rate === 0 ? rate : null)
  }
  return { step, value }
}

/** What would be, in plum dots. */
function ghostMarks(view: RunView, scale: Scale): Mark[] {
  const points = view.ghost == null ? null : segmentPoints(view.ghost, view, scale)
  return points === null
    ? []
    : [{ kind: 'line', points, color: 'human', width: 2.5, dash: [1.5, 4], rim: true }]
}

/** What other rules would do: thin, each with its name and its cost. */
const otherMarks = (view: RunView, scale: Scale): Mark[] =>
  (view.others ?? []).flatMap(({ name, cost, segments }) => {
    const points = segmentPoints(segments, view, scale)
    const label = cost === '' ? name : `${name} ${cost}`
    return points === null
      ? []
      : [{ kind: 'line', points, color: 'ink-3', width: 1.3, dash: [3, 2], label } as const]
  })

/** Stretches in which a person's rate held, from the override to the hand-back or its own end. */
function zonesByHand(view: RunView): Mark[] {
  const zones: Mark[] = []
  const changes = view.decisions.filter(
    ({ kind }) => kind === 'override' || kind === 'hand-back' || kind === 'finish',
  )
  for (const [index, decision] of changes.entries()) {
    if (decision.kind !== 'override') continue
    const isLast = index === changes.length - 1
    const end = isLast ? (view.run.override?.untilStep ?? view.run.step) : changes[index + 1]!.step
    const rate =
      decision.plan.segments.length > 0 ? evaluatePlan(decision.plan, decision.step).learningRate : null
    zones.push({
      kind: 'zone',
      fromStep: decision.step,
      toStep: Math.max(end, decision.step + 1),
      color: 'human',
      text: rate === null ? 'by hand' : `by hand: ${formatRate(rate)}`,
    })
  }
  return zones
}

function rateHead(view: RunView, step: number): HeadItem[] {
  if (step > view.run.step)
    return [
      {
        label: aheadWords(view.run),
        value: formatKnown(plannedRate(view, step), formatRate),
        key: 'dashed',
      },
    ]
  const applied = valueAt(columnsOf(view, 'learningRate'), step)
  const items: HeadItem[] =
    applied === null ? [] : [{ label: 'applied', value: formatRate(applied), key: 'ink' }]
  if (view.stretches.some(({ planned }) => planned))
    items.push({ label: aheadWords(view.run), value: '', key: 'dashed' })
  return items
}

function rateSentence(view: RunView): string {
  const applied = valueAt(columnsOf(view, 'learningRate'), view.to)
  const parts = [
    applied === null ? 'Learning rate: none applied yet' : `Learning rate ${formatRate(applied)}`,
  ]
  for (const stretch of view.stretches) {
    if (!stretch.planned) continue
    const from = formatKnown(plannedRate(view, stretch.fromStep), formatRate)
    const to = formatKnown(plannedRate(view, stretch.toStep), formatRate)
    const rates = from === to ? from : `${from} to ${to}`
    parts.push(
      `${aheadWords(view.run)} ${rates} from step ${formatStep(stretch.fromStep)} to ${formatStep(stretch.toStep)}`,
    )
  }
  const warmup = warmupEndOf(view.run)
  if (warmup > 0) parts.push(`warm-up ended at step ${formatStep(warmup)}`)
  return `${parts.join('; ')}.`
}
