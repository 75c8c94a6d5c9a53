// The ribbon and the charts of a run under one x axis. Width comes from the element; everything else is a
// function of the run's values.

import { useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { RunAddress } from '../state/address.ts'
import { ghost, otherGhosts } from '../state/ghost.ts'
import { countSamples, type Series, withNeighbours } from '../state/series.ts'
import { useKeys } from '../views/keys.ts'
import { isUnapplied } from '../views/words.ts'
import { Chart, useCursorReset, zoomFactor } from './chart.tsx'
import { ChartBar } from './chartBar.tsx'
import { ratioChart, regimeChart } from './diagnosticCharts.ts'
import { FoldedPanels } from './foldedPanels.tsx'
import { gainsChart } from './gainsChart.ts'
import { lossChart } from './lossChart.ts'
import { glyphOf, plannedGlyph } from './markers.ts'
import { noiseChart } from './noiseChart.ts'
import type { ChartLine, Frame } from './pen.ts'
import { elapsedOf, firstStepOf, lastStepOf, plannedSwitchOf } from './phases.ts'
import { type Range, shownRange } from './ranges.ts'
import { rateChart } from './rateChart.ts'
import { Ribbon } from './ribbon.tsx'
import { signalChart } from './signalChart.ts'
import { type ChartId, type ChartSpec, type PanelId, panelIds, type RunView, signalPrefix } from './spec.ts'
import { StepAxis } from './stepAxis.tsx'
import { useShown } from './useShown.ts'
import { viewOf } from './view.ts'

export type RunChartsProps = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly series: Series
  /** A part of the run, in finer steps; null = there is none at hand. */
  readonly zoomed: Series | null
  readonly signalNames: readonly string[]
  readonly address: RunAddress
  /** The decision shown beside the charts, and whether a person chose it. */
  readonly chosen: Decision | null
  readonly silent: boolean
  readonly choose: (number: number) => void
  readonly change: (part: Partial<RunAddress>) => void
  readonly openPicker: () => void
}

/** Decisions whose lines cross the charts; beyond it only the ribbon shows them. */
const linesMax = 60

export function linesOf(view: RunView, chosen: Decision | null): ChartLine[] {
  const changes = view.decisions.filter(
    ({ kind, step, number }) =>
      kind !== 'hold' &&
      kind !== 'start' &&
      step >= view.from &&
      step <= view.to &&
      number !== chosen?.number,
  )
  const lines: ChartLine[] = changes.slice(-linesMax).map((decision) => ({
    step: decision.step,
    glyph: glyphOf(decision),
    dashed: isUnapplied(decision),
    faint: true,
  }))
  const planned = plannedSwitchOf(view.run)
  if (planned !== null) lines.push({ step: planned, glyph: plannedGlyph, dashed: true, faint: false })
  return lines
}

/** The width of an element, measured again whenever it changes; 0 before it stands. */
function useWidth(host: { readonly current: HTMLElement | null }): number {
  const width = useSignal(0)
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
  return width.value
}

/** The finer part where it holds all that is shown, else the whole run. */
function seriesFor({ series, zoomed }: RunChartsProps, range: Range | null): Series {
  const holds =
    range !== null && zoomed !== null && zoomed.fromStep <= range.from && zoomed.toStep >= range.to
  return holds ? withNeighbours(zoomed, series) : series
}

const usualCharts: Readonly<Record<PanelId, (view: RunView) => ChartSpec>> = {
  loss: lossChart,
  gains: gainsChart,
  rate: rateChart,
  regime: regimeChart,
  noise: noiseChart,
  ratio: ratioChart,
}

/** Panels in order: drawn, without anything to draw, closed by a person. */
function panelsOf(view: RunView, { signals, closed }: RunAddress) {
  const usual = panelIds.map((id) => usualCharts[id](view))
  const isClosed = ({ id }: ChartSpec) => id !== 'loss' && closed.includes(id)
  // While samples are on their way nothing is known to be missing.
  const isKnown = usual[0]!.missing === null || elapsedOf(view.run) === 0
  const isMissing = ({ id, missing }: ChartSpec) => isKnown && id !== 'loss' && missing !== null
  const open = usual.filter((spec) => !isClosed(spec))
  const drawn = open.filter((spec) => !isMissing(spec))
  // What a person has added stands below the loss and the gains, where it is seen.
  const above = drawn.filter(({ id }) => id === 'loss' || id === 'gains')
  return {
    drawn: [
      ...above,
      ...signals.map((signal) => signalChart(view, signal)),
      ...drawn.filter((spec) => !above.includes(spec)),
    ],
    missing: open.filter(isMissing),
    closed: usual.filter(isClosed),
  }
}

export function RunCharts(props: RunChartsProps) {
  const { run, decisions, address, change, chosen } = props
  const host = useRef<HTMLElement>(null)
  const widthPx = useWidth(host)
  useCursorReset()
  const whole = { from: firstStepOf(run), to: lastStepOf(run) }
  const asked = shownRange(address.zoom, address.last, whole, run.step)
  const shown = useShown(asked.range, whole, (zoom) => change({ zoom, last: null }))
  useKeys({
    '+': () => shown.zoomBy(1 / zoomFactor),
    '=': () => shown.zoomBy(1 / zoomFactor),
    '-': () => shown.zoomBy(zoomFactor),
  })
  const { range } = shown
  const series = useMemo(() => seriesFor(props, range), [props.series, props.zoomed, range?.from, range?.to])
  const { lossFit, smooth } = address
  const seen = ghost.value
  const others = otherGhosts.value
  const view = useMemo(
    () => viewOf({ run, decisions, series, zoom: range, lossFit, smooth, ghost: seen, others }),
    [run, decisions, series, range?.from, range?.to, lossFit, smooth, seen, others],
  )
  const panels = useMemo(() => panelsOf(view, address), [view, address.signals, address.closed])
  const pinned = address.decision !== null
  const frame: Frame = {
    widthPx,
    from: view.from,
    to: view.to,
    stretches: view.stretches,
    gaps: view.gaps,
    lines: linesOf(view, pinned ? chosen : null),
    zoomed: range !== null,
    chosenStep: address.step ?? (pinned ? (chosen?.step ?? null) : null),
    nowStep: run.step,
    silent: props.silent,
    narrow: widthPx < 560,
  }
  const chooseAt = (step: number, within: number) => {
    const near = nearestDecision(decisions, step, within)
    if (near !== undefined) props.choose(near.number)
  }
  const closePanel = (id: ChartId) =>
    id.startsWith(signalPrefix)
      ? change({ signals: address.signals.filter((name) => `${signalPrefix}${name}` !== id) })
      : change({ closed: [...address.closed, id] })
  const stops = decisions.map(({ step }) => step)
  return (
    <section ref={host} class="card charts" aria-labelledby="charts-title">
      <h2 id="charts-title" class="visually-hidden">
        Phases, decisions and charts
      </h2>
      {widthPx > 0 && (
        <>
          <ChartBar
            whole={whole}
            range={range}
            last={address.last}
            smooth={smooth}
            setLast={(last) => change({ last, zoom: null })}
            setSmooth={(steps) => change({ smooth: steps })}
            lossFit={lossFit}
            setLossFit={(next) => change({ lossFit: next })}
            showWhole={() => shown.show(null)}
            words={asked.words}
            picker={{
              names: props.signalNames,
              open: address.signals,
              setOpen: (signals) => change({ signals }),
            }}
            openPicker={props.openPicker}
          />
          <Ribbon
            view={view}
            widthPx={widthPx}
            chosen={chosen}
            choose={props.choose}
            chooseAt={chooseAt}
            shown={shown}
          />
          {panels.drawn.map((spec) => (
            <Chart
              key={spec.id}
              spec={spec}
              frame={frame}
              shown={shown}
              runId={run.id}
              chooseAt={chooseAt}
              stops={stops}
              {...(spec.id === 'loss'
                ? { toolbar: <Thinned series={series} /> }
                : { close: () => closePanel(spec.id) })}
            />
          ))}
          <StepAxis from={view.from} to={view.to} widthPx={widthPx} />
          <FoldedPanels
            missing={panels.missing}
            closed={panels.closed}
            reopen={(id) => change({ closed: address.closed.filter((other) => other !== id) })}
          />
        </>
      )}
    </section>
  )
}

/** What changed something before a hold, then the nearest. */
function nearestDecision(decisions: readonly Decision[], step: number, within: number): Decision | undefined {
  const near = decisions.filter((decision) => Math.abs(decision.step - step) <= within)
  near.sort(
    (a, b) =>
      Number(a.kind === 'hold') - Number(b.kind === 'hold') ||
      Math.abs(a.step - step) - Math.abs(b.step - step),
  )
  return near[0]
}

/** How many of the samples are shown. */
function Thinned(props: { series: Series }) {
  const { shown, stored } = countSamples(props.series.signals.loss)
  if (stored <= shown) return null
  return (
    <span class="thinned" title="Each pixel keeps its least and its greatest sample.">
      showing {formatStep(shown)} of {formatStep(stored)}
    </span>
  )
}
