// What as many steps again gain: a chart of runs without a budget, made from the records of their decisions.

import { describe, expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { withoutBudget } from '../gallery/syntheticScenes.ts'
import { gainsChart } from './gainsChart.ts'
import { positionOn } from './scale.ts'
import { viewOf } from './view.ts'

describe('what as many steps again gain, without a budget', () => {
  const { run, decisions, series } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })
  const open = { run: { ...run, budgetSteps: null }, decisions: withoutBudget(decisions), series }
  const spec = gainsChart(viewOf({ ...open, zoom: null, lossFit: 'fit' }))

  test('is a line with its band, and beside it what makes them worth it; they meet where the run ends', () => {
    expect(spec.marks.map((mark) => [mark.kind, 'color' in mark ? mark.color : ''])).toEqual([
      ['band', 'large'],
      ['line', 'large'],
      ['line', 'anneal'],
    ])
    const [gain, half, worth] = spec.columns.map(({ value }) => value(1500))
    expect(gain).toBeGreaterThan(worth! + half!)
    expect(spec.head(1500)).toMatchObject([
      { label: 'gain', key: 'large' },
      { label: 'worth it above', key: 'anneal' },
    ])
    expect(spec.tableSteps).toEqual(
      open.decisions.filter(({ kind }) => kind === 'hold').map(({ step }) => step),
    )
    expect(spec.sentence).toMatch(
      /^By the last probe as many steps again are still worth it: they gain 0\.\d+, and must gain/,
    )
    expect(positionOn(spec.scale, 0)).toBeGreaterThanOrEqual(0)
  })

  test('has a logarithmic axis where the gain is far above what makes it worth it', () => {
    expect(spec.scale.kind).toBe('linear')
    const far = open.decisions.map((decision) => ({
      ...decision,
      ...(decision.test === undefined
        ? {}
        : { test: { ...decision.test, right: { value: 1e-4, standardError: null } } }),
    }))
    const { scale, marks } = gainsChart(viewOf({ ...open, decisions: far, zoom: null, lossFit: 'fit' }))
    expect(scale.kind).toBe('log')
    for (const mark of marks)
      if (mark.kind === 'band') for (const low of mark.low) expect(low).toBeGreaterThanOrEqual(scale.low)
  })

  test('says why where nothing was weighed', () => {
    const nothing = gainsChart(viewOf({ ...open, decisions: [], zoom: null, lossFit: 'fit' }))
    expect(nothing).toMatchObject({ marks: [], missing: 'Not measured yet.', tableSteps: [] })
    expect(nothing.head(1500)).toEqual([])
  })
})
