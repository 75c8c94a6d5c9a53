// What a chart is, as plain values: a scale, marks in the order in which they are painted, what its head
// shows at a step, a sentence for people who do not see it, and the table behind it. The charts of a run
// are functions from a `RunView` to this; one painter (paint.ts) draws them all.

import type { Decision, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import type { GhostCurve } from '../state/ghost.ts'
import type { Gap, Series } from '../state/series.ts'
import type { ColorName } from './palette.ts'
import type { Stretch } from './phases.ts'
import type { Range } from './ranges.ts'
import type { Scale } from './scale.ts'

/** Everything that the charts of a run are made from. */
export type RunView = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly series: Series
  readonly gaps: readonly Gap[]
  readonly stretches: readonly Stretch[]
  /** The run's first step, as far as it is known. */
  readonly first: number
  /** The steps that the x axis shows. */
  readonly from: number
  readonly to: number
  readonly lossFit: LossFit
  /** Segments that are looked at and not in force. */
  readonly ghost?: readonly Segment[] | null
  /** What other rules would do. */
  readonly others?: readonly GhostCurve[]
  /** All steps that the axis has, whatever part of them is shown. */
  readonly whole: Range
  /** Steps to each side over which the loss is smoothed; 0 = it is not. */
  readonly smoothSteps: number
  readonly smoothedLoss: Points
}
export type LossFit = 'fit' | 'all' | 'log'

export type Points = { readonly step: readonly number[]; readonly value: readonly (number | null)[] }

export type Mark =
  | {
      readonly kind: 'line'
      readonly points: Points
      readonly color: ColorName
      readonly width: number
      readonly dash?: readonly number[]
      /** Radius of a dot on every point, in px. */
      readonly dots?: number
      /** A rim of the surface's colour, so that the line reads on busy ground. */
      readonly rim?: boolean
      /** What it is, at its first point. */
      readonly label?: string
    }
  | {
      readonly kind: 'band'
      readonly step: readonly number[]
      readonly low: readonly (number | null)[]
      readonly high: readonly (number | null)[]
      readonly color: ColorName
      readonly alpha: number
    }
  /** From the least to the greatest sample of each bucket: every spike is kept. */
  | {
      readonly kind: 'spikes'
      readonly step: readonly number[]
      readonly min: readonly (number | null)[]
      readonly max: readonly (number | null)[]
      readonly color: ColorName
      readonly alpha: number
    }
  | { readonly kind: 'hatch'; readonly fromStep: number; readonly toStep: number; readonly text: string }
  | {
      readonly kind: 'zone'
      readonly fromStep: number
      readonly toStep: number
      readonly color: ColorName
      readonly text: string
    }
  /** A reference value across the chart, with its meaning at the right edge. */
  | {
      readonly kind: 'reference'
      readonly value: number
      readonly color: ColorName
      readonly text: string
      /** The line ends before the text, which stands on it; otherwise the text stands under the line. */
      readonly inline?: boolean
    }
  /** Samples that are not finite: a cross on the top edge. */
  | { readonly kind: 'cross'; readonly step: number; readonly count: number }
  /** The scale ends below some samples. */
  | { readonly kind: 'cut'; readonly step: number; readonly text: string }
  | {
      readonly kind: 'end'
      readonly step: number
      readonly value: number
      /** Its 95 % interval. */
      readonly low: number
      readonly high: number
      /** What it came to in the end. */
      readonly reached?: number
      readonly text: string
      /** Where the text finds no room. */
      readonly short: string
    }
  /** The run has gone back to the weights of an earlier step. */
  | { readonly kind: 'back'; readonly step: number; readonly toStep: number; readonly text: string }
  | { readonly kind: 'zeroRow' }

export type HeadItem = {
  readonly label: string
  /** More of the label, where there is room. */
  readonly more?: string
  readonly value: string
  readonly after?: string
  /** How the legend draws it; absent = words only. */
  readonly key?: 'large' | 'anneal' | 'raw' | 'ink' | 'dashed'
  /** Left out on narrow screens. */
  readonly secondary?: boolean
}

export type TableColumn = {
  readonly title: string
  readonly at: (step: number) => string
  /** The number behind the words, for a file. */
  readonly value: (step: number) => number | null
}

export const panelIds = ['loss', 'gains', 'rate', 'regime', 'noise', 'ratio'] as const
export type PanelId = (typeof panelIds)[number]
/** A signal that has a panel of its own is named after the hyphen. */
export const signalPrefix = 'signal-'
export type ChartId = PanelId | `${typeof signalPrefix}${string}`
export type ChartSpec = {
  readonly id: ChartId
  readonly title: string
  readonly heightPx: number
  /** Room under the scale, in px (the rate's row for 0 lies there). */
  readonly bottomPx: number
  readonly scale: Scale
  readonly marks: readonly Mark[]
  /** What the head says at a step. */
  readonly head: (step: number) => readonly HeadItem[]
  /** What the ends of the scale mean, in the head where there is room. */
  readonly note?: string
  readonly sentence: string
  /** Steps of the table's rows and what stands in them. */
  readonly tableSteps: readonly number[]
  /** Every step that a file has a row for. */
  readonly fileSteps: readonly number[]
  readonly columns: readonly TableColumn[]
  /** Why there is nothing to draw; null = there is. */
  readonly missing: string | null
  /** What would bring what is missing. */
  readonly how?: string
}
