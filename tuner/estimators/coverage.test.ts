// Do the errors mean what they say? Seeded simulations with a known truth: value ± 1.96 errors must cover it in
// 90 to 99 % of 400 runs. A share of .95 scatters by .011 itself, so .90 is far outside for an honest error.
// Where values are few and strongly correlated, and on a valley that turns up, errors are known to be too small; that
// is asserted too, so that nobody reads more into them. Tables: bench/records/2026-11-24-coverage/README.md.

import { describe, expect, it } from 'vitest'
import { deviationsBelow, marginalCost, switchFactorGap } from '../phases/marginalCost.ts'
import { normals, random } from '../testing/random.ts'
import {
  annealingGain,
  annealingGainFactor,
  annealingGainPower,
  annealingGainSpread,
} from './annealingGain.ts'
import { averagedGap } from './averagedGap.ts'
import { curvature } from './curvature.ts'
import { type Estimate, noEstimate } from './estimator.ts'
import { gradientNoise } from './gradientNoise.ts'
import { slopeAt, valleySlope } from './valleySlope.ts'

const runs = 400

/** The share of runs whose interval holds the truth. `simulate` gets standard normal deviates. */
function coverage(seed: number, truth: number, simulate: (normal: () => number) => Estimate): number {
  const normal = normals(random(seed))
  let inside = 0
  for (let run = 0; run < runs; run++) {
    const { value, standardError } = simulate(normal)
    if (Math.abs(value! - truth) < 1.96 * standardError!) inside++
  }
  return inside / runs
}

/** First-order autoregression of variance 1. */
function correlated(normal: () => number, r: number): () => number {
  let last = normal()
  return () => {
    last = r * last + Math.sqrt(1 - r * r) * normal()
    return last
  }
}

function expectHonest(share: number) {
  expect(share).toBeGreaterThanOrEqual(0.9)
  expect(share).toBeLessThanOrEqual(0.99)
}

/**
 * Real gradients of 20 dimensions: mean .3, variance 1 in each; batches of 64 in micro-batches of 16. With r above 0
 * the variance wanders about 1 by .3, correlated from pair to pair.
 */
function noisyGradients(normal: () => number, pairs: number, r = 0) {
  const wander = correlated(normal, r)
  let state = gradientNoise.init()
  for (let pair = 0; pair < pairs; pair++) {
    let [full, micro] = [0, 0]
    const deviation = r === 0 ? 1 : Math.sqrt(Math.max(0.05, 1 + 0.3 * wander()))
    for (let dimension = 0; dimension < 20; dimension++) {
      let mean = 0
      for (let part = 0; part < 4; part++) {
        const gradient = 0.3 + (deviation * normal()) / Math.sqrt(16)
        micro += gradient ** 2 / 4
        mean += gradient / 4
      }
      full += mean ** 2
    }
    state = gradientNoise.update(state, {
      gradientNormSquared: full,
      microGradientNormSquared: micro,
      batchSize: 64,
      microBatchSize: 16,
    })
  }
  return gradientNoise.read(state)
}

describe('95 % intervals cover the truth', () => {
  it.each([4, 8, 16])('of trΣ and the noise scale, %i blocks', (blocks) => {
    expectHonest(coverage(blocks, 20, (normal) => noisyGradients(normal, 2 * blocks).traceSigma))
    expectHonest(
      coverage(blocks, 20 / (20 * 0.09), (normal) => noisyGradients(normal, 2 * blocks).noiseScale),
    )
    expectHonest(coverage(blocks, 20, (normal) => noisyGradients(normal, 2 * blocks, 0.5).traceSigma))
    expectHonest(
      coverage(blocks, 20 / (20 * 0.09), (normal) => noisyGradients(normal, 2 * blocks, 0.5).noiseScale),
    )
  })

  it.each([
    [4, 0],
    [6, 0],
    [8, 0],
    [8, 0.5],
  ])('of the averaged gap, %i probes, r %f', (probes, r) => {
    const share = coverage(probes, 0.2, (normal) => {
      const next = correlated(normal, r)
      let state = averagedGap.init()
      for (let i = 0; i < probes; i++)
        state = averagedGap.update(state, {
          set: 'held-out',
          raw: { loss: 0.5 + 0.1 * next() },
          averaged: [{ windowSteps: 10, loss: 0.3 + 0.02 * normal() }],
        })
      return averagedGap.read(state).gap
    })
    expectHonest(share)
  })

  const slopeCoverage = (probes: number, noise: number, r: number, outliers: number, ahead = 1) => {
    const truth = (0.3 / 1000) * ((probes * 50 * ahead) / 1000) ** -1.6
    return coverage(probes, truth, (normal) => {
      const next = correlated(normal, r)
      let state = valleySlope.init()
      for (let i = 1; i <= probes; i++) {
        const outlier = outliers > 0 && i % Math.round(1 / outliers) === 0 ? 8 * noise * normal() : 0
        const averagedLoss = 0.3 + 0.5 * (i / 20) ** -0.6 + noise * next() + outlier
        state = valleySlope.update(state, { runLength: i * 50, averagedLoss })
      }
      return slopeAt(valleySlope.read(state).fit!, probes * 50 * ahead)
    })
  }
  it.each([
    { probes: 8, noise: 0.004, r: 0, outliers: 0 },
    { probes: 16, noise: 0.02, r: 0, outliers: 0 },
    { probes: 33, noise: 0.05, r: 0, outliers: 0 },
    { probes: 33, noise: 0.01, r: 0.5, outliers: 0 },
    { probes: 100, noise: 0.01, r: 0.5, outliers: 0 },
    { probes: 16, noise: 0.01, r: 0.5, outliers: 0 },
    { probes: 33, noise: 0.01, r: 0.8, outliers: 0 },
  ])('of the valley slope: $probes probes, noise $noise, r $r, outliers $outliers', (setting) => {
    const { probes, noise, r, outliers } = setting
    expectHonest(slopeCoverage(probes, noise, r, outliers))
    expectHonest(slopeCoverage(probes, noise, r, outliers, 1.3))
  })
  it('of the valley slope a little too often with a tenth of outliers, which hide how correlated the rest is', () => {
    const share = slopeCoverage(33, 0.01, 0, 0.1)
    expect(share).toBeGreaterThanOrEqual(0.95)
    expect(share).toBeLessThan(1)
  })
  it('of the valley slope less often with eight strongly correlated probes', () => {
    const share = slopeCoverage(8, 0.01, 0.8, 0)
    expect(share).toBeGreaterThan(0.7)
    expect(share).toBeLessThan(0.9)
  })

  it('of the valley slope hardly ever where held-out loss falls and rises again: no power law turns', () => {
    // At x = 1.65 the curve rises by .0054 a unit of x, which is 1,000 large steps.
    const lossAt = (x: number) => 0.3 + 0.25 * x ** -0.6 + 0.2 * Math.max(0, x / 1.65 - 0.5) ** 2
    const truth = -(lossAt(1.65 + 1e-6) - lossAt(1.65 - 1e-6)) / 2e-6 / 1_000
    const share = coverage(33, truth, (normal) => {
      let state = valleySlope.init()
      for (let i = 1; i <= 33; i++)
        state = valleySlope.update(state, {
          runLength: 50 * i,
          averagedLoss: lossAt(i / 20) + 0.005 * normal(),
        })
      return slopeAt(valleySlope.read(state).fit!, 1_650)
    })
    expect(truth).toBeLessThan(0)
    expect(share).toBeLessThan(0.2)
  })

  it.each([8, 16])('of the curvature along the noise, %i probes', (probes) => {
    for (const r of [0, 0.5])
      expectHonest(
        coverage(probes, 2, (normal) => {
          const next = correlated(normal, r)
          let state = curvature.init()
          for (let i = 0; i < probes; i++) {
            const probe = {
              criticalLearningRate: 0.5,
              curvature: 1,
              noiseCurvature: 2 * Math.exp(0.2 * next()),
            }
            state = curvature.update(state, { probe, learningRate: 0.1 })
          }
          return curvature.read(state).noiseCurvature
        }),
      )
  })

  it('of the annealing gain, whose formula is right within its own spread', () => {
    const [traceSigma, noiseCurvature, rate, batchSize] = [20, 2, 0.1, 64]
    const mean = (annealingGainFactor * rate * traceSigma) / (4 * batchSize)
    const typical = mean * (rate * noiseCurvature) ** annealingGainPower
    const measured = (value: number, standardError: number): Estimate => ({
      value,
      standardError,
      count: 8,
      needed: 4,
    })
    // The error is told of G, and the spread is one of its logarithm: of the truth over G, in logs.
    const share = coverage(5, 0, (normal) => {
      const truth = typical * annealingGainSpread ** normal()
      const { value, standardError } = annealingGain({
        effectiveLearningRate: rate,
        batchSize,
        traceSigma: measured(traceSigma + 2 * normal(), 2),
        noiseCurvature: measured(noiseCurvature * Math.exp(0.2 * normal()), 0.2 * noiseCurvature),
      })
      return measured(Math.log(value! / truth), standardError! / value!)
    })
    expectHonest(share)
  })

  it('of the switch test: where its sides are equal, they lie apart by no more than their errors', () => {
    const normal = normals(random(12))
    const [probes, budgetSteps] = [20, 2_000]
    const step = probes * 50
    const remaining = budgetSteps - step
    const slope = (0.3 / 1_000) * ((step + remaining / 2) / 1_000) ** -1.6
    const gapTruth = (remaining * slope) / 2 / switchFactorGap
    let inside = 0
    for (let run = 0; run < runs; run++) {
      let valley = valleySlope.init()
      for (let i = 1; i <= probes; i++)
        valley = valleySlope.update(valley, {
          runLength: 50 * i,
          averagedLoss: 0.3 + 0.5 * (i / 20) ** -0.6 + 0.004 * normal(),
        })
      const gapError = 0.15 * gapTruth
      const { staying, annealing } = marginalCost({
        step,
        end: budgetSteps,
        earliest: 500,
        gapError: null,
        deadline: 1_800,
        runLength: step,
        valley: valleySlope.read(valley).fit!,
        gain: noEstimate(0, 1),
        gap: { value: gapTruth + gapError * normal(), standardError: gapError, count: 8, needed: 1 },
      })!
      if (Math.abs(deviationsBelow(staying, annealing)!) < 1.96) inside++
    }
    expectHonest(inside / runs)
  })
})
