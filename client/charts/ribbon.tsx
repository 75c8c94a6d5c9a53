// The ribbon above the charts: phases as bars (measured solid, planned dashed), the measured regime as a thin line below
// them, a glyph per decision as a button, a tick per hold, the chosen decision as a tag. It shares its x axis with the charts below. Dragging
// over the bars zooms as on the charts; a double click shows the whole run.

import { formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { aheadWords, decisionTitle, decisionWords, phaseTitle } from '../views/words.ts'
import {
  glyphOf,
  type Marker,
  placeMarkers,
  placeTicks,
  plannedGlyph,
  stackDistancePx,
  touchedDistancePx,
} from './markers.ts'
import { plannedSwitchOf, type Stretch } from './phases.ts'
import { PlotSurface } from './plotSurface.tsx'
import { type RegimeStretch, regimeStretchesOf } from './regimes.ts'
import { GlyphPicture } from './smallPictures.tsx'
import type { RunView } from './spec.ts'
import type { ShownSteps } from './useShown.ts'

/** Left gutter (axis labels) and right margin of all charts, in px. */
export const guttersOf = (widthPx: number) =>
  widthPx < 560 ? { left: 44, right: 14 } : { left: 54, right: 20 }
/** Below this width the tag holds the step alone, and secondary words go. */
export const narrowPx = 880

/** What a person points with is a finger. */
const isTouched = (): boolean => matchMedia('(pointer: coarse)').matches

const barTop = 31
const barHeight = 20
const regimeTop = 54.5
const regimeHeight = 4
const heightPx = 66

type RibbonProps = {
  readonly view: RunView
  readonly widthPx: number
  readonly chosen: Decision | null
  readonly choose: (number: number) => void
  readonly chooseAt: (step: number, withinSteps: number) => void
  readonly shown: ShownSteps
}

export function Ribbon(props: RibbonProps) {
  const { view, widthPx, chosen } = props
  const { left, right } = guttersOf(widthPx)
  const x = (step: number) => left + ((widthPx - left - right) * (step - view.from)) / (view.to - view.from)
  const inside = (step: number) => step >= view.from && step <= view.to
  const visible = view.decisions.filter(({ step }) => inside(step))
  const markers = placeMarkers(visible, x, isTouched() ? touchedDistancePx : stackDistancePx)
  const planned = plannedSwitchOf(view.run)
  // The planned switch takes its glyph's place and that of its words.
  const plannedTaken = planned === null ? [] : [0, 40, 80, 120].map((offset) => x(planned) + offset)
  const others = markers
    .filter(({ decisions }) => !decisions.some((d) => d.number === chosen?.number))
    .map((marker) => marker.x)
  return (
    <div class="ribbon">
      <svg width={widthPx} height={heightPx} aria-hidden="true">
        <HatchPattern />
        {view.stretches.map((stretch) => (
          <Bar
            key={`${stretch.fromStep}-${stretch.planned}`}
            stretch={stretch}
            view={view}
            x={x}
            narrow={widthPx < narrowPx}
          />
        ))}
        {widthPx >= narrowPx && (
          <text class="ribbon-label" x={left - 8} y={regimeTop + 6} text-anchor="end">
            regime
          </text>
        )}
        {regimeStretchesOf(view.run, view.decisions).map((stretch) => (
          <RegimeLine key={stretch.fromStep} stretch={stretch} view={view} x={x} />
        ))}
        {placeTicks(visible, x).map((at) => (
          <path key={at} class="tick" d={`M${at} 25.5v3`} />
        ))}
        {inside(view.run.step) && (
          <path class="now-line" d={`M${x(view.run.step)} ${barTop - 3}V${heightPx}`} />
        )}
        {chosen !== null && inside(chosen.step) && (
          <path class="now-line" d={`M${x(chosen.step)} 22V${heightPx}`} />
        )}
      </svg>
      <PlotSurface
        class="ribbon-surface"
        from={view.from}
        to={view.to}
        leftPx={left}
        widthPx={widthPx - left - right}
        zoomed={props.shown.range !== null}
        moves={props.shown}
        chooseAt={props.chooseAt}
      />
      <ol class="markers" aria-label="Decisions that changed something">
        {markers.map((marker) => (
          <MarkerButton
            key={marker.decisions[0]!.number}
            marker={marker}
            chosen={chosen}
            choose={props.choose}
          />
        ))}
      </ol>
      {planned !== null && inside(planned) && (
        <PlannedSwitch run={view.run} at={x(planned)} step={planned} room={widthPx - right - x(planned)} />
      )}
      {chosen !== null && inside(chosen.step) && (
        <Tag
          decision={chosen}
          at={x(chosen.step)}
          widthPx={widthPx}
          short={widthPx < narrowPx}
          others={[...others, ...plannedTaken]}
        />
      )}
    </div>
  )
}

function HatchPattern() {
  return (
    <defs>
      <pattern
        id="hatch-anneal"
        width="7"
        height="7"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect class="hatch-ground" width="7" height="7" />
        <path class="hatch-line" d="M0 0V7" />
      </pattern>
      <pattern
        id="hatch-unknown"
        width="4"
        height="4"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <path class="hatch-unknown-line" d="M0 0V4" />
      </pattern>
    </defs>
  )
}

function barWords(stretch: Stretch, view: RunView, narrow: boolean): string {
  const { run } = view
  if (stretch.phase === 'large') {
    const rate = run.largeLearningRate
    return narrow || rate === null || stretch.planned
      ? phaseTitle.large
      : `${phaseTitle.large} ${formatRate(rate)}`
  }
  return stretch.planned && !narrow
    ? `${phaseTitle[stretch.phase]}, ${aheadWords(run)}`
    : phaseTitle[stretch.phase]
}

function Bar(props: { stretch: Stretch; view: RunView; x: (step: number) => number; narrow: boolean }) {
  const { stretch, view, x } = props
  const from = Math.max(stretch.fromStep, view.from)
  const to = Math.min(stretch.toStep, view.to)
  if (to <= from) return null
  const left = x(from) + 0.5
  const width = Math.max(1, x(to) - x(from) - 1)
  const words = barWords(stretch, view, props.narrow)
  const continues =
    stretch.planned &&
    view.stretches.some((s) => !s.planned && s.phase === stretch.phase && s.toStep === stretch.fromStep)
  const fits = width > words.length * 7.3 + 14 && !continues
  return (
    <g class={`stretch ${stretch.planned ? 'stretch-planned' : 'stretch-past'} stretch-${stretch.phase}`}>
      <rect x={left} y={barTop} width={width} height={barHeight} rx="3" />
      {fits && (
        <text x={left + 8} y={barTop + 14}>
          {words}
        </text>
      )}
    </g>
  )
}

function RegimeLine(props: { stretch: RegimeStretch; view: RunView; x: (step: number) => number }) {
  const { stretch, view, x } = props
  const from = Math.max(stretch.fromStep, view.from)
  const to = Math.min(stretch.toStep, view.to)
  if (to <= from) return null
  const width = Math.max(1, x(to) - x(from) - 1)
  return (
    <rect
      class={`regime-${stretch.name}`}
      x={x(from) + 0.5}
      y={regimeTop}
      width={width}
      height={regimeHeight}
    />
  )
}

function MarkerButton(props: { marker: Marker; chosen: Decision | null; choose: (number: number) => void }) {
  const { x, decisions } = props.marker
  const index = decisions.findIndex(({ number }) => number === props.chosen?.number)
  // A stack goes round: each press chooses its next decision.
  const next = decisions[(index + 1) % decisions.length]!
  const stacked = decisions.length > 1
  const label = stacked
    ? `${decisions.length} decisions, steps ${formatStep(decisions[0]!.step)} to ${formatStep(decisions.at(-1)!.step)}. Open ${decisionTitle(next)}`
    : `${decisionTitle(next)}, decision ${next.number}`
  return (
    <li style={{ left: `${x}px` }}>
      <button
        type="button"
        class={`marker ${stacked ? 'marker-stack' : ''}`}
        aria-label={label}
        aria-pressed={index >= 0}
        title={stacked ? decisions.map(decisionTitle).join('\n') : decisionTitle(next)}
        onClick={() => props.choose(next.number)}
      >
        {stacked ? <span>{decisions.length}</span> : <GlyphPicture glyph={glyphOf(next)} />}
      </button>
    </li>
  )
}

function PlannedSwitch(props: { run: RunSummary; at: number; step: number; room: number }) {
  const ahead = aheadWords(props.run) === 'advised' ? 'Switch advised' : 'Switch'
  const words = `${ahead} at about ${formatStep(props.step)}`
  return (
    <p class="planned-switch" style={{ left: `${props.at}px` }}>
      <GlyphPicture glyph={plannedGlyph} />
      <span class={props.room > 170 ? '' : 'visually-hidden'}>{words}</span>
    </p>
  )
}

type TagProps = { decision: Decision; at: number; widthPx: number; short: boolean; others: readonly number[] }

/** Before the line, or after it where it would hide fewer glyphs there. */
export function tagMiddle(at: number, half: number, widthPx: number, others: readonly number[]): number {
  const within = (middle: number) => Math.min(widthPx - half - 2, Math.max(half + 2, middle))
  const hidden = (middle: number) => others.filter((x) => Math.abs(x - middle) < half + 7).length
  const [before, after] = [within(at - half + 10), within(at + half - 10)]
  return hidden(after) < hidden(before) ? after : before
}

function Tag(props: TagProps) {
  const { decision, at, widthPx } = props
  const words = props.short
    ? formatStep(decision.step)
    : `${decisionWords(decision)}, step ${formatStep(decision.step)}`
  const half = (words.length * 6.7 + (props.short ? 18 : 34)) / 2
  const middle = tagMiddle(at, half, widthPx, props.others)
  return (
    <p class="tag" style={{ left: `${middle}px` }} aria-hidden="true">
      {!props.short && <GlyphPicture glyph={glyphOf(decision)} size={12} />}
      {words}
    </p>
  )
}
