import { describe, expect, it } from 'vitest'
import type { Seen } from '../state.ts'
import { runState } from '../testing/runState.ts'
import { leftOut, type Place, placeOf, reportAt } from './clean.ts'

const seenAt = (change: Partial<Seen> = {}): Seen => runState({ seen: change }).seen
const end = 3_000

describe('what a job reports of a step', () => {
  it('is taken as it is; what is absent is not known', () => {
    expect(reportAt({ step: [7], loss: [0.5], learningRate: [0.1] }, 0)).toMatchObject({
      step: 7,
      loss: 0.5,
      learningRate: 0.1,
      momentum: null,
      gradientNormSquared: null,
      batchSize: null,
      objective: null,
      isSkipped: false,
    })
  })

  it('is not known where a rate, a momentum or a batch size is absurd', () => {
    const odd = [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e13]
    const columns = {
      step: odd.map((_, i) => i),
      learningRate: odd,
      momentum: [-0.1, 1, Number.NaN, 2],
      batchSize: [0, Number.NaN, -3, 1e13],
    }
    for (const index of odd.keys())
      expect(reportAt(columns, index)).toMatchObject({ learningRate: null, momentum: null, batchSize: null })
  })

  it('keeps losses and norms that are not finite, unless mixed precision left the step out', () => {
    const columns = {
      step: [0, 1],
      loss: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      gradientNormSquared: [Number.NaN, Number.NaN],
      skipped: [0, 1],
    }
    expect(reportAt(columns, 0)).toMatchObject({ loss: Number.POSITIVE_INFINITY, isSkipped: false })
    expect(reportAt(columns, 1)).toMatchObject({ loss: null, gradientNormSquared: null, isSkipped: true })
    // A sound loss of such a step stands.
    expect(reportAt({ step: [0], loss: [2], skipped: [1] }, 0).loss).toBe(2)
  })

  it('names what its loss measures', () => {
    expect(reportAt({ step: [0, 1], objective: ['stage-1', null] }, 0).objective).toBe('stage-1')
    expect(reportAt({ step: [0, 1], objective: ['stage-1', null] }, 1).objective).toBeNull()
  })
})

describe('where a reported step stands', () => {
  it.each<[string, Partial<Seen>, number, Place]>([
    ['the next one', {}, 1_000, 'next'],
    ['a few steps later', {}, 1_090, 'next'],
    ['the last one again', {}, 999, 'repeated'],
    ['an earlier one', {}, 400, 'late'],
    ['an earlier one of a run that was resumed', { isResumed: true }, 400, 'back'],
    ['beyond the budget', {}, 3_400, 'ahead'],
    ['far beyond everything', {}, 1e9, 'ahead'],
    ['the first of all', { origin: null }, 1e9, 'next'],
    ['the next of a job that logs each fiftieth step', { strideSteps: 50 }, 1_049, 'next'],
    ['just past the end, at the job’s own stride', { step: 2_990, strideSteps: 10 }, 3_000, 'next'],
  ])('%s', (_, change, step, place) => {
    expect(placeOf(seenAt(change), step, end)).toBe(place)
  })

  it('far ahead is believed once two more have gone on from there, within the budget', () => {
    let seen = seenAt({ step: 100 })
    for (const step of [2_000, 2_001]) {
      expect(placeOf(seen, step, end)).toBe('ahead')
      seen = leftOut(seen, 'ahead', step)
    }
    expect(placeOf(seen, 2_002, end)).toBe('next')
    expect(placeOf(seen, 2_001, end)).toBe('ahead')
    expect(placeOf(seen, 9_000, end)).toBe('ahead')
  })

  it('far ahead beyond the budget is never believed', () => {
    let seen = seenAt({ step: 100 })
    for (const step of [50_000, 50_001, 50_002, 50_003]) {
      expect(placeOf(seen, step, end)).toBe('ahead')
      seen = leftOut(seen, 'ahead', step)
    }
  })
})

describe('a step that is left out', () => {
  it('is counted by what was wrong with it, and moves nothing else', () => {
    const seen = seenAt()
    const counted = [
      leftOut(seen, 'late', 5),
      leftOut(seen, 'repeated', 999),
      leftOut(seen, 'ahead', 1e9),
    ].map(({ signals }) => signals.badSamples)
    expect(counted.map(({ outOfOrder, repeated, farAhead }) => [outOfOrder, repeated, farAhead])).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
    expect(leftOut(seen, 'late', 5).step).toBe(seen.step)
  })
})
