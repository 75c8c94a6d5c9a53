// The ground truth by fork: for 124M models the final held-out loss of "constant, then linear to 0 over the last share of the
// steps", on a grid of rate × length × share. Between the shares pchip; trainings of the same cell count by their mean. The best
// cooldown of a setting is the lowest cell, so it is low by chance as well, by about the noise of one training. As a check the same
// from a smooth curve through all shares, J(f) = a + bf + cf² + d ln f by least squares: a valley that falls more slowly as the
// anneal takes more of the steps, and noise that falls with its logarithm.

import { Matrix, solve } from 'ml-matrix'
import { mean } from '../../tuner/estimators/uncertainty.ts'
import type { PublicLog } from './logs.ts'
import { pchip } from './pchip.ts'

export type Setting = {
  readonly rate: number
  readonly length: number
  /** Ascending. */
  readonly shares: readonly number[]
  readonly losses: readonly number[]
}

const cooldownPattern = /^(?:grad_norm__)?ann124-([\d.]+)_/
/** A setting is one with so many shares at least. */
const sharesNeeded = 5

/** The share of the steps that a 124M run's cooldown takes; null = it is no cooldown of the grid. */
export function cooldownShare({ run, scheduler }: PublicLog): number | null {
  const found = cooldownPattern.exec(run)
  return found === null || scheduler !== 'wsd' ? null : Number(found[1])
}

/** Settings of the grid, by rate and length, ascending. */
export function settingsOf(logs: readonly PublicLog[], shape = 'linear', needed = sharesNeeded): Setting[] {
  const cells = new Map<string, { rate: number; length: number; losses: Map<number, number[]> }>()
  for (const log of logs) {
    const share = cooldownShare(log)
    if (share === null || log.decayShape !== shape) continue
    const [rate, length] = [log.learningRate, log.iterations]
    const key = `${rate} ${length}`
    const cell = cells.get(key) ?? { rate, length, losses: new Map() }
    cell.losses.set(share, [...(cell.losses.get(share) ?? []), log.finalLoss])
    cells.set(key, cell)
  }
  const settings = [...cells.values()].map(({ rate, length, losses }): Setting => {
    const entries = [...losses].sort(([a], [b]) => a - b)
    return {
      rate,
      length,
      shares: entries.map(([share]) => share),
      losses: entries.map(([, all]) => mean(all)),
    }
  })
  return settings
    .filter(({ shares }) => shares.length >= needed)
    .sort((a, b) => a.rate - b.rate || a.length - b.length)
}

export const lossAt = ({ shares, losses }: Setting, share: number): number => pchip(shares, losses, share)

export const bestLoss = ({ losses }: Setting): number => Math.min(...losses)

/** Nats above the best cooldown of the setting. */
export const excessAt = (setting: Setting, share: number): number =>
  lossAt(setting, share) - bestLoss(setting)

/** Nats above the smooth curve's lowest value, of a loss or of a share on it. */
export function smoothExcess(setting: Setting, at: { share: number } | { loss: number }): number {
  const { value, best } = smoothCurve(setting)
  return ('loss' in at ? at.loss : value(at.share)) - value(best)
}

/** The smooth curve, level outside of the shares that were trained, and the share of its lowest value. */
export function smoothCurve({ shares, losses }: Setting): {
  readonly value: (share: number) => number
  readonly best: number
} {
  const terms = (share: number): number[] => [1, share, share * share, Math.log(share)]
  const factors = solve(new Matrix(shares.map(terms)), Matrix.columnVector([...losses])).to1DArray()
  const [first, last] = [shares[0]!, shares.at(-1)!]
  const value = (share: number): number =>
    terms(Math.min(Math.max(share, first), last)).reduce((sum, term, i) => sum + term * factors[i]!, 0)
  const grid = Array.from({ length: smoothPoints + 1 }, (_, i) => first + ((last - first) * i) / smoothPoints)
  return { value, best: grid.reduce((a, b) => (value(b) < value(a) ? b : a)) }
}
const smoothPoints = 200

export const shareOf = ({ length }: Setting, switchStep: number): number => (length - switchStep) / length

/** The share with the lowest loss, of those that were trained. */
export const bestShare = ({ shares, losses }: Setting): number => shares[losses.indexOf(Math.min(...losses))]!

/** Deviation of one training: half of the mean square of the differences between two of the same settings. */
export function repeatDeviation(logs: readonly PublicLog[]): { deviation: number; pairs: number } {
  const groups = new Map<string, number[]>()
  for (const log of logs) {
    const share = cooldownShare(log)
    if (share === null) continue
    const key = [share, log.decayShape, log.learningRate, log.iterations].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), log.finalLoss])
  }
  const pairs = [...groups.values()].filter((group) => group.length === 2)
  const squares = pairs.map(([a, b]) => (a! - b!) ** 2 / 2)
  return { deviation: pairs.length === 0 ? Number.NaN : Math.sqrt(mean(squares)), pairs: pairs.length }
}
