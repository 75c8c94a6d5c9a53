import { describe, expect, it } from 'vitest'
import { madeUpFinal, madeUpLogs, madeUpShares } from './testing/madeUpLogs.ts'
import {
  bestLoss,
  bestShare,
  cooldownShare,
  excessAt,
  repeatDeviation,
  settingsOf,
  shareOf,
  smoothCurve,
  smoothExcess,
} from './truth.ts'

const logs = madeUpLogs()
const settings = settingsOf(logs)

describe('the truth by fork', () => {
  it('has a setting for each rate and length, with the shares in order', () => {
    expect(settings.map(({ rate, length }) => [rate, length])).toEqual([
      [0.001, 4_000],
      [0.002, 4_000],
    ])
    expect(settings[1]!.shares).toEqual(madeUpShares)
  })

  it('counts two trainings of one cell by their mean', () => {
    const at = settings[0]!.shares.indexOf(0.2)
    expect(settings[0]!.losses[at]).toBeCloseTo(madeUpFinal(0.001, 0.2) + 0.001, 12)
    expect(repeatDeviation(logs)).toEqual({ deviation: expect.closeTo(0.002 / Math.SQRT2, 12), pairs: 1 })
  })

  it('is of the grid alone, and of the shape that is asked for', () => {
    expect(logs.map(cooldownShare).filter((share) => share !== null)).toHaveLength(13)
    expect(settingsOf(logs, 'sqrt')).toEqual([])
    expect(settingsOf(logs.slice(0, 4))).toEqual([])
  })

  it('measures a switch from the lowest cell', () => {
    const setting = settings[1]!
    expect(bestLoss(setting)).toBe(Math.min(...setting.losses))
    expect(excessAt(setting, bestShare(setting))).toBe(0)
    expect(excessAt(setting, shareOf(setting, 3_600))).toBeCloseTo(
      madeUpFinal(0.002, 0.1) - bestLoss(setting),
      12,
    )
  })

  it('has the same minimum on the smooth curve where the losses lie on one', () => {
    const shares = [0.1, 0.2, 0.4, 0.6, 0.8, 0.9]
    const curve = (share: number) => 3 + 0.02 * share + 0.01 * share * share - 0.01 * Math.log(share)
    const setting = { rate: 1, length: 100, shares, losses: shares.map(curve) }
    // d/df: .02 + .02 f = .01/f, so f = (√3 − 1)/2.
    const best = curve((Math.sqrt(3) - 1) / 2)
    expect(smoothCurve(setting).best).toBeCloseTo((Math.sqrt(3) - 1) / 2, 2)
    expect(smoothExcess(setting, { share: 0.8 })).toBeCloseTo(curve(0.8) - best, 6)
    expect(smoothExcess(setting, { loss: 3.5 })).toBeCloseTo(3.5 - best, 6)
  })
})
