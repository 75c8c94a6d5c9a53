// Do the errors mean what they say? Seeded simulations with a known truth: value ± 1.96 errors must cover it in
// 90 to 99 % of 400 runs. A share of .95 scatters by .011 itself, so .90 is far outside for an honest error.
// Where probes are few and strongly correlated the slope's errors are known to be too small; that is asserted
// too, so that nobody reads more into them.

import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { averagedGap } from './averagedGap.ts'
import type { Estimate } from './estimator.ts'
import { gradientNoise } from './gradientNoise.ts'
import { lossTrend } from './lossTrend.ts'
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

/** Real gradients of 20 dimensions: mean .3, variance 1 in each; batches of 64 in micro-batches of 16. */
function noisyGradients(normal: () => number, pairs: number) {
  let state = gradientNoise.init({ pairsPerBlock: 2 })
  for (let pair = 0; pair < pairs; pair++) {
    let [full, micro] = [0, 0]
    for (let dimension = 0; dimension < 20; dimension++) {
      let mean = 0
      for (let part = 0; part < 4; part++) {
        const gradient = 0.3 + normal() / Math.sqrt(16)
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
  })

  it.each([4, 6, 8])('of the averaged gap, %i probes', (probes) => {
    const share = coverage(probes, 0.2, (normal) => {
      let state = averagedGap.init({})
      for (let i = 0; i < probes; i++)
        state = averagedGap.update(state, {
          set: 'held-out',
          raw: { loss: 0.5 + 0.1 * normal() },
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
      let state = valleySlope.init({})
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
    { probes: 33, noise: 0.01, r: 0, outliers: 0.1 },
    { probes: 33, noise: 0.05, r: 0, outliers: 0 },
    { probes: 33, noise: 0.01, r: 0.5, outliers: 0 },
    { probes: 100, noise: 0.01, r: 0.5, outliers: 0 },
  ])('of the valley slope: $probes probes, noise $noise, r $r, outliers $outliers', (setting) => {
    const { probes, noise, r, outliers } = setting
    expectHonest(slopeCoverage(probes, noise, r, outliers))
    expectHonest(slopeCoverage(probes, noise, r, outliers, 1.3))
  })
  it('of the valley slope less often with eight correlated probes', () => {
    const share = slopeCoverage(8, 0.01, 0.5, 0)
    expect(share).toBeGreaterThan(0.7)
    expect(share).toBeLessThan(0.9)
  })

  it.each([
    { count: 8, r: 0 },
    { count: 64, r: 0 },
    { count: 64, r: 0.5 },
  ])('of the loss trend: $count blocks, r $r', ({ count, r }) => {
    const share = coverage(count, -1e-4, (normal) => {
      const next = correlated(normal, r)
      let state = lossTrend.init({ budgetSteps: 100 })
      for (let i = 0; i < count; i++)
        state = lossTrend.update(state, { step: 10 * i + 9, value: 2 - i * 1e-3 + 0.05 * next() })
      return lossTrend.read(state)
    })
    expectHonest(share)
  })
})
