// The small pictures beside words: a run's phase bar and loss curve in the list, the bar of one side of the
// test, a decision's glyph. All SVG, all functions of values, all with the same words in text.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { standardErrorsIn95 } from '../views/format.ts'
import type { Glyph } from './markers.ts'
import { elapsedOf, firstStepOf, lastStepOf, settledStepOf, stretchesOf } from './phases.ts'
import { extremesOf } from './scale.ts'

/** Phases of a run as one bar: measured solid, planned as outlines, a line at the present step. */
export function PhaseBar(props: { run: RunSummary }) {
  const { run } = props
  const width = 212
  const first = firstStepOf(run)
  const x = (step: number) => (width * (step - first)) / (lastStepOf(run) - first)
  const now = x(run.step)
  const ended = run.state === 'finished' || run.state === 'diverged'
  return (
    <svg
      class="phase-bar"
      viewBox={`0 0 ${width} 14`}
      width={width}
      height="14"
      aria-hidden="true"
      preserveAspectRatio="none"
    >
      {stretchesOf(run).map((stretch) => {
        const left = x(stretch.fromStep)
        const length = x(stretch.toStep) - left
        if (length < 0.5) return null
        return stretch.planned ? (
          <rect
            key={`p${stretch.fromStep}`}
            class={`planned planned-${stretch.phase}`}
            x={left + 0.5}
            y="3.5"
            width={Math.max(0.5, length - 1.5)}
            height="7"
            rx="2"
          />
        ) : (
          <rect
            key={stretch.fromStep}
            class={`past past-${stretch.phase}`}
            x={left}
            y="3"
            width={Math.max(1, length - 0.5)}
            height="8"
            rx="2"
          />
        )
      })}
      {run.state === 'diverged' && <path class="bad-line" d={`M${now - 9} 1l8 12M${now - 1} 1l-8 12`} />}
      {!ended && <path class="now-line" d={`M${now} 0V14`} />}
    </svg>
  )
}

/**
 * The range of a run's small curve. As in the large chart it is that after warm-up, or of the newer half while that
 * is longer: what a search reached at its height would flatten everything else. The curve enters from above.
 */
export function sparkRange(run: RunSummary): [number, number] | null {
  const values = run.spark
  const start = (settledStepOf(run) - firstStepOf(run)) / Math.max(1, elapsedOf(run))
  return extremesOf(values.slice(Math.ceil(start * values.length))) ?? extremesOf(values)
}

/** Up to 40 smoothed losses as a curve with a dot at the last one. */
export function Spark(props: { run: RunSummary }) {
  const { spark, state } = props.run
  const values = spark.filter((value) => Number.isFinite(value))
  const range = sparkRange(props.run)
  if (range === null)
    return <svg class="spark" width="80" height="28" viewBox="0 0 80 28" aria-hidden="true" />
  const [low, high] = range
  const room = high - low || 1
  const share = Math.min(1, elapsedOf(props.run) / (lastStepOf(props.run) - firstStepOf(props.run)))
  const x = (i: number) => 2 + (74 * share * i) / Math.max(1, values.length - 1)
  const y = (value: number) => 23 - (19 * (Math.max(low, value) - low)) / room
  const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return (
    <svg
      class={`spark ${state === 'diverged' ? 'spark-bad' : ''}`}
      width="80"
      height="28"
      viewBox="0 0 80 28"
      aria-hidden="true"
    >
      <path class="ground" d="M2 26.5H78" />
      <polyline points={points} />
      <circle cx={x(values.length - 1)} cy={Math.max(2.4, y(values.at(-1)!))} r="2.4" />
    </svg>
  )
}

/**
 * One side of a test: the value as a bar from 0, its 95 % interval as a whisker. `least` (at most 0) and `most` are the
 * ends of the track.
 */
export function EvidenceBar(props: {
  value: number
  standardError: number | null
  least: number
  most: number
  color: 'large' | 'anneal' | 'ink-2' | 'ink-3'
}) {
  const { value, standardError, least, most, color } = props
  const at = (amount: number) => Math.min(99.6, Math.max(0, (100 * (amount - least)) / (most - least)))
  const half = (standardError ?? 0) * standardErrorsIn95
  const [low, high] = [at(value - half), at(value + half)]
  const percent = (share: number) => `${share}%`
  const start = at(Math.min(0, value))
  return (
    <svg class="evidence-bar" width="100%" height="20" aria-hidden="true">
      <rect class="track" x="0" y="4" width="100%" height="12" rx="3" />
      <rect
        class={`fill-${color}`}
        x={percent(start)}
        y="4"
        width={percent(at(Math.max(0, value)) - start)}
        height="12"
        rx="3"
      />
      {half > 0 &&
        ['rim', 'whisker'].map((line) => (
          <g key={line} class={line}>
            <line x1={percent(low)} x2={percent(high)} y1="10" y2="10" />
            <line x1={percent(low)} x2={percent(low)} y1="5.5" y2="14.5" />
            <line x1={percent(high)} x2={percent(high)} y1="5.5" y2="14.5" />
          </g>
        ))}
    </svg>
  )
}

/** A decision's glyph as an SVG group, for buttons and lists. */
export function GlyphPicture(props: { glyph: Glyph; size?: number }) {
  const { glyph, size = 14 } = props
  return (
    <svg
      class={`glyph ink-${glyph.color} ${glyph.hollow ? 'hollow' : ''} ${glyph.isDashed ? 'dashed' : ''}`}
      width={size}
      height={size}
      viewBox="-7 -7 14 14"
      aria-hidden="true"
    >
      <path d={glyph.path} />
      {glyph.stroke !== undefined && <path class="inner" d={glyph.stroke} />}
    </svg>
  )
}
