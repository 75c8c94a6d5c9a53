// The ill-conditioned problem of experiment C: least squares ½Σ hᵢwᵢ² whose condition number κ is known, with full
// gradients, stepped by the trainer's own optimizer in 32 bits. Eigenvalues lie evenly in the logarithm from 1 to 1/κ.
// In theory the best momentum μ* = ((√κ − 1)/(√κ + 1))² saves a factor of about √κ of the steps (Polyak 1964).

import * as tf from '@tensorflow/tfjs-core'
import { disposeAll } from '../../trainer/optimizers/optimizer.ts'
import { createOptimizer } from '../../trainer/optimizers/optimizers.ts'
import { normals, random } from '../../tuner/testing/random.ts'
import { type Interval, ratioInterval } from './statistics.ts'
import type { Store } from './store.ts'
import { type TunedRate, timeScore, tunedRate } from './tunedRate.ts'

export type LeastSquaresSizes = {
  readonly seeds: readonly number[]
  readonly tuningSeeds: readonly number[]
  readonly refinements: number
  /** The fixed momentum beside the best one of each condition number. */
  readonly momentum: number
  /** With the ratios of steps that are expected beforehand. */
  readonly problems: readonly { readonly condition: number; readonly expected: ExpectedRatios }[]
}
export type ExpectedRatios = { readonly best: number; readonly fixed: number }

export type MomentumGap = {
  readonly condition: number
  readonly momentum: number
  readonly isBest: boolean
  readonly expected: number
  /** Effective rates without and with momentum. */
  readonly rates: readonly [TunedRate, TunedRate]
  /** Steps without over steps with. */
  readonly ratio: Interval
}

const directions = 32
const aimShare = 1e-8
const stepsMax = 8_192
/** A loss this many times that of the start is on its way to infinity. */
const divergedFactor = 1e6
const middleRate = 1

export const bestMomentum = (condition: number): number =>
  ((Math.sqrt(condition) - 1) / (Math.sqrt(condition) + 1)) ** 2

export function eigenvaluesOf(condition: number): number[] {
  return Array.from({ length: directions }, (_, i) => condition ** (-i / (directions - 1)))
}

const startOf = (seed: number): number[] => Array.from({ length: directions }, normals(random(seed)))

export type Descent = {
  readonly condition: number
  readonly momentum: number
  readonly effectiveRate: number
}

/** Steps until the loss is 1e-8 of the start's; null = not within the cap. Needs an open backend. */
export async function stepsToAim(
  descent: Descent,
  seed: number,
  cap: number = stepsMax,
): Promise<number | null> {
  const { condition, momentum, effectiveRate } = descent
  const curvatures = tf.tensor1d(eigenvaluesOf(condition))
  const optimizer = createOptimizer('momentum')
  const request = { learningRate: effectiveRate * (1 - momentum), momentum }
  let weights: tf.Tensor[] = [tf.tensor1d(startOf(seed))]
  const lossNow = (): number =>
    tf.tidy(() => tf.sum(tf.mul(curvatures, tf.square(weights[0]!))).dataSync()[0]! / 2)
  const first = lossNow()
  let reached: number | null = null
  for (let step = 1; step <= cap && reached === null; step++) {
    const gradient = tf.mul(curvatures, weights[0]!)
    const next = optimizer.step(weights, [gradient], request)
    disposeAll([...weights, gradient])
    weights = next
    const loss = lossNow()
    if (!(loss <= divergedFactor * first)) break
    if (loss <= aimShare * first) reached = step
  }
  disposeAll([...weights, curvatures])
  optimizer.dispose()
  return reached
}

async function runGap(
  store: Store,
  sizes: LeastSquaresSizes,
  gap: Pick<MomentumGap, 'condition' | 'momentum' | 'isBest' | 'expected'>,
): Promise<MomentumGap> {
  const { condition } = gap
  const stepsOf = (momentum: number, effectiveRate: number, seed: number, cap?: number) =>
    store.once(
      `least squares, condition ${condition}, momentum ${momentum.toPrecision(4)}, effective rate ${effectiveRate.toPrecision(6)}, seed ${seed}`,
      () => stepsToAim({ condition, momentum, effectiveRate }, seed, cap),
    )
  const tune = (momentum: number): Promise<TunedRate> =>
    tunedRate({
      middle: middleRate,
      refinements: sizes.refinements,
      score: timeScore({
        seeds: sizes.tuningSeeds,
        cap: stepsMax,
        measure: (seed, rate, cap) => stepsOf(momentum, rate, seed, cap),
      }),
    })
  const [plain, heavy] = [await tune(0), await tune(gap.momentum)]
  const ratios: number[] = []
  for (const seed of sizes.seeds) {
    const without = (await stepsOf(0, plain.rate, seed)) ?? Number.NaN
    ratios.push(without / ((await stepsOf(gap.momentum, heavy.rate, seed)) ?? Number.NaN))
  }
  return { ...gap, rates: [plain, heavy], ratio: ratioInterval(ratios) }
}

export async function runLeastSquares(store: Store, sizes: LeastSquaresSizes): Promise<MomentumGap[]> {
  const gaps: MomentumGap[] = []
  for (const { condition, expected } of sizes.problems) {
    const best = { condition, momentum: bestMomentum(condition), isBest: true, expected: expected.best }
    const fixed = { condition, momentum: sizes.momentum, isBest: false, expected: expected.fixed }
    for (const gap of [best, fixed]) gaps.push(await runGap(store, sizes, gap))
  }
  return gaps
}
