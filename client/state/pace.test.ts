// How fast a run goes, from when its steps were heard.

import { describe, expect, test } from 'vitest'
import { noPace, type Pace, paced, speedOf } from './pace.ts'

/** What was heard: step and seconds. */
const heard = (reports: readonly (readonly [number, number])[]): Pace =>
  reports.reduce((pace, [step, seconds]) => paced(pace, step, 1_000 * seconds), noPace)
const each = (count: number, of: (i: number) => readonly [number, number]) =>
  heard(Array.from({ length: count }, (_, i) => of(i)))

describe('the pace of a run', () => {
  test('is steps a second on the clock of what was heard, once five reports have come', () => {
    const steady = (count: number) => each(count, (i) => [100 + 20 * i, 2 * i])
    expect(speedOf(steady(5), 8_000)).toBeNull()
    expect(speedOf(steady(6), 10_000)).toEqual({ low: 10, high: 10 })
    expect(speedOf(steady(200), 398_000)).toEqual({ low: 10, high: 10 })
  })

  test('counts a burst as one report, and not as the pace', () => {
    // Twenty steps at once, twenty times in a hundredth of a second each, once in ten seconds.
    const bursts = heard(
      Array.from({ length: 10 }, (_, k) => k).flatMap((k) =>
        Array.from({ length: 20 }, (_, i) => [20 * k + i, 10 * k + i / 100] as const),
      ),
    )
    const speed = speedOf(bursts, 91_000)
    expect(speed).toMatchObject({ low: expect.closeTo(2, 0), high: expect.closeTo(2, 0) })
    expect(bursts.heard.length).toBeLessThanOrEqual(20)
  })

  test('is two where the halves do not agree', () => {
    const slower = each(21, (i) => [i <= 10 ? 100 * i : 1_000 + 10 * (i - 10), 2 * i])
    const speed = speedOf(slower, 40_000) as { low: number; high: number }
    expect(speed.low).toBeCloseTo(5, 0)
    expect(speed.high).toBeCloseTo(50, 0)
  })

  test('is none of a run that is silent, by its own gaps', () => {
    const steady = each(20, (i) => [10 * i, 2 * i])
    expect(speedOf(steady, 38_000 + 7_900)).not.toBe('silent')
    expect(speedOf(steady, 38_000 + 8_100)).toBe('silent')
    const slow = each(20, (i) => [10 * i, 60 * i])
    expect(speedOf(slow, 19 * 60_000 + 200_000)).toEqual({ low: 10 / 60, high: 10 / 60 })
    expect(speedOf(heard([[5, 0]]), 29_000)).toBeNull()
    expect(speedOf(heard([[5, 0]]), 31_000)).toBe('silent')
  })

  test('begins anew where the steps go back', () => {
    const pace = paced(
      each(20, (i) => [10 * i, 2 * i]),
      50,
      40_000,
    )
    expect(pace).toEqual({ base: { step: 50, atMs: 40_000 }, heard: [] })
  })
})
