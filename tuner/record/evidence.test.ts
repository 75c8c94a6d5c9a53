import { describe, expect, it } from 'vitest'
import { startArm } from '../phases/search/race.ts'
import { raceAround, raced, scored } from '../testing/raced.ts'
import { comparison, evidenceOfRace } from './evidence.ts'

describe('evidence of a race', () => {
  it('tells of each arm when it was run, its loss, and the error of the difference to the first one', () => {
    const { race, ran, steps } = raced(raceAround(0.1)!, (rate) => (rate > 0.2 ? null : scored(1, 0.01)))
    const told = evidenceOfRace(race)
    expect(told.map(({ learningRate }) => Number(learningRate!.toPrecision(2)))).toEqual(
      ran.toSorted((a, b) => a - b),
    )
    const [below, reference, above] = told.slice(-3)
    expect(reference).toMatchObject({
      source: 'race',
      value: 1,
      standardError: null,
      fromStep: 0,
      toStep: 40,
    })
    expect(above).toMatchObject({ source: 'race-diverged', value: null, fromStep: 40, toStep: 45 })
    expect(below).toMatchObject({ source: 'race', fromStep: 45, toStep: steps })
    expect(below!.standardError).toBeGreaterThan(0)
  })

  it('has an arm that still runs without a loss and without a last step', () => {
    const [arm] = evidenceOfRace(startArm(raceAround(0.1)!, 0.1, 7))
    expect(arm).toMatchObject({ source: 'race-unfinished', value: null, fromStep: 7, count: 0 })
    expect(arm).not.toHaveProperty('toStep')
  })
})

describe('comparison', () => {
  const left = { value: 0.2, standardError: 0.1 }

  it('has both sides with their errors; a bound of ours has none', () => {
    expect(comparison('memorising', left, '<', 0.6)).toEqual({
      key: 'memorising',
      left,
      relation: '<',
      right: { value: 0.6, standardError: null },
      satisfied: true,
      hits: { met: 1, of: 1 },
      probability: null,
    })
    const right = { value: 0.3, standardError: 0.05 }
    expect(comparison('marginal-cost', left, '<=', right, { probability: 0.8 })).toMatchObject({
      right,
      probability: 0.8,
    })
  })

  it('was met once of once, or never, unless it was asked more often', () => {
    expect(comparison('rise', left, '>=', 20, { satisfied: false }).hits).toEqual({ met: 0, of: 1 })
    const hits = { met: 2, of: 3 }
    expect(comparison('marginal-cost', left, '<=', left, { hits }).hits).toEqual(hits)
  })
})
