// Layout of the ribbon: stretches past and planned, stacks of markers, where the tag stands.

import { describe, expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { timeLeft } from '../views/facts.tsx'
import { markerCountMax, placeMarkers, placeTicks, stackDistancePx } from './markers.ts'
import { elapsedOf, endStepOf, firstStepOf, lastStepOf, plannedSwitchOf, stretchesOf } from './phases.ts'
import { regimeStretchesOf } from './regimes.ts'
import { tagMiddle } from './ribbon.tsx'
import { viewOf } from './view.ts'

const { run, decisions, series } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })
const change = decisions.find(({ kind }) => kind === 'guard')!
const at = (...steps: number[]) => steps.map((step, i) => ({ ...change, step, number: i + 1 }))

describe('stretches', () => {
  test('measured up to the present step, planned after it', () => {
    expect(stretchesOf(run)).toEqual([
      { phase: 'warmup', fromStep: 0, toStep: 528, planned: false },
      { phase: 'large', fromStep: 528, toStep: 3120, planned: false },
      { phase: 'large', fromStep: 3120, toStep: 3960, planned: true },
      { phase: 'anneal', fromStep: 3960, toStep: 6000, planned: true },
    ])
    expect(plannedSwitchOf(run)).toBe(3960)
  })

  test('a finished run has nothing planned and ends where it ended', () => {
    const finished = syntheticRun({ id: 'a', step: 5000, budgetSteps: 6000, state: 'finished' }).run
    expect(stretchesOf(finished).some(({ planned }) => planned)).toBe(false)
    expect(lastStepOf(finished)).toBe(5000)
    expect(plannedSwitchOf(finished)).toBeNull()
  })

  test('a run without budget and plan still has an axis', () => {
    const young = { ...run, budgetSteps: null, step: 0, phases: [], plan: { version: 1, segments: [] } }
    expect(lastStepOf(young)).toBe(10)
    expect(stretchesOf(young)).toEqual([])
  })

  test('a run may count from any step: its budget is steps to take from there, or where the counter ends', () => {
    const later = {
      ...run,
      options: { ...run.options, firstStep: 10_000 },
      step: 13_120,
      phases: run.phases.map(({ phase, fromStep }) => ({ phase, fromStep: fromStep + 10_000, toStep: null })),
      plan: { version: 1, segments: [] },
    }
    expect(firstStepOf(later)).toBe(10_000)
    expect(elapsedOf(later)).toBe(3_120)
    expect(endStepOf(later)).toBe(16_000)
    expect(endStepOf({ ...later, budgetSteps: 14_000 })).toBe(14_000)
    expect(lastStepOf(later)).toBe(16_000)
    expect(timeLeft(later)).toBe(timeLeft(run))
    expect(viewOf({ run: later, decisions, series, zoom: null, lossFit: 'fit' })).toMatchObject({
      from: 10_000,
      to: 16_000,
    })
    expect(lastStepOf({ ...later, budgetSteps: null })).toBe(10_000 + Math.ceil(3_120 * 1.1))
    // Where the job did not tell, the plan's end and the first sample do.
    const untold = { ...later, options: run.options, phases: [] }
    const segments = run.plan.segments.map((segment) => ({
      ...segment,
      fromStep: segment.fromStep + 10_000,
      toStep: segment.toStep + 10_000,
    }))
    expect(endStepOf({ ...untold, plan: { version: 1, segments } })).toBe(16_000)
  })

  test('a plan that names no phases anneals where its rate falls', () => {
    const segments = [{ fromStep: 3000, toStep: 6000, shape: 'linear', from: 0.1, to: 0 } as const]
    expect(stretchesOf({ ...run, plan: { version: 1, segments } }).at(-1)).toMatchObject({
      phase: 'anneal',
      planned: true,
    })
  })
})

describe('stretches by regime', () => {
  test('from each transition to the next and to the present step, unknown before the first', () => {
    const { run: ended, decisions: told } = syntheticRun({
      id: 'a',
      step: 6000,
      budgetSteps: 6000,
      state: 'finished',
    })
    expect(regimeStretchesOf(ended, told)).toEqual([
      { name: 'unknown', fromStep: 0, toStep: 720 },
      { name: 'large-step', fromStep: 720, toStep: 5280 },
      { name: 'small-step', fromStep: 5280, toStep: 6000 },
    ])
    expect(regimeStretchesOf(run, decisions).at(-1)).toEqual({
      name: 'large-step',
      fromStep: 720,
      toStep: 3120,
    })
  })

  test('a run that was never told apart is unknown throughout, and one without a step has none', () => {
    expect(regimeStretchesOf(run, [])).toEqual([{ name: 'unknown', fromStep: 0, toStep: 3120 }])
    expect(regimeStretchesOf({ ...run, step: 0 }, [])).toEqual([])
  })
})

describe('markers', () => {
  test('those nearer than the distance become one stack, in order of step', () => {
    const markers = placeMarkers(at(100, 118, 200), (step) => step)
    expect(markers.map(({ x, decisions: stacked }) => [x, stacked.length])).toEqual([
      [100, 2],
      [200, 1],
    ])
    expect(placeMarkers(at(0, stackDistancePx), (step) => step)).toHaveLength(2)
  })

  test('a stack of a hundred and more is wider, so that its number lies on no neighbour', () => {
    const crowd = at(...Array.from({ length: 120 }, () => 100), 100 + stackDistancePx + 4)
    expect(placeMarkers(crowd, (step) => step)).toHaveLength(1)
    const few = at(...Array.from({ length: 50 }, () => 100), 100 + stackDistancePx + 4)
    expect(placeMarkers(few, (step) => step)).toHaveLength(2)
  })

  test('holds are ticks, one per px', () => {
    const holds = at(10, 10, 20).map((decision) => ({ ...decision, kind: 'hold' as const }))
    expect(placeMarkers(holds, (step) => step)).toEqual([])
    expect(placeTicks(holds, (step) => step)).toEqual([10, 20])
  })

  test('there are never more elements than the bound', () => {
    const many = at(...Array.from({ length: 1000 }, (_, i) => i * 20))
    expect(placeMarkers(many, (step) => step).length).toBeLessThanOrEqual(markerCountMax)
  })
})

test('the tag stands before its line unless it would hide more there', () => {
  expect(tagMiddle(500, 60, 1000, [])).toBe(450)
  expect(tagMiddle(500, 60, 1000, [420])).toBe(550)
  expect(tagMiddle(5, 60, 1000, [])).toBe(62)
  expect(tagMiddle(999, 60, 1000, [])).toBe(938)
})
