// What pointers and wheel make of the range.

import { describe, expect, test } from 'vitest'
import { isDrag, rangeOf, selectedRange, turnOf } from './gestures.ts'

const range = { from: 1000, to: 2000 }

test('a pan moves the run by as many steps as the pointer has gone', () => {
  const pan = { kind: 'pan', start: 500, end: 400, range } as const
  expect(rangeOf(pan, 1000)).toEqual({ from: 1100, to: 2100 })
  expect(isDrag(pan)).toBe(true)
  expect(isDrag({ ...pan, end: 497 })).toBe(false)
})

test('the steps under two fingers stay under them', () => {
  const pinch = { kind: 'pinch', start: [400, 600], end: [300, 700], range } as const
  expect(rangeOf(pinch, 1000)).toEqual({ from: 1250, to: 1750 })
  expect(rangeOf({ ...pinch, end: [400, 600] }, 1000)).toEqual(range)
  const met = rangeOf({ ...pinch, end: [500, 500] }, 1000)!
  expect(met.to - met.from).toBeGreaterThan(1000)
  expect(Number.isFinite(met.to - met.from)).toBe(true)
})

test('a selection holds the same steps in either direction', () => {
  expect(selectedRange({ start: 100, end: 300 }, range, 1000)).toEqual({ from: 1100, to: 1300 })
  expect(selectedRange({ start: 300, end: 100 }, range, 1000)).toEqual({ from: 1100, to: 1300 })
})

describe('the wheel', () => {
  const turned = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, metaKey: false }
  test('scrolls the page unless a key is held or it goes to the side', () => {
    expect(turnOf({ ...turned, deltaY: 100 })).toBeNull()
    expect(turnOf({ ...turned, deltaY: 0, ctrlKey: true })).toBeNull()
    expect(turnOf({ ...turned, deltaX: 30, deltaY: 4 })).toEqual({ kind: 'pan', px: 30 })
  })

  test('zooms in upwards and out downwards, by no more than a bound at once', () => {
    const factorOf = (deltaY: number, deltaMode = 0) => {
      const turn = turnOf({ ...turned, deltaY, deltaMode, ctrlKey: true })
      return turn?.kind === 'zoom' ? turn.factor : null
    }
    expect(factorOf(-100)).toBeLessThan(1)
    expect(factorOf(100)! * factorOf(-100)!).toBeCloseTo(1, 12)
    expect(factorOf(3, 1)).toBeCloseTo(factorOf(48)!, 12)
    expect(factorOf(1e6)).toBe(factorOf(200))
  })
})
