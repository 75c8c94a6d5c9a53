import { describe, expect, it } from 'vitest'
import {
  guardBlockSteps,
  guardBlocksNeeded,
  guardHistoryBlocks,
  guardLossBlocks,
  guardNonFiniteMax,
  guardNormHits,
  guardProbesNeeded,
} from '../constants.ts'
import { normals, random } from '../testing/random.ts'
import { type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'
import {
  type DivergenceState,
  divergenceSign,
  isProbeNormal,
  noDivergence,
  watchAfresh,
  watchProbe,
  watchSample,
} from './divergence.ts'

/** Folds losses (and norms) by step until a sign is seen; the step of it, and the sign. */
function firstSign(
  stepCount: number,
  sampleAt: (step: number) => { loss: number | null; gradientNorm?: number | null },
): { step: number; sign: string } | undefined {
  let state = noDivergence
  for (let step = 0; step < stepCount; step++) {
    state = watchSample(state, { gradientNorm: null, ...sampleAt(step) })
    const sign = divergenceSign(state)
    if (sign !== null) return { step, sign }
  }
  return undefined
}

const draw = normals(random(11))
const scatter = Array.from({ length: 2_000 }, () => 0.1 * draw())
const noisy = (step: number) => 1 + scatter[step]!

const probed = (losses: readonly number[]): DivergenceState => losses.reduce(watchProbe, noDivergence)

describe('the divergence guard, by losses', () => {
  it('sees the fifth loss in a row that is not finite, and no shorter burst', () => {
    expect(firstSign(200, (step) => ({ loss: step >= 100 ? Number.NaN : 1 }))).toEqual({
      step: 100 + guardNonFiniteMax - 1,
      sign: 'the loss was not finite at 5 steps in a row',
    })
    const burst = (step: number) => (step % 10 < guardNonFiniteMax - 1 ? Number.POSITIVE_INFINITY : 1)
    expect(firstSign(200, (step) => ({ loss: burst(step) }))).toBeUndefined()
  })

  it('takes a loss too large to add up for one that is not finite, and one not reported for nothing', () => {
    expect(firstSign(10, () => ({ loss: 1e305 }))?.step).toBe(guardNonFiniteMax - 1)
    expect(firstSign(100, () => ({ loss: null }))).toBeUndefined()
  })

  it('sees a loss far above its median for five blocks of ten steps', () => {
    const found = firstSign(1_000, (step) => ({ loss: step >= 500 ? 3 + noisy(step) : noisy(step) }))
    expect(found).toEqual({
      step: 500 + guardLossBlocks * guardBlockSteps - 1,
      sign: 'the loss stayed far above its recent median for 50 steps',
    })
  })

  it('is not tripped by one bad batch, nor by one in each block', () => {
    expect(firstSign(2_000, (step) => ({ loss: step === 700 ? 1e6 : noisy(step) }))).toBeUndefined()
    expect(firstSign(2_000, (step) => ({ loss: noisy(step) + (step % 50 === 0 ? 5 : 0) }))).toBeUndefined()
  })

  it('needs blocks to judge by: a loss that rises at the very start says nothing', () => {
    const rise = (step: number) => 1 + step / 50
    expect(firstSign(guardBlocksNeeded * guardBlockSteps, (step) => ({ loss: rise(step) }))).toBeUndefined()
  })

  it('sees a run that dies in its first steps: the loss is back near where it began for five blocks', () => {
    const dying = (step: number) => (step < 40 ? 2.5 - step / 20 : 2.3)
    expect(firstSign(200, (step) => ({ loss: dying(step) }))).toEqual({
      step: 40 + guardLossBlocks * guardBlockSteps - 1,
      sign: 'the loss was back near where the run began for 50 steps',
    })
  })

  it('takes no loss for forgotten where less than half was learned, or less than three quarters are gone', () => {
    const rising = (low: number, high: number) => (step: number) => ({
      loss: step < 10 ? 2 : step < 20 ? low : high,
    })
    expect(firstSign(150, rising(1.1, 2))).toBeUndefined()
    expect(firstSign(150, rising(0.4, 1.5))).toBeUndefined()
    expect(firstSign(150, rising(0.4, 1.7))?.step).toBe(20 + guardLossBlocks * guardBlockSteps - 1)
    expect(firstSign(150, (step) => ({ loss: step < 20 ? -step : 0 }))).toBeUndefined()
  })

  it('keeps silent on a constant, a falling and a nearly constant loss', () => {
    expect(firstSign(2_000, () => ({ loss: 0 }))).toBeUndefined()
    expect(firstSign(2_000, (step) => ({ loss: 1 / (1 + step) }))).toBeUndefined()
    expect(firstSign(2_000, (step) => ({ loss: 1 + 1e-9 * scatter[step]! }))).toBeUndefined()
    expect(firstSign(2_000, (step) => ({ loss: -5 - noisy(step) }))).toBeUndefined()
  })

  it('keeps a bounded history', () => {
    let state = noDivergence
    for (let step = 0; step < 2_000; step++)
      state = watchSample(state, { loss: noisy(step), gradientNorm: 1 })
    expect(state.blocks).toHaveLength(guardHistoryBlocks)
  })
})

describe('the divergence guard, by gradient norms', () => {
  const norm = (isHigh: (step: number) => boolean) =>
    firstSign(500, (step) => ({ loss: 1, gradientNorm: isHigh(step) ? 50 : 2 + scatter[step]! }))

  it('sees norms far above their mean at five of ten steps', () => {
    expect(norm((step) => step >= 200)).toEqual({
      step: 200 + guardNormHits - 1,
      sign: 'the gradient norm jumped far above its mean at 5 of 5 steps',
    })
    expect(norm((step) => step >= 200 && step % 2 === 0)?.step).toBe(208)
  })

  it('is not tripped by single high norms, nor by norms that are none', () => {
    expect(norm((step) => step % 5 === 0)).toBeUndefined()
    expect(firstSign(500, (step) => ({ loss: 1, gradientNorm: step % 2 ? Number.NaN : 1 }))).toBeUndefined()
  })
})

describe('the divergence guard, by probes', () => {
  const level = Array.from({ length: guardProbesNeeded }, (_, i) => 1 + 0.02 * (i % 3))

  it('sees two probes in a row far above the recent ones, and one not', () => {
    expect(divergenceSign(probed([...level, 2]))).toBeNull()
    expect(divergenceSign(probed([...level, 2, 2.5]))).toBe(
      'the probe loss rose to 2.50 times its best at two probes in a row',
    )
    expect(divergenceSign(probed([...level, 2, 1, 2]))).toBeNull()
  })

  it('asks for more than a wide scatter: a large step makes probes jump', () => {
    const wide = [1, 1.6, 0.9, 1.5, 1.1, 1.7, 1, 1.4]
    expect(divergenceSign(probed([...wide, 1.9, 1.9]))).toBeNull()
    expect(divergenceSign(probed([...wide, 5, 5]))).not.toBeNull()
  })

  it('counts a probe that is not finite as infinitely high', () => {
    expect(divergenceSign(probed([...level, Number.NaN, Number.NaN]))).toBe(
      'the probe loss rose far above its best at two probes in a row',
    )
  })

  it('judges levels below 0 by their size', () => {
    const negative = level.map((loss) => loss - 4)
    expect(divergenceSign(probed([...negative, -2.8, -2.8]))).toBeNull()
    expect(isProbeNormal(probed(negative))).toBe(true)
    expect(divergenceSign(probed([...negative, 3, 3]))).not.toBeNull()
  })

  it('holds a probe worth keeping within a quarter of the best', () => {
    expect(isProbeNormal(probed([1, 1.2]))).toBe(true)
    expect(isProbeNormal(probed([1, 1.3]))).toBe(false)
    expect(isProbeNormal(noDivergence)).toBe(false)
  })

  it('holds the first probe after a trip not worth keeping if what was learned is gone', () => {
    const learned = watchAfresh({ ...noDivergence, firstLoss: 2, lowestLoss: 0.4 })
    expect(isProbeNormal(watchProbe(learned, 1.5))).toBe(true)
    expect(isProbeNormal(watchProbe(learned, 1.7))).toBe(false)
  })
})

describe('watching afresh', () => {
  it('forgets what was seen, and keeps trips, checkpoints and what the run had learned', () => {
    const checkpoints = [{ name: 'good-0', step: 90, largeSteps: 90 }]
    const kept = { trips: [70], checkpoints, firstLoss: 2, lowestLoss: 0.5 }
    const state = { ...probed([1, 2, 3]), nonFiniteCount: 3, forgottenHits: 3, ...kept }
    expect(watchAfresh(state)).toEqual({ ...noDivergence, ...kept })
  })
})

describe('on healthy runs', () => {
  it('the guard never trips: 100 runs from little noise to much, from slow rates to a third of the stable ones', () => {
    const kinds: readonly Partial<SyntheticOptions>[] = [
      { learningRate: 0.02, traceSigma: 1 },
      { learningRate: 0.03 },
      { learningRate: 0.1 },
      { learningRate: 0.1, traceSigma: 4, momentum: 0.5 },
      { learningRate: 0.3, momentum: 0 },
    ]
    const common = { budgetSteps: 400, curvatureMin: 1e-3 }
    const tripped = kinds.flatMap((kind) =>
      Array.from({ length: 20 }, (_, i) => i + 1).filter((seed) =>
        // Limits of one rate: no race moves it, so the rates are those of the title.
        syntheticRun({
          ...common,
          ...kind,
          seed,
          rateLimits: { min: kind.learningRate!, max: kind.learningRate! },
        }).decisions.some((decision) => decision.kind === 'guard'),
      ),
    )
    expect(tripped).toEqual([])
  })
})
