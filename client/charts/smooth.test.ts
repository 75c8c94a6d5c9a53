// The smoothed course neither lags nor bends.

import { expect, test } from 'vitest'
import { type Columns, emptyColumns } from '../state/series.ts'
import { smoothed, smoothingSource, usualWindow, windowChoices } from './smooth.ts'

const columnsOf = (step: readonly number[], last: readonly (number | null)[], count = 1): Columns => ({
  ...emptyColumns,
  step,
  last,
  count: step.map(() => count),
})
const steps = (from: number, to: number, by = 1) =>
  Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by)

test('a straight course stays as it is, at both ends too', () => {
  const line = columnsOf(
    steps(0, 200),
    steps(0, 200).map((step) => 3 - step / 100),
  )
  const { value } = smoothed(line, 25, [])
  for (const [i, y] of value.entries()) expect(y).toBeCloseTo(3 - i / 100, 9)
})

test('a bend is where it was: the course does not lag', () => {
  const bend = steps(0, 401).map((step) => Math.abs(step - 200))
  const { step, value } = smoothed(columnsOf(steps(0, 401), bend), 40, [])
  const least = value.indexOf(Math.min(...(value as number[])))
  expect(step[least]).toBe(200)
})

test('noise of a wave that is shorter than the window goes', () => {
  const wave = steps(0, 400).map((step) => 1 + 0.5 * (step % 2 === 0 ? 1 : -1))
  const { value } = smoothed(columnsOf(steps(0, 400), wave), 20, [])
  for (const y of value.slice(20, -20)) expect(y).toBeCloseTo(1, 1)
})

test('a window of the same steps gives the same course from every second sample', () => {
  const course = (step: number) => Math.exp(-step / 150)
  const whole = smoothed(columnsOf(steps(0, 400), steps(0, 400).map(course)), 30, [])
  const half = smoothed(columnsOf(steps(0, 400, 2), steps(0, 400, 2).map(course)), 30, [])
  for (const [i, y] of half.value.entries()) expect(y).toBeCloseTo(whole.value[2 * i]!, 2)
})

test('nothing is smoothed over a gap, and what has no value is left out', () => {
  const at = [...steps(0, 50), ...steps(150, 200)]
  const jump = columnsOf(
    at,
    at.map((step) => (step < 100 ? 2 : 1)),
  )
  const { value } = smoothed(jump, 120, [{ fromStep: 49, toStep: 150 }])
  expect(value[49]).toBeCloseTo(2, 9)
  expect(value[50]).toBeCloseTo(1, 9)
  expect(smoothed(columnsOf([0, 1, 2], [1, null, 1]), 5, []).step).toEqual([0, 2])
  const broken = { ...columnsOf([0, 1, 2], [1, null, 9]), nonFinite: [0, 3, 0] }
  expect(smoothed(broken, 5, []).value).toEqual([1, null, 9])
  expect(smoothed(columnsOf([0, 1], [1, 7]), 0, []).value).toEqual([1, 7])
})

test('where many samples are in the window they are taken together, and the course is the same', () => {
  const at = steps(0, 4_000)
  const course = (step: number) => Math.exp(-step / 900) + 0.2 * Math.sin(12.9898 * step)
  const dense = columnsOf(at, at.map(course))
  const few = smoothed(dense, 500, [])
  expect(few.step.length).toBeLessThan(700)
  expect(few.step.every((step, i) => i === 0 || step > few.step[i - 1]!)).toBe(true)
  // The same by its definition, at some of the steps.
  for (const [i, step] of few.step.entries()) {
    if (i % 50 !== 0) continue
    const near = at.filter((other) => Math.abs(other - step) < 501)
    const weights = near.map((other) => (1 - (Math.abs(other - step) / 501) ** 3) ** 3)
    const sum = (of: (offset: number, y: number) => number) =>
      near.reduce((all, other, k) => all + weights[k]! * of(other - step, course(other)), 0)
    const [w, x, xx, y, xy] = [
      sum(() => 1),
      sum((o) => o),
      sum((o) => o * o),
      sum((_, v) => v),
      sum((o, v) => o * v),
    ]
    expect(few.value[i]).toBeCloseTo((xx * y - x * xy) / (w * xx - x * x), 2)
  }
  const silent = smoothed(
    columnsOf([...at, ...steps(9_000, 11_000)], [...at, ...steps(9_000, 11_000)].map(course)),
    2_000,
    [{ fromStep: 3_999, toStep: 9_000 }],
  )
  expect(silent.step.some((step) => step > 3_999 && step < 9_000)).toBe(false)
})

test('of thinned samples the course that the server smoothed is taken', () => {
  const raw = columnsOf(steps(0, 100, 10), steps(0, 10), 10)
  const ofServer = columnsOf(steps(0, 100, 20), steps(0, 5))
  // It looks back only, and is shifted by as much as it lags.
  const { step, last } = smoothingSource(raw, ofServer, 50)
  expect(step).toEqual([10, 30, 50, 70])
  expect(last).toEqual([1, 2, 3, 4])
  expect(smoothingSource(raw, undefined, 50)).toBe(raw)
  expect(smoothingSource(raw, ofServer, 30)).toBe(raw)
  expect(smoothingSource(raw, columnsOf([3], [1]), 30)).toBe(raw)
  const whole = columnsOf(steps(0, 10), steps(0, 10))
  expect(smoothingSource(whole, ofServer, 50)).toBe(whole)
})

test('the usual window is about a hundredth of what is shown, and among the choices', () => {
  expect(usualWindow(6000)).toBe(100)
  expect(usualWindow(2000)).toBe(20)
  expect(usualWindow(10)).toBe(3)
  expect(windowChoices(700)).toEqual([0, 3, 5, 10, 20, 50, 100])
  for (const length of [50, 700, 6000, 1e6]) expect(windowChoices(length)).toContain(usualWindow(length))
})
