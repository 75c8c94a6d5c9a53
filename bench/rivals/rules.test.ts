// The rules that only the bench needs: SASA+ against the package statopt, ABEL and the search by trials by cases whose
// answer is known.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cooldownStep } from '../../tuner/rivals/counterfactuals.ts'
import { normals, random } from '../../tuner/testing/random.ts'
import { abel } from './abel.ts'
import { type SasaOptions, sasa } from './sasa.ts'
import { fixedCooldown } from './schedules.ts'
import { forecast, trialSearch } from './trials.ts'

type SasaCase = {
  readonly seed: number
  readonly noise: number
  readonly settings: Readonly<Record<string, number | string>>
  readonly changes: readonly (readonly [number, number])[]
}
type SasaOracle = {
  readonly curvatures: readonly number[]
  readonly count: number
  readonly rate: number
  readonly start: number
  readonly cases: readonly SasaCase[]
}

const oracle: SasaOracle = JSON.parse(readFileSync(new URL('oracles/sasa.json', import.meta.url), 'utf8'))

/** The oracle's noisy quadratic, steered by our rule: dampened momentum, set to 0 at a drop as the package does. */
function dropsOf({ seed, noise, settings }: SasaCase): [number, number][] {
  const { curvatures, count, rate, start } = oracle
  const momentum = Number(settings.momentum ?? 0)
  const options: SasaOptions = {
    initialRate: rate,
    countMin: Number(settings.minN_stats),
    testSteps: Number(settings.testfreq),
    warmup: Number(settings.warmup),
    leakRatio: Number(settings.leak_ratio ?? 8),
    dropFactor: Number(settings.drop_factor ?? 10),
    variance: settings.var_mode === 'bm' ? 'batchMeans' : 'independent',
  }
  const draw = random(seed)
  const weights = curvatures.map(() => start)
  const buffer = curvatures.map(() => 0)
  const normSquared = () => weights.reduce((sum, weight) => sum + weight * weight, 0)
  const drops: [number, number][] = []
  let state = sasa.init(options)
  state = sasa.update(state, { kind: 'step', step: -1, loss: 0, weightNormSquared: normSquared() })
  for (let step = 0; step < count; step++) {
    const gradients = curvatures.map((h, i) => h * weights[i]! + noise * (draw() + draw() - 1))
    for (const [i, gradient] of gradients.entries()) {
      buffer[i] = momentum * buffer[i]! + (1 - momentum) * gradient
      weights[i]! -= state.learningRate * buffer[i]!
    }
    const next = sasa.update(state, { kind: 'step', step, loss: 0, weightNormSquared: normSquared() })
    if (next.learningRate !== state.learningRate) {
      drops.push([step, next.learningRate])
      buffer.fill(0)
    }
    state = next
  }
  return drops
}

describe('SASA+', () => {
  it('drops the rate where the package does, on 24 noisy quadratics', () => {
    // Rates and steps are exact. The values behind them differ in the last bits, as they are computed from norms.
    for (const entry of oracle.cases)
      expect(dropsOf(entry), JSON.stringify(entry.settings)).toEqual(entry.changes)
    const counts = oracle.cases.map(({ changes }) => changes.length)
    expect(Math.min(...counts)).toBeLessThan(Math.max(...counts))
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(12)
  })

  it('knows no norm where none is given, and never acts without', () => {
    let state = sasa.init({ initialRate: 0.1, countMin: 1, testSteps: 1, warmup: 0 })
    for (let step = 0; step < 500; step++)
      state = sasa.update(state, {
        kind: 'step',
        step,
        loss: 1,
        weightNormSquared: step % 2 ? null : Number.NaN,
      })
    expect(state.values).toEqual([])
    expect(sasa.read(state, 500).firstLoweredStep).toBeNull()
  })

  it('waits while the norm grows', () => {
    const draw = normals(random(5))
    let state = sasa.init({ initialRate: 0.1, countMin: 100, testSteps: 10, warmup: 0 })
    for (let step = 0; step < 5_000; step++)
      state = sasa.update(state, { kind: 'step', step, loss: 1, weightNormSquared: 10 + step + 0.5 * draw() })
    expect(state.firstLoweredStep).toBeNull()
  })
})

/** ABEL on norms at the ends of periods of ten steps; returns the rate after each period, in units of the first. */
function abelRates(norms: readonly number[], budgetSteps = 1_000): number[] {
  let state = abel.init({ initialRate: 1, budgetSteps, periodSteps: 10 })
  return norms.flatMap((norm, period) => {
    for (let step = 10 * period; step < 10 * period + 10; step++)
      state = abel.update(state, { kind: 'step', step, loss: 1, weightNormSquared: norm * norm })
    return abel.read(state, 10 * period + 10).learningRate
  })
}

describe('ABEL', () => {
  it('lowers at the second extremum, so a bounce that goes on rising does nothing', () => {
    expect(abelRates([5, 4, 3, 4, 5, 6])).toEqual([1, 1, 1, 1, 1, 1])
    expect(abelRates([5, 4, 3, 4, 5, 4, 3])).toEqual([1, 1, 1, 1, 1, 0.1, 0.1])
  })

  it('begins to count again after a lowering', () => {
    const rates = abelRates([5, 3, 5, 3, 5, 3, 5])
    expect(rates.slice(0, 4)).toEqual([1, 1, 1, 0.1])
    expect(rates[4]).toBe(0.1)
    expect(rates[5]).toBeCloseTo(0.01, 15)
  })

  it('lowers once more at 85 % of the budget, bounce or not', () => {
    const rates = abelRates(
      Array.from({ length: 20 }, (_, i) => 10 - i * 0.1),
      200,
    )
    expect(rates.slice(0, 16)).toEqual(Array(16).fill(1))
    expect(rates.slice(16)).toEqual(Array(4).fill(0.1))
  })

  it('a level norm is no extremum', () => {
    expect(abelRates([3, 3, 3, 3, 3, 3])).toEqual([1, 1, 1, 1, 1, 1])
  })
})

describe('search by trials', () => {
  it('forecasts an exponential curve from its beginning', () => {
    const curve = (x: number) => 0.5 + 2 * Math.exp(-x / 40)
    const losses = Array.from({ length: 30 }, (_, x) => curve(x))
    // The grid of time constants is a fifth apart.
    expect(forecast(losses, 300)).toBeCloseTo(curve(300), 1)
  })

  it('has no forecast for losses that are not finite, or too few', () => {
    expect(forecast([1, Number.NaN, 1, 1], 10)).toBe(Number.POSITIVE_INFINITY)
    expect(forecast([1, 1], 10)).toBe(Number.POSITIVE_INFINITY)
    expect(forecast([1, 1, 1, 1], 10)).toBeCloseTo(1, 12)
  })

  it('chooses the rate whose losses fall furthest, and a tenth of the present one where all diverge', () => {
    const search = trialSearch({ initialRate: 0.1, budgetSteps: 2_000 })
    const { rates, stepCount } = search.due(0)!
    expect([rates.length, stepCount]).toEqual([10, 10])
    expect([rates[0], rates[9]]).toEqual([0.001, expect.closeTo(0.3, 12)])
    const trials = rates.map((rate, i) => ({
      rate,
      losses: Array.from({ length: stepCount }, (_, x) => (i === 9 ? Number.NaN : 2 - (i / 100) * x)),
    }))
    search.settle(100, trials)
    expect(search.learningRate).toBe(rates[8])
    expect([search.due(100), search.due(199), search.due(200)?.stepCount]).toEqual([null, null, 20])
    search.settle(
      400,
      trials.map(({ rate }) => ({ rate, losses: [Number.NaN] })),
    )
    expect(search.learningRate).toBeCloseTo(rates[8]! / 10, 12)
  })

  it('spends half of the budget on trials and never more than there is', () => {
    const budgetSteps = 3_000
    const search = trialSearch({ initialRate: 0.1, budgetSteps })
    let [used, tried] = [0, 0]
    while (used < budgetSteps) {
      const due = search.due(used)
      if (due === null) used++
      else {
        used += due.rates.length * due.stepCount
        tried += due.rates.length * due.stepCount
        search.settle(
          used,
          due.rates.map((rate) => ({ rate, losses: [1, 1, 1] })),
        )
      }
    }
    expect(used).toBe(budgetSteps)
    expect(tried / budgetSteps).toBeGreaterThan(0.4)
    expect(tried / budgetSteps).toBeLessThanOrEqual(0.5)
  })
})

describe('a fixed anneal', () => {
  const start = { initialRate: 0.1, budgetSteps: 100 }

  it('of a share of 0 never comes, one of 1 begins at once', () => {
    expect([cooldownStep(100, 0), cooldownStep(100, 0.45), cooldownStep(100, 1)]).toEqual([100, 55, 0])
    const rateAt = (share: number, step: number) =>
      fixedCooldown.read(fixedCooldown.init({ ...start, share }), step)
    expect(rateAt(0, 500)).toEqual({ learningRate: 0.1, firstLoweredStep: null, isStopped: false })
    expect(rateAt(1, 50).learningRate).toBeCloseTo(0.05, 15)
  })

  it('refuses options out of their range, by name and value', () => {
    expect(() => fixedCooldown.init({ ...start, share: 1.1 })).toThrow('share must be from 0 to 1, got 1.1')
    expect(() => fixedCooldown.init({ ...start, share: 0.5, budgetSteps: 0 })).toThrow(/budgetSteps .* got 0/)
  })
})
