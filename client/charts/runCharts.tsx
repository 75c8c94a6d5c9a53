// The ribbon and the five charts of a run under one x axis. Width comes from the element; everything else is a
// function of the run's values.

import { useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { formatStep } from '../../protocol/numbers.ts'
import type { Decision } from '../../protocol/vocabulary.ts'
import { ghost } from '../state/ghost.ts'
import { countSamples } from '../state/series.ts'
import { Chart, useCursorReset } from './chart.tsx'
import { noiseChart, ratioChart, regimeChart } from './diagnosticCharts.ts'
import { lossChart } from './lossChart.ts'
import { glyphOf, plannedGlyph } from './markers.ts'
import type { ChartLine, Frame } from './pen.ts'
import { plannedSwitchOf } from './phases.ts'
import { rateChart } from './rateChart.ts'
import { guttersOf, narrowPx, Ribbon } from './ribbon.tsx'
import { niceValues } from './scale.ts'
import type { LossFit, RunView } from './spec.ts'
import { type ViewSource, viewOf } from './view.ts'

export type RunChartsProps = ViewSource & {
  /** The decision shown beside the charts, and whether a person chose it. */
  readonly chosen: Decision | null
  readonly pinned: boolean
  /** A step that a person looks back to; null = none. */
  readonly pinnedStep: number | null
  readonly silent: boolean
  readonly choose: (number: number) => void
  readonly setZoom: (zoom: { from: number; to: number } | null) => void
  readonly setLossFit: (fit: LossFit) => void
}

const fitWords: Readonly<Record<LossFit, string>> = {
  fit: 'Fit: after warm-up',
  all: 'Fit: all',
  log: 'Log axis',
}
const fitAfter: Readonly<Record<LossFit, LossFit>> = { fit: 'all', all: 'log', log: 'fit' }

/** Width of a character of the step axis, and the least gap between two of its labels, in px. */
const labelCharPx = 6.8
const labelGapPx = 4

/** Decisions whose lines cross the charts; beyond it only the ribbon shows them. */
const linesMax = 60

function linesOf(view: RunView, chosen: Decision | null): ChartLine[] {
  const changes = view.decisions.filter(
    ({ kind, step, number }) =>
      kind !== 'hold' &&
      kind !== 'start' &&
      step >= view.from &&
      step <= view.to &&
      number !== chosen?.number,
  )
  const lines: ChartLine[] = changes
    .slice(-linesMax)
    .map((decision) => ({ step: decision.step, glyph: glyphOf(decision), dashed: false }))
  const planned = plannedSwitchOf(view.run)
  if (planned !== null) lines.push({ step: planned, glyph: plannedGlyph, dashed: true })
  return lines
}

export function RunCharts(props: RunChartsProps) {
  const host = useRef<HTMLElement>(null)
  const width = useSignal(0)
  useCursorReset()
  useLayoutEffect(() => {
    const element = host.current!
    const measure = () => {
      width.value = element.clientWidth
    }
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [width])
  const { run, decisions, series, zoom, lossFit, chosen } = props
  const seen = ghost.value
  const view = useMemo(
    () => viewOf({ run, decisions, series, zoom, lossFit, ghost: seen }),
    [run, decisions, series, zoom, lossFit, seen],
  )
  const specs = useMemo(
    () => [lossChart(view), rateChart(view), regimeChart(view), noiseChart(view), ratioChart(view)],
    [view],
  )
  const frame: Frame = {
    widthPx: width.value,
    from: view.from,
    to: view.to,
    stretches: view.stretches,
    gaps: view.gaps,
    lines: linesOf(view, props.pinned ? chosen : null),
    zoomed: zoom !== null,
    chosenStep: props.pinnedStep ?? (props.pinned ? (chosen?.step ?? null) : null),
    nowStep: run.step,
    silent: props.silent,
    narrow: width.value < 560,
  }
  const chooseAt = (step: number, within: number) => {
    const near = decisions
      .filter((decision) => Math.abs(decision.step - step) <= within)
      .sort(
        (a, b) =>
          Number(a.kind === 'hold') - Number(b.kind === 'hold') ||
          Math.abs(a.step - step) - Math.abs(b.step - step),
      )
    if (near[0] !== undefined) props.choose(near[0].number)
  }
  const stops = decisions.map(({ step }) => step)
  return (
    <section ref={host} class="card charts" aria-labelledby="charts-title">
      <h2 id="charts-title" class="visually-hidden">
        Phases, decisions and charts
      </h2>
      {width.value > 0 && (
        <>
          <Ribbon
            view={view}
            widthPx={width.value}
            chosen={chosen}
            choose={props.choose}
            zoomOut={() => props.setZoom(null)}
          />
          {specs.map((spec) => (
            <Chart
              key={spec.id}
              spec={spec}
              frame={frame}
              zoom={props.setZoom}
              chooseAt={chooseAt}
              stops={stops}
              toolbar={spec.id === 'loss' ? <LossTools {...props} /> : undefined}
            />
          ))}
          <StepAxis from={view.from} to={view.to} widthPx={width.value} />
        </>
      )}
    </section>
  )
}

function LossTools(props: RunChartsProps) {
  const { shown, stored } = countSamples(props.series.signals.loss)
  return (
    <>
      {stored > shown && (
        <span class="thinned" title="Each pixel keeps its least and its greatest sample.">
          showing {formatStep(shown)} of {formatStep(stored)}
        </span>
      )}
      {props.zoom !== null && (
        <button type="button" class="tool tool-words" onClick={() => props.setZoom(null)}>
          Whole run
        </button>
      )}
      <button
        type="button"
        class="tool tool-words"
        aria-label={`Loss axis, ${fitWords[props.lossFit]}. Change`}
        onClick={() => props.setLossFit(fitAfter[props.lossFit])}
      >
        {fitWords[props.lossFit]}
      </button>
    </>
  )
}

function StepAxis(props: { from: number; to: number; widthPx: number }) {
  const { from, to, widthPx } = props
  const { left, right } = guttersOf(widthPx)
  const x = (step: number) => left + ((widthPx - left - right) * (step - from)) / (to - from)
  const first = `step ${formatStep(from)}`
  const room = (text: string) => text.length * labelCharPx
  const inner = niceValues(from, to, widthPx < narrowPx ? 4 : 8).filter((step) => {
    const half = room(formatStep(step)) / 2 + labelGapPx
    return x(step) - half > left + room(first) && x(step) + half < x(to) - room(formatStep(to))
  })
  const steps = [from, ...inner, to]
  return (
    <svg class="step-axis" width={widthPx} height="24" aria-hidden="true">
      {steps.map((step) => (
        <g key={step}>
          <path d={`M${x(step)} 0v4`} />
          <text x={x(step)} y="16" text-anchor={step === to ? 'end' : step === from ? 'start' : 'middle'}>
            {step === from ? first : formatStep(step)}
          </text>
        </g>
      ))}
    </svg>
  )
}
