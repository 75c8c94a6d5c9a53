// One number looks the same wherever it stands: in the server's sentence, in the facts, in the panel, in the charts and
// their tables. The sentence is written as the tuner writes it, with protocol/numbers.ts.

import { describe, expect, test } from 'vitest'
import { formatNumber, formatRate } from '../../protocol/numbers.ts'
import { ratioChart } from '../charts/diagnosticCharts.ts'
import { lossChart } from '../charts/lossChart.ts'
import { noiseChart } from '../charts/noiseChart.ts'
import { rateChart } from '../charts/rateChart.ts'
import { logTicks } from '../charts/scale.ts'
import { viewOf } from '../charts/view.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import type { Columns } from '../state/series.ts'
import { factsOf } from './facts.tsx'
import { notesOf } from './notes.ts'
import { sidesOf } from './testBars.tsx'

const { run, decisions, series } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })
const step = 3119
const constant = (value: number): Columns => ({
  step: [0, step],
  min: [value, value],
  max: [value, value],
  last: [value, value],
  count: [1, 1],
  nonFinite: [0, 0],
})
const viewWith = (signals: Record<string, Columns>) =>
  viewOf({ run, decisions: [], series: { ...series, signals }, zoom: null, lossFit: 'fit' })

describe.each([0.1, 0.05, 0.0313, 0.125, 0.5, 1, 5e-5, 1e-6, 3e-4])('the rate %s', (rate) => {
  const said = formatRate(rate)
  const whole = new RegExp(`(?<![\\d.])${said.replaceAll('.', '\\.')}(?![\\d.]\\d|\\d|e)`)

  test('in the facts and notices', () => {
    const plan = { version: 1, segments: [{ ...run.plan.segments[2]!, fromStep: 0, from: rate, to: rate }] }
    const applied = { ...run, plan, learningRate: rate }
    expect(factsOf(applied).map(({ words }) => words)).toContain(`Applied rate ${said}, as recommended`)
    const override = { learningRate: rate, untilStep: 4000, reason: '' }
    expect(factsOf({ ...run, override, learningRate: rate })[1]?.words).toBe(`Applied rate ${said}, by hand`)
    expect(factsOf({ ...run, override, state: 'paused' })[0]?.words).toBe(
      `Set by hand: ${said} until step 4,000`,
    )
    const drift = { sinceStep: 9, applied: rate, planned: rate }
    expect(notesOf({ ...run, drift }, 0)[0]?.words).toBe(
      `The job applies ${said}, the plan says ${said}, since step 9.`,
    )
    expect(notesOf({ ...run, plan, state: 'stale' }, 0)[0]?.words).toMatch(whole)
  })

  test('in the charts, their tables and their sentences', () => {
    const chart = rateChart(viewWith({ learningRate: constant(rate) }))
    expect(chart.head(step).find(({ label }) => label === 'applied')?.value).toBe(said)
    expect(chart.columns[0]?.at(step)).toBe(said)
    expect(chart.sentence).toMatch(whole)
    const ratio = ratioChart(viewWith({ criticalLearningRate: constant(rate), rateRatio: constant(1) }))
    expect(ratio.head(step).map(({ label }) => label)).toContain(`critical rate ${said}`)
    expect(ratio.columns[1]?.at(step)).toBe(said)
  })
})

describe.each([0.1, 0.28, 0.3217, 2.3, 12.345, 5e-5, 123_456, -0.5])('the number %s', (value) => {
  const said = formatNumber(value)

  test('as a loss in the chart and its table', () => {
    const chart = lossChart(viewWith({ loss: constant(value), lossSmoothed: constant(value) }))
    expect(chart.head(step).find(({ label }) => label === 'smoothed')?.value).toBe(said)
    expect(chart.columns.slice(0, 2).map(({ at }) => at(step))).toEqual([said, said])
    expect(chart.sentence).toContain(`Loss ${said},`)
  })

  test("as a side of a decision's test without an error, and as a signal", () => {
    const { test: weighed } = decisions.findLast(({ kind }) => kind === 'hold')!
    const sides = sidesOf({ ...weighed!, left: { value, standardError: null } })
    expect(sides[0].words.value).toBe(said)
    const noise = noiseChart(viewWith({ noiseScale: constant(value) }))
    expect(noise.head(step)[0]?.value).toBe(said)
    expect(noise.columns[0]?.at(step)).toBe(said)
  })

  test('as the loss at the end', () => {
    const outcome = { firstLoss: value, keptLoss: value, isBetter: true }
    expect(factsOf({ ...run, outcome }).map(({ words }) => words)).toContain(
      `Training loss ${said} at the start, ${said} at the end`,
    )
  })
})

test('on an axis a power of ten is written as everywhere, up to where the gutter ends', () => {
  for (const { value, label } of logTicks(1e-6, 1e3, 11)) expect(label).toBe(formatNumber(value))
})
