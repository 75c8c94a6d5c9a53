// Which rates a race tries, in which order.

import { describe, expect, it } from 'vitest'
import { deviationsBetter } from '../../estimators/pairedLoss.ts'
import { anywhere, raceAround, raced, scored, valley } from '../../testing/raced.ts'
import { random } from '../../testing/random.ts'
import { nextRate } from './climb.ts'
import { endArm, raceShareMax, startArm } from './race.ts'

const armsMax = 7
const around = (rate: number, lossOf: Parameters<typeof raced>[1], bounds = anywhere) =>
  raced(raceAround(rate, bounds)!, lossOf, bounds)

describe('a race around a rate', () => {
  it('tries the rate above and the rate below, in three short arms', () => {
    const { ran, steps } = around(0.1, valley(0.1))
    expect(ran).toEqual([0.1, 0.3, 0.033])
    expect(steps).toBe(3 * 40)
  })

  it('climbs while the next rate is clearly better, and tries none below once one above was', () => {
    expect(around(0.01, valley(0.1)).ran).toEqual([0.01, 0.03, 0.09, 0.27])
  })

  it('climbs down likewise', () => {
    expect(around(0.1, valley(0.01)).ran).toEqual([0.1, 0.3, 0.033, 0.011, 0.0037])
  })

  it('stops where a rate is not clearly better: doubt costs no further arm', () => {
    // The rate below is better by less than two standard errors, the one above by none.
    const { race, ran } = around(0.1, (rate) => scored(rate < 0.05 ? 0.999 : 1, 0.004))
    const [own, , lower] = race.arms
    expect(deviationsBetter(lower!.score!, own!.score!)).toBeGreaterThan(0.3)
    expect(deviationsBetter(lower!.score!, own!.score!)).toBeLessThan(2)
    expect(ran).toEqual([0.1, 0.3, 0.033])
  })

  it('goes on down where every arm diverges', () => {
    const { ran } = around(0.1, () => null)
    expect(ran).toHaveLength(armsMax)
    expect(Math.max(...ran)).toBe(0.1)
    const saved = around(0.1, (rate) => (rate > 0.02 ? null : valley(0.01)(rate)))
    expect(saved.ran.slice(0, 4)).toEqual([0.1, 0.033, 0.011, 0.0037])
  })

  it('goes on down where a network stands still without diverging: a loss hardly below the first is no descent', () => {
    // Dead at 0.3 and above: the loss of a constant guess, within three deviations of the first loss.
    const opened = { ...raceAround(1)!, lossFirst: 40, scatter: 1 }
    const { ran } = raced(opened, (rate) => (rate > 0.3 ? 39 : 10 * valley(0.05)(rate)))
    expect(ran.slice(0, 5)).toEqual([1, 3, 0.33, 0.11, 0.037])
  })

  it('knows what was learned by held-out losses, where single steps scatter too far to tell', () => {
    // Means of a language model that goes on from trained weights: batches differ by more than twelve steps teach.
    const losses = [2.98, 2.94, 2.85, 2.75, 2.66, 2.8]
    const opened = { ...raceAround(0.001)!, lossFirst: 3.06, scatter: 0.135 }
    const { ran } = raced(opened, (rate) => losses[Math.round(Math.log(rate / 0.001) / Math.log(3))] ?? 4)
    expect(ran).toEqual([0.001, 0.003, 0.009, 0.027, 0.081, 0.24])
  })

  it("keeps within the run's limits, and looks below where there is no room above", () => {
    expect(around(0.1, valley(10), { min: 0.05, max: 0.5 }).ran).toEqual([0.1, 0.3])
    expect(around(0.1, valley(0.03), { min: 0.01, max: 0.2 }).ran).toEqual([0.1, 0.033, 0.011])
  })

  it('is scaled with the rate: a thousandth of every rate gives a thousandth of every arm', () => {
    for (const [reference, best] of [
      [0.1, 0.1],
      [0.01, 0.1],
      [0.1, 0.004],
    ] as const) {
      const plain = around(reference, valley(best))
      const small = around(reference / 1_000, valley(best / 1_000))
      expect(small.ran.map((rate) => Number((rate * 1_000).toPrecision(2)))).toEqual(plain.ran)
    }
  })
})

describe('a race', () => {
  it('takes at most its share of any length and seven arms, divergences included', () => {
    for (let seed = 0; seed < 300; seed++) {
      const draw = random(seed)
      const length = Math.round(20 * 10 ** (4 * draw()))
      const opened = raceAround(0.1, { length })
      if (opened === undefined) continue
      let [race, step] = [opened, 0]
      for (let rate = nextRate(race, anywhere); rate !== undefined; rate = nextRate(race, anywhere)) {
        const started = startArm(race, rate, step)
        const isLost = draw() < 0.2
        step = isLost ? step + 1 : started.current!.toStep
        race = endArm(started, isLost ? null : scored(draw()), step)
      }
      expect(step, `seed ${seed}, length ${length}`).toBeLessThanOrEqual(raceShareMax * length)
      expect(race.arms.length, `seed ${seed}`).toBeLessThanOrEqual(armsMax)
    }
  })
})
