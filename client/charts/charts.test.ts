// The five charts as functions of values: what they draw, say and leave out.

import { describe, expect, test } from 'vitest'
import { type SyntheticOptions, syntheticRun } from '../gallery/syntheticRun.ts'
import { emptySeries } from '../state/runState.ts'
import { ratioChart, regimeChart } from './diagnosticCharts.ts'
import { gainsChart } from './gainsChart.ts'
import { lossChart } from './lossChart.ts'
import { noiseChart } from './noiseChart.ts'
import { rateChart } from './rateChart.ts'
import { positionOn } from './scale.ts'
import { signalChart, signalWords } from './signalChart.ts'
import { foundSignals } from './signalPicker.tsx'
import { sparkRange } from './smallPictures.tsx'
import type { ChartSpec, RunView } from './spec.ts'
import { viewOf } from './view.ts'

const viewFor = (options: Partial<SyntheticOptions> = {}): RunView =>
  viewOf({
    ...syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000, ...options }),
    zoom: null,
    lossFit: 'fit',
  })
const emptyView = (): RunView => {
  const { run } = syntheticRun({ id: 'a', step: 0, budgetSteps: 6000 })
  const capabilities = [] as const
  return viewOf({
    run: { ...run, phases: [], loss: null, options: { ...run.options, capabilities } },
    decisions: [],
    series: emptySeries('a'),
    zoom: null,
    lossFit: 'fit',
  })
}
const kinds = (spec: ChartSpec) => spec.marks.map(({ kind }) => kind)
const all = [lossChart, gainsChart, rateChart, regimeChart, noiseChart, ratioChart]

test('every chart of an empty run has axes, a sentence and no invented value', () => {
  for (const chart of all) {
    const spec = chart(emptyView())
    expect(spec.scale.ticks.length).toBeGreaterThan(0)
    expect(spec.sentence).toMatch(/\.$/)
    expect(spec.tableSteps).toEqual([])
  }
  expect(noiseChart(emptyView()).missing).toBe('Not measured. Needs microBatchNorms from the job.')
  expect(ratioChart(emptyView()).missing).toBe('Not measured. Needs lineProbe from the job.')
})

test('noise that is measured, and covers the gradient, is not told as not measured', () => {
  const view = emptyView()
  const traceSigma = {
    signal: 'traceSigma',
    value: 2,
    standardError: 1,
    unit: 'squared gradient',
    count: 4,
  } as const
  const [decision] = viewFor().decisions
  const evidence = [{ ...traceSigma, source: 'micro-batch-norms' as const }]
  const spec = noiseChart({ ...view, decisions: [{ ...decision!, evidence }] })
  expect(spec.missing).toBe('No value: noise covers the gradient.')
})

describe('loss', () => {
  test('what is expected of the end lies behind the samples as a band, and at the end with its interval', () => {
    const spec = lossChart(viewFor())
    expect(kinds(spec).slice(0, 2)).toEqual(['band', 'line'])
    const end = spec.marks.find((mark) => mark.kind === 'end')
    expect(end).toMatchObject({
      step: 6000,
      text: expect.stringMatching(/^expected 0\.\d+ \(0\.\d+ to 0\.\d+\)$/),
    })
    expect(spec.sentence).toMatch(/; expected at the end 0\.\d+ \(0\.\d+ to 0\.\d+\)\.$/)
  })

  test('ahead the expected end opens as a band from the present loss, as long as there is something ahead', () => {
    const spec = lossChart(viewFor())
    const fan = spec.marks.find((mark) => mark.kind === 'band' && mark.color === 'anneal')
    expect(fan).toMatchObject({ step: [3120, 6000] })
    if (fan?.kind !== 'band') throw new Error('nothing is drawn ahead')
    expect(fan.low[0]).toBe(fan.high[0])
    expect(fan.low[1]).toBeLessThan(fan.high[1]!)
    const ended = lossChart(viewFor({ step: 6000, state: 'finished' }))
    expect(ended.marks.some((mark) => mark.kind === 'band' && mark.color === 'anneal')).toBe(false)
    const diverged = lossChart(viewFor({ state: 'diverged' }))
    expect(kinds(diverged)).not.toContain('end')
  })

  test('at the end what was promised stands beside what was reached', () => {
    const spec = lossChart(viewFor({ step: 6000, state: 'finished' }))
    expect(spec.marks.find((mark) => mark.kind === 'end')).toMatchObject({
      step: 6000,
      value: 0.284,
      reached: 0.281,
      text: 'promised 0.284 (0.273 to 0.287), reached 0.281',
    })
    expect(spec.sentence).toMatch(/; promised 0\.284 \(0\.273 to 0\.287\), reached 0\.281\.$/)
  })

  test('the smoothed line stands in a window between two points of the server, and uses the samples around it', () => {
    const { series, ...source } = syntheticRun({ id: 'a', step: 700, budgetSteps: 700 })
    const signals = {
      ...series.signals,
      lossSmoothed: { ...series.signals.lossSmoothed!, step: [], last: [] },
    }
    const given = { ...source, series: { ...series, signals }, lossFit: 'fit', smooth: 20 } as const
    const narrow = viewOf({ ...given, zoom: { from: 300, to: 340 } })
    const whole = viewOf({ ...given, zoom: null })
    expect(narrow.smoothedLoss.step).toContain(320)
    expect(lossChart(narrow).head(300)[0]).toEqual(lossChart(whole).head(300)[0])
  })

  test('the scale fits what is usual, and says how high the rest went', () => {
    const spec = lossChart(viewFor())
    expect(spec.scale.high).toBeLessThan(1)
    expect(spec.marks.find(({ kind }) => kind === 'cut')).toMatchObject({
      text: expect.stringMatching(/^up to 2\./),
    })
  })

  test('samples that are not finite are crosses with their count', () => {
    const spec = lossChart(viewFor({ nonFinite: [900, 901] }))
    const crosses = spec.marks.filter((mark) => mark.kind === 'cross')
    expect(crosses.reduce((sum, { count }) => sum + count, 0)).toBe(2)
  })

  test('the head follows the step', () => {
    const spec = lossChart(viewFor())
    const first = spec.head(700).find(({ label }) => label === 'smoothed')?.value
    expect(Number(first)).toBeGreaterThan(
      Number(spec.head(3119).find(({ label }) => label === 'smoothed')?.value),
    )
    expect(spec.head(-1).map(({ label }) => label)).toEqual(['raw'])
  })
})

test('weights that were restored are an arrow back to their step, unless the job could not', () => {
  const view = viewFor()
  const guard = view.decisions.find(({ kind }) => kind === 'guard')!
  const back = { ...guard, reason: { key: 'loss-rise', values: { keptStep: guard.step - 100 } } }
  const of = (decisions: RunView['decisions']) =>
    lossChart({ ...view, decisions }).marks.filter(({ kind }) => kind === 'back')
  expect(of([back])).toEqual([
    { kind: 'back', step: guard.step, toStep: guard.step - 100, text: 'weights of step 1,274' },
  ])
  expect(of([back, { ...back, reason: { key: 'kept-not-restored', values: {} } }])).toEqual([])
  expect(of([{ ...back, status: 'advisory', kind: 'lower' }])).toEqual([])
})

describe('gains', () => {
  test('both sides are lines in their colours with bands, and they meet at the switch', () => {
    const spec = gainsChart(viewFor({ step: 4900 }))
    expect(spec.marks.map((mark) => [mark.kind, 'color' in mark ? mark.color : ''])).toEqual([
      ['reference', 'ink-3'],
      ['band', 'large'],
      ['line', 'large'],
      ['band', 'anneal'],
      ['line', 'anneal'],
    ])
    const values = (step: number) => spec.columns.map(({ value }) => value(step))
    const [staying, half, annealing] = values(1500)
    expect(staying).toBeGreaterThan(annealing!)
    expect(half).toBeGreaterThan(0)
    const [last, , lastAnnealing] = values(3960)
    expect(Math.abs(last! - lastAnnealing!)).toBeLessThan(0.003)
    expect(spec.head(3000).map(({ label }) => label)).toEqual(['staying still', 'annealing'])
    expect(spec.head(3000)[0]?.after).toMatch(/^± 0\.00\d+$/)
    expect(positionOn(spec.scale, 0)).toBeGreaterThanOrEqual(0)
  })

  test('gains without errors are lines alone', () => {
    const spec = gainsChart(viewFor({ hasNoErrors: true }))
    expect(kinds(spec)).toEqual(['reference', 'line', 'line'])
    expect(spec.head(3000)[0]?.after).toBeUndefined()
  })

  test('what is not measured says what would bring it', () => {
    const spec = gainsChart(viewFor({ isLossAlone: true }))
    expect(spec.missing).toBe('Not measured. Needs heldOutLoss from the job.')
    expect(spec.how).toMatch(/evaluate=/)
  })
})

describe('any signal', () => {
  test('has a panel under its own name, with its values', () => {
    const view = viewFor({ metrics: ['accuracy'] })
    const spec = signalChart(view, 'metrics.accuracy')
    expect(spec).toMatchObject({ id: 'signal-metrics.accuracy', title: 'accuracy', missing: null })
    const value = spec.columns[0]!.value(3000)
    expect(value).toBeGreaterThan(0.9)
    expect(spec.head(3000)[0]?.value).toBe(spec.columns[0]!.at(3000))
    expect(signalChart(view, 'metrics.none').missing).toMatch(/not reported by this run/)
  })

  test('is found by words of its name, own metrics first', () => {
    const names = ['probeAccuracy', 'loss', 'metrics.top5_accuracy', 'metrics.accuracy']
    expect(foundSignals(names, 'ACCURACY')).toEqual([
      'metrics.accuracy',
      'metrics.top5_accuracy',
      'probeAccuracy',
    ])
    expect(foundSignals(names, 'held accuracy')).toEqual(['probeAccuracy'])
    expect(foundSignals(names, '')).toHaveLength(4)
    expect(signalWords('somethingNew')).toBe('somethingNew')
  })
})

describe('rate', () => {
  test('planned stretches are dashed in the colour of their phase and end in the row for 0', () => {
    const lines = rateChart(viewFor()).marks.filter((mark) => mark.kind === 'line' && mark.dash !== undefined)
    expect(lines.map((line) => line.kind === 'line' && line.color)).toEqual(['large', 'anneal'])
    const last = lines.at(-1)
    expect(last?.kind === 'line' && last.points.value.at(-1)).toBe(0)
  })

  test('a rate below the scale is broken off, not drawn along the edge', () => {
    const spec = rateChart(viewFor())
    const applied = spec.marks.find((mark) => mark.kind === 'line' && mark.dash === undefined)
    if (applied?.kind !== 'line') throw new Error('the applied rate is not drawn')
    expect(applied.points.value[0]).toBeNull()
    for (const value of applied.points.value)
      if (value !== null) expect(positionOn(spec.scale, value)).toBeGreaterThanOrEqual(0)
  })

  test("a person's stretch is marked with its rate", () => {
    expect(rateChart(viewFor()).marks.find(({ kind }) => kind === 'zone')).toMatchObject({
      text: 'by hand: 0.06',
      toStep: 2280,
    })
  })
})

test('what lies ahead of a job that is only advised is called advice', () => {
  const spec = rateChart(viewFor({ mode: 'advisory' }))
  expect(spec.head(3200).map(({ label }) => label)).toEqual(['advised'])
  expect(spec.columns.map(({ title }) => title)).toEqual(['applied', 'advised'])
  expect(spec.sentence).toMatch(/; advised 0\.1 from step 3,120/)
})

test('what a search reached at its height flattens neither the loss chart nor the small curve', () => {
  const view = viewFor()
  const { phases, step } = view.run
  const warmupEnd = phases.find(({ phase }) => phase === 'warmup')!.toStep!
  expect(warmupEnd).toBeGreaterThan(0)
  const smoothed = view.series.signals.lossSmoothed!
  // The smoothed loss still holds the height for some steps after warm-up.
  const last = smoothed.last.map((value, i) => (smoothed.step[i]! < warmupEnd * 1.2 ? 7e7 : value))
  const signals = { ...view.series.signals, lossSmoothed: { ...smoothed, last } }
  const { scale } = lossChart({ ...view, series: { ...view.series, signals } })
  expect(scale.high).toBeCloseTo(lossChart(view).scale.high, 9)

  const spark = Array.from({ length: 40 }, (_, i) => ((i * step) / 40 < warmupEnd ? 7e7 : 2 - i / 40))
  expect(sparkRange({ ...view.run, spark })?.[1]).toBeLessThan(2)
  // While everything is warm-up there is nothing else to show.
  expect(sparkRange({ ...view.run, phases: [], spark: [5, 1] })).toEqual([1, 5])
  expect(sparkRange({ ...view.run, spark: [] })).toBeNull()
})

describe('diagnostics', () => {
  test('an unknown regime says why, by its key', () => {
    const view = emptyView()
    const regime = { name: 'unknown', index: null, low: null, high: null, reason: 'too-few-probes' } as const
    const spec = regimeChart({ ...view, run: { ...view.run, regime } })
    expect(spec.sentence).toBe('Regime unknown: too few probes yet.')
    expect(spec.head(0).map(({ label }) => label)).toEqual(['unknown', 'too few probes yet'])
  })

  test('the regime is hatched until it is known', () => {
    const hatch = regimeChart(viewFor()).marks.find((mark) => mark.kind === 'hatch')
    expect(hatch).toMatchObject({ fromStep: 528, text: 'unknown' })
    expect(kinds(regimeChart(viewFor()))).toContain('band')
  })

  test('an index whose interval says nothing is unknown, and not a line', () => {
    const view = viewFor()
    const { regimeIndexLow: low, regimeIndexHigh: high } = view.series.signals
    const wide = (columns: typeof low, end: number) => ({
      ...columns!,
      last: columns!.last.map((value, i) => (i >= 3 && i < 6 ? end : value)),
    })
    const signals = { ...view.series.signals, regimeIndexLow: wide(low, 0), regimeIndexHigh: wide(high, 1) }
    const { marks } = regimeChart({ ...view, series: { ...view.series, signals } })
    const steps = low!.step
    expect(marks.filter(({ kind }) => kind === 'hatch')).toMatchObject([
      { text: 'unknown' },
      { fromStep: steps[2], toStep: steps[6], text: 'unknown' },
    ])
    const line = marks.find((mark) => mark.kind === 'line')!
    expect(line.points.value.slice(2, 7).map((value) => value === null)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ])
  })

  test('the noise scale has its band from the probes, in the anneal too, and is unknown where nothing new comes', () => {
    const view = viewFor({ step: 4900 })
    const band = noiseChart(view).marks.find((mark) => mark.kind === 'band')!
    expect(band.high.at(-1)).toBeGreaterThan(band.low.at(-1)!)
    expect(kinds(noiseChart(view))).not.toContain('hatch')
    const noise = view.series.signals.noiseScale!
    const from = noise.step.findIndex((step) => step > 4000)
    const last = noise.last.map((value, i) => (i > from ? noise.last[from]! : value))
    const stale = noiseChart({
      ...view,
      series: { ...view.series, signals: { ...view.series.signals, noiseScale: { ...noise, last } } },
    })
    expect(stale.marks.find(({ kind }) => kind === 'hatch')).toMatchObject({
      fromStep: noise.step[from],
      toStep: view.run.step,
      text: 'not measured since',
    })
    expect(stale.marks.find((mark) => mark.kind === 'line')!.points.step.at(-1)).toBe(noise.step[from])
  })

  test('the noise scale stands beside the batch size', () => {
    const spec = noiseChart(viewFor())
    expect(spec.marks.find(({ kind }) => kind === 'reference')).toMatchObject({ value: 128 })
    expect(spec.head(3119)[0]?.after).toMatch(/^± \d+ examples$/)
  })

  test('a ratio far above 2 does not flatten the rest', () => {
    const view = viewFor()
    const ratio = view.series.signals.rateRatio!
    const wild = {
      ...view,
      series: {
        ...view.series,
        signals: { ...view.series.signals, rateRatio: { ...ratio, last: ratio.last.map(() => 40) } },
      },
    }
    expect(ratioChart(wild).scale.high).toBeLessThan(3)
  })
})
