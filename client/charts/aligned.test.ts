// Runs of different lengths and speeds under one axis.

import { expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import type { Columns } from '../state/series.ts'
import { alignedLine, axisOf, secondsAt, spreadLabels, tellingNames, valueOn } from './aligned.ts'

const columns = (step: number[], last: (number | null)[]): Columns => ({
  ...{ step, last, min: last, max: last },
  ...{ count: step.map(() => 1), nonFinite: step.map(() => 0) },
})
const run = {
  ...syntheticRun({ id: 'a', step: 100, budgetSteps: 200 }).run,
  createdAt: '2025-01-01T00:00:00.000Z',
  lastSeenAt: '2025-01-01T00:01:40.000Z',
}

test('a step lies at its own number, at its share of the budget, or at its time', () => {
  expect(axisOf(run, 'step', undefined)(50)).toBe(50)
  expect(axisOf(run, 'share', undefined)(50)).toBe(0.25)
  expect(axisOf(run, 'time', undefined)(50)).toBe(50)
})

test('times are those of the steps where the job tells them', () => {
  const at = secondsAt(run, columns([0, 50, 75], [1, 3, 2]))
  expect([0, 10, 50, 60, 75, 80].map(at)).toEqual([0, 10, 50, 80, 125, 135])
})

test('buckets without a value are left out, and nothing is said where a line does not reach', () => {
  const line = alignedLine(columns([0, 10, 20], [3, null, 1]), (step) => step / 10)
  expect(line).toEqual([
    { x: 0, y: 3 },
    { x: 2, y: 1 },
  ])
  expect([-1, 0, 1.5, 2, 2.1].map((x) => valueOn(line, x))).toEqual([null, 3, 3, 1, null])
  expect(valueOn(alignedLine(undefined, Number), 0)).toBeNull()
})

test('names tell what differs', () => {
  expect(tellingNames(['sweep lr=0.1 seed 1', 'sweep lr=0.1 seed 2'])).toEqual(['…1', '…2'])
  expect(tellingNames(['sweep-a', 'sweep-b-c'])).toEqual(['…a', '…b-c'])
  expect(tellingNames(['a', 'b'])).toEqual(['a', 'b'])
  expect(tellingNames(['same', 'same'])).toEqual(['same', 'same'])
  expect(tellingNames(['one two'])).toEqual(['one two'])
})

test('labels keep their distance and stay inside', () => {
  expect(spreadLabels([10, 12, 50], 14, 0, 60)).toEqual([10, 24, 50])
  expect(spreadLabels([58, 59], 14, 0, 60)).toEqual([46, 60])
})
