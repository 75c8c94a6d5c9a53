import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { bestLevel, riseOf, secondDifferenceScatter } from './rise.ts'

const deviations = 5
/** Deviation of the probes' noise. */
const noise = 0.01

type Course = (probe: number) => number

/** Probe at which the rise is first seen by somebody who keeps the last `kept` values; undefined = never. */
function firstRise(losses: readonly number[], kept = 64): number | undefined {
  for (let count = 1; count <= losses.length; count++)
    if (riseOf(losses.slice(Math.max(0, count - kept), count), { deviations }) !== null) return count - 1
  return undefined
}

/** A course with noise of lag-1 correlation r and of a size that may change, told from each of many seeds. */
function firstRises(
  course: Course,
  options: { count: number; correlation: number; runs: number; kept?: number; size?: Course },
): (number | undefined)[] {
  const { count, correlation, runs, kept, size = () => 1 } = options
  return Array.from({ length: runs }, (_, i) => {
    const draw = normals(random(i + 1))
    let error = draw()
    const losses = Array.from({ length: count }, (__, probe) => {
      error = correlation * error + Math.sqrt(1 - correlation ** 2) * draw()
      return course(probe) + noise * size(probe) * error
    })
    return firstRise(losses, kept)
  })
}

const share = (rises: readonly (number | undefined)[]): number =>
  rises.filter((rise) => rise !== undefined).length / rises.length

/** Falls for ten probes, then rises by so many deviations of the noise at each. */
const turning =
  (each: number): Course =>
  (probe) =>
    probe < 10 ? 1 + 0.3 * (1 - probe / 10) ** 2 : 1 + each * noise * (probe - 10)

describe('a rise of held-out losses at a constant rate, sixteen of them kept', () => {
  const common = { count: 33, runs: 400, kept: 16 }
  it.each<[string, Course, number]>([
    ['level, independent noise', () => 1, 0],
    ['level, correlated noise', () => 1, 0.5],
    ['falling, independent noise', (probe) => 1 + 1 / Math.sqrt(1 + probe), 0],
    ['falling, correlated noise', (probe) => 1 + 1 / Math.sqrt(1 + probe), 0.5],
  ])('is seen by mistake in fewer than one run of twenty: %s', (_, course, correlation) => {
    // Measured: 0, 3, 0 and 0 %.
    expect(share(firstRises(course, { ...common, correlation }))).toBeLessThan(0.05)
  })

  it.each([
    [0.5, 24],
    [1, 23],
    [2, 21],
  ])('of %d deviations a probe from probe 10 on is seen in half of the runs by probe %i', (each, by) => {
    const rises = firstRises(turning(each), { ...common, correlation: 0 })
    const known = rises.map((rise) => rise ?? common.count)
    // Measured: 90, 100 and 100 %.
    expect(share(rises)).toBeGreaterThan(0.85)
    expect(known.toSorted((a, b) => a - b)[known.length / 2]).toBeLessThanOrEqual(by)
    expect(Math.min(...known)).toBeGreaterThan(10)
  })
})

describe('a rise in an anneal, sixty-four losses kept', () => {
  for (const count of [8, 40])
    for (const correlation of [0, 0.5])
      for (const shrinks of [false, true])
        it(`is seen by mistake in 1 run of 16 at most: ${count} probes, correlation ${correlation}, ${shrinks ? 'shrinking' : 'even'} noise`, () => {
          // Measured on 500 runs each: at most 5 % where the loss stays level, 1 % where it falls. A level loss that is
          // cut short costs nothing.
          const size: Course = (probe) => (shrinks ? 1 - (0.8 * probe) / count : 1)
          const options = { count, correlation, size, runs: 200 }
          const falling: Course = (probe) => 1 + 0.15 * Math.exp((-4 * probe) / count)
          expect(share(firstRises(() => 1, options))).toBeLessThanOrEqual(0.06)
          expect(share(firstRises(falling, options))).toBeLessThanOrEqual(0.02)
        })

  it('is seen within a few probes of a rise of one deviation a probe', () => {
    const course: Course = (probe) =>
      probe < 16 ? 1 + 0.15 * (1 - probe / 16) ** 2 : 1 + noise * (probe - 16)
    const rises = firstRises(course, { count: 40, correlation: 0, size: () => 0.5, runs: 100 })
    const known = rises.map((rise) => rise ?? 40)
    expect(known.toSorted((a, b) => a - b)[50]).toBeLessThanOrEqual(24)
    expect(Math.min(...known)).toBeGreaterThan(16)
  })
})

describe('a rise', () => {
  const risen = [1, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 0.9, 1, 1.1, 1.2]

  it('tells from where to where the loss rose', () => {
    const rise = riseOf(risen, { deviations })
    expect(rise?.from).toBeCloseTo(0.7, 12)
    expect(rise?.to).toBe(1.2)
    expect(rise?.standardError).toBeGreaterThan(0)
  })

  it('is not seen in a constant, in one high probe, nor with fewer than six values', () => {
    expect(firstRise(Array<number>(30).fill(1))).toBeUndefined()
    const wavy = Array.from({ length: 30 }, (_, i) => 1 + (i % 2) / 100)
    expect(firstRise(wavy.with(20, 3))).toBeUndefined()
    expect(firstRise([1, 1, 1, 2, 3])).toBeUndefined()
    expect(riseOf([], { deviations })).toBeNull()
  })

  it('is over as soon as the newest value is back, or falls again: what leapt and falls learns', () => {
    expect(riseOf([...risen, 0.7], { deviations })).toBeNull()
    expect(riseOf([...risen, 1.15, 1.1], { deviations })).toBeNull()
  })

  it('is none while values fall from a leap, however they scatter about their fall', () => {
    const leapt =
      (at: number): Course =>
      (probe) =>
        probe < at ? 1 + 0.3 * 0.9 ** probe : 1.5 + 0.5 * 0.95 ** (probe - at)
    const rises = firstRises(leapt(20), { count: 60, correlation: 0, runs: 200 })
    // Measured: half a per cent; 20 % where only the last three values are asked.
    expect(share(rises)).toBeLessThan(0.02)
    // Leaps of which the second is the newest value.
    const twice = [...Array.from({ length: 30 }, (_, i) => leapt(14)(i)), 2.2]
    expect(riseOf(twice, { deviations })).toBeNull()
  })

  it('is measured from the best level of values that are not kept any more, where that is lower', () => {
    const wavy = Array.from({ length: 64 }, (_, i) => 0.6 + (i % 2) / 1_000)
    expect(riseOf(wavy, { deviations })).toBeNull()
    expect(riseOf(wavy, { deviations, earlierLevel: 0.5 })?.from).toBe(0.5)
    expect(riseOf(wavy, { deviations, earlierLevel: 0.7 })).toBeNull()
  })

  it.each([
    [1, -3],
    [1, 7],
    [100, 0],
    [0.01, -5],
  ])('is the same where every loss is multiplied by %d and %d is added', (factor, added) => {
    for (const losses of [risen, risen.slice(0, 9), [...risen, 1.2, 1.1]]) {
      const plain = riseOf(losses, { deviations })
      const moved = riseOf(
        losses.map((loss) => factor * loss + added),
        { deviations },
      )
      expect(moved === null).toBe(plain === null)
      if (plain === null || moved === null) continue
      expect(moved.from).toBeCloseTo(factor * plain.from + added, 9)
      expect(moved.standardError).toBeCloseTo(factor * plain.standardError, 9)
    }
  })
})

describe('its parts', () => {
  it('are the lowest mean of three neighbours: a single low value is low by chance', () => {
    expect(bestLevel([3, 3, 0, 3, 2, 2, 2])).toBeCloseTo(5 / 3, 12)
    expect(bestLevel([1, 2])).toBe(Number.POSITIVE_INFINITY)
  })

  it('and the deviation of second differences, to which a steady course is none', () => {
    expect(secondDifferenceScatter([1, 2, 3, 4, 5])).toBe(0)
    expect(secondDifferenceScatter([1, 2])).toBe(0)
    // x₋ − 2x + x₊ of 0, 1, 0 is −2: √(4/6).
    expect(secondDifferenceScatter([0, 1, 0])).toBeCloseTo(Math.sqrt(4 / 6), 12)
    const draw = normals(random(5))
    const scattered = Array.from({ length: 20_000 }, (_, i) => 0.1 * i + draw())
    expect(secondDifferenceScatter(scattered)).toBeCloseTo(1, 1)
  })
})
