import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'
import { levelOf, scatterOf } from './levels.ts'
import { isOfNumbers, type Sign, signOf } from './signs.ts'
import {
  blocksInARow,
  type GuardSample,
  type GuardState,
  guardBlockSteps,
  noGuard,
  watchedAfresh,
  watchLate,
  watchProbe,
  watchSample,
} from './watch.ts'

type Reported = Partial<Omit<GuardSample, 'step'>>
const sampleAt = (step: number, reported: Reported): GuardSample => ({
  step,
  loss: null,
  gradientNorm: null,
  batchSize: null,
  ...reported,
})

/** Folds samples by step until a sign is met; the step of it, and the sign. */
function firstSign(
  stepCount: number,
  reportedAt: (step: number) => Reported,
): { step: number; sign: Sign } | undefined {
  let state = noGuard
  for (let step = 0; step < stepCount; step++) {
    state = watchSample(state, sampleAt(step, reportedAt(step)))
    const sign = signOf(state)
    if (sign !== null) return { step, sign }
  }
  return undefined
}
const byLoss = (stepCount: number, lossAt: (step: number) => number | null) =>
  firstSign(stepCount, (step) => ({ loss: lossAt(step) }))
const watched = (losses: readonly (number | null)[]): GuardState =>
  losses.reduce<GuardState>((state, loss, step) => watchSample(state, sampleAt(step, { loss })), noGuard)

const draw = normals(random(11))
const scatter = Array.from({ length: 2_000 }, () => 0.1 * draw())
const noisy = (step: number) => 1 + scatter[step]!
/** Steps that five blocks in a row take. */
const persistence = blocksInARow * guardBlockSteps

describe('losses that are not finite', () => {
  it('are a sign at the fifth in a row, and no shorter burst is', () => {
    expect(byLoss(200, (step) => (step >= 100 ? Number.NaN : 1))).toEqual({
      step: 104,
      sign: { key: 'non-finite-loss', values: { count: 5 } },
    })
    expect(byLoss(200, (step) => (step % 10 < 4 ? Number.POSITIVE_INFINITY : 1))).toBeUndefined()
  })

  it('are so too if they are too large to add up; losses that are not reported are nothing', () => {
    expect(byLoss(10, () => 1e305)?.step).toBe(4)
    expect(byLoss(100, () => null)).toBeUndefined()
    // A step without a report neither adds to a burst nor ends it.
    expect(byLoss(20, (step) => (step % 2 === 0 ? null : Number.NaN))?.step).toBe(9)
  })

  it('are one where every second is, and none where they are rarer', () => {
    expect(byLoss(200, (step) => (step >= 100 && step % 2 === 1 ? Number.NaN : 1))?.step).toBe(109)
    expect(byLoss(200, (step) => (step % 3 === 0 ? Number.NaN : 1))).toBeUndefined()
  })

  it('count where they come late, among sound ones as well', () => {
    const burst = watched([1, Number.NaN, Number.NaN, Number.NaN, Number.NaN])
    expect(signOf(watchLate(burst, Number.NaN))?.key).toBe('non-finite-loss')
    expect(signOf(watchLate(burst, 1))).toBeNull()
    expect(signOf(watchLate(watchLate(burst, 1), Number.NaN))?.key).toBe('non-finite-loss')
    expect(watchLate(burst, null)).toBe(burst)
  })
})

describe('a loss that rises', () => {
  it('far above its level, for five blocks of ten steps, is a sign that tells from where to where', () => {
    const found = byLoss(1_000, (step) => (step >= 500 ? 3 + noisy(step) : noisy(step)))
    expect(found?.step).toBe(500 + persistence - 1)
    expect(found?.sign).toMatchObject({ key: 'loss-rise', values: { steps: persistence } })
    expect(found?.sign.values.from).toBeCloseTo(1, 1)
    expect(found?.sign.values.to).toBeCloseTo(4, 0)
  })

  it('is none at one bad batch, nor at one in each block', () => {
    expect(byLoss(2_000, (step) => (step === 700 ? 1e6 : noisy(step)))).toBeUndefined()
    expect(byLoss(2_000, (step) => noisy(step) + (step % 50 === 0 ? 5 : 0))).toBeUndefined()
  })

  it('is none where it rises as it did all along, nor at the very start', () => {
    expect(byLoss(2_000, (step) => 0.01 * step + noisy(step))).toBeUndefined()
    expect(byLoss(150, (step) => 1 + step / 50 + scatter[step]!)).toBeUndefined()
  })

  it.each([80, 120, 160])('by twenty deviations from step %i on is one within 100 steps', (at) => {
    const found = byLoss(400, (step) => 3 / (1 + step / 50) + scatter[step]! + (step < at ? 0 : 2))
    expect(found?.step).toBeLessThan(at + 100)
  })

  it('is one within 100 steps though an outlier had healed', () => {
    const found = byLoss(2_000, (step) => noisy(step) + (step === 700 ? 1e3 : 0) + (step < 1_500 ? 0 : 3))
    expect(found?.step).toBeGreaterThan(1_500)
    expect(found?.step).toBeLessThan(1_600)
  })

  it('is none on a constant, a falling and a nearly constant loss', () => {
    expect(byLoss(2_000, () => 0)).toBeUndefined()
    expect(byLoss(2_000, () => 1)).toBeUndefined()
    expect(byLoss(2_000, (step) => 1 / (1 + step))).toBeUndefined()
    expect(byLoss(2_000, (step) => 1 + 1e-9 * scatter[step]!)).toBeUndefined()
  })

  it.each([
    [1, 20],
    [1, -20],
    [4, 0],
    [0.25, -1],
  ])('is judged alike where every loss is multiplied by %d and %d is added', (factor, added) => {
    const courses: readonly ((step: number) => number)[] = [
      noisy,
      (step) => (step >= 500 ? 3 + noisy(step) : noisy(step)),
      (step) => (step >= 500 ? 0.35 + noisy(step) : noisy(step)),
      (step) => (step < 40 ? 2.5 - step / 20 : 2.3 + scatter[step]!),
      (step) => 3 / (1 + step / 50) + (step > 900 ? 0.01 * (step - 900) : 0) + scatter[step]!,
    ]
    for (const course of courses) {
      const plain = byLoss(2_000, course)
      const moved = byLoss(2_000, (step) => factor * course(step) + added)
      expect(moved?.step).toBe(plain?.step)
      expect(moved?.sign.key).toBe(plain?.sign.key)
    }
  })
})

describe('what was learned and forgotten', () => {
  it('is a sign in the first steps: the loss is back near where it began for five blocks', () => {
    const dying = (step: number) => (step < 40 ? 2.5 - step / 20 : 2.3) + 0.1 * scatter[step]!
    const found = byLoss(200, dying)
    expect(found?.step).toBe(40 + persistence - 1)
    expect(found?.sign).toEqual({ key: 'forgotten', values: { steps: persistence } })
  })

  it('is none where less than three quarters are given back, or hardly anything was learned', () => {
    const back = (low: number, high: number) => (step: number) =>
      (step < 10 ? 2 : step < 20 ? low : high) + 0.1 * scatter[step]!
    expect(byLoss(150, back(0.4, 1.5))).toBeUndefined()
    expect(byLoss(150, back(0.4, 1.7))?.step).toBe(20 + persistence - 1)
    expect(byLoss(150, back(1.99, 2))).toBeUndefined()
  })
})

describe('a slow climb, which the level follows', () => {
  const learning = (step: number) => 3 / (1 + step / 50) + scatter[step]!
  it('is told once the loss lies above where it began by half of what was learned', () => {
    const found = byLoss(2_000, (step) => learning(step) + 0.005 * Math.max(0, step - 900))
    expect(found?.sign.key).toBe('forgotten')
    expect(found?.step).toBeGreaterThan(900 + 2.8 / 0.005)
  })

  it('is none that stays below', () => {
    expect(byLoss(2_000, (step) => learning(step) + 0.0025 * Math.max(0, step - 900))).toBeUndefined()
  })
})

describe('a loss that is exactly 0', () => {
  it('is a sign after twenty steps, where it was well above before', () => {
    expect(byLoss(200, (step) => (step < 100 ? noisy(step) : 0))).toEqual({
      step: 119,
      sign: { key: 'loss-stuck', values: { steps: 20 } },
    })
  })

  it('is none from the start, now and then, or for less', () => {
    expect(byLoss(500, () => 0)).toBeUndefined()
    expect(byLoss(500, (step) => (step % 3 === 0 ? 0 : noisy(step)))).toBeUndefined()
    expect(byLoss(119, (step) => (step < 100 ? noisy(step) : 0))).toBeUndefined()
  })
})

describe('gradient norms', () => {
  const norm = (isHigh: (step: number) => boolean, batchSize: (step: number) => number | null = () => null) =>
    firstSign(500, (step) => ({
      gradientNorm: isHigh(step) ? 50 : 2 + scatter[step]!,
      batchSize: batchSize(step),
    }))

  it('far above their mean at five of ten steps are a sign', () => {
    expect(norm((step) => step >= 200)).toEqual({
      step: 204,
      sign: { key: 'norm-jump', values: { hits: 5, of: 10 } },
    })
    expect(norm((step) => step >= 200 && step % 2 === 0)?.step).toBe(208)
  })

  it('are none while the loss falls', () => {
    const falling = firstSign(500, (step) => ({
      loss: 5 - 0.01 * step,
      gradientNorm: step >= 200 ? 50 : 2 + scatter[step]!,
    }))
    expect(falling).toBeUndefined()
  })

  it('begin a new level with a new batch size', () => {
    expect(
      norm(
        (step) => step >= 200,
        (step) => (step >= 200 ? 4 : 64),
      ),
    ).toBeUndefined()
  })

  it('are none where single ones are high, and a sign of numbers where five of ten are none', () => {
    expect(norm((step) => step % 5 === 0)).toBeUndefined()
    const none = (isNone: (step: number) => boolean) =>
      firstSign(500, (step) => ({ loss: 1, gradientNorm: isNone(step) ? Number.NaN : 1 }))
    expect(none((step) => step % 3 === 1)).toBeUndefined()
    expect(none((step) => step % 2 === 1)?.step).toBe(9)
    expect(none((step) => step >= 100)).toEqual({
      step: 104,
      sign: { key: 'non-finite-norm', values: { count: 5 } },
    })
  })
})

describe('probes', () => {
  it('are a sign where two in a row are not finite', () => {
    const once = watchProbe(noGuard, false)
    expect(signOf(once)).toBeNull()
    expect(signOf(watchProbe(watchProbe(once, true), false))).toBeNull()
    expect(signOf(watchProbe(once, false))).toEqual({ key: 'non-finite-probe', values: { count: 2 } })
  })
})

describe('signs', () => {
  it('of numbers alone may end a run', () => {
    const keys = ['non-finite-loss', 'non-finite-norm'] as const
    for (const key of keys) expect(isOfNumbers({ key, values: {} })).toBe(true)
    for (const key of ['non-finite-probe', 'loss-rise', 'forgotten', 'norm-jump', 'loss-stuck'] as const)
      expect(isOfNumbers({ key, values: {} })).toBe(false)
  })
})

describe('watching', () => {
  it('knows the level of eight blocks, and the scatter of single steps from the first', () => {
    const few = watched(Array.from({ length: 70 }, (_, step) => noisy(step)))
    expect(levelOf(few)).toBeNull()
    expect(scatterOf(few)).toBeGreaterThan(0.05)
    const enough = watched(Array.from({ length: 80 }, (_, step) => noisy(step)))
    expect(levelOf(enough)).toBeCloseTo(1, 1)
    expect(scatterOf(watched(Array(80).fill(1)))).toBeNull()
  })

  it('keeps a bounded history, plain JSON', () => {
    const state = watched(Array.from({ length: 2_000 }, (_, step) => noisy(step)))
    const lists = Object.values(state).flatMap((value) => (Array.isArray(value) ? [value.length] : []))
    expect(Math.max(...lists)).toBeLessThanOrEqual(32)
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })

  it('afresh forgets what was seen, and keeps trips and checkpoints', () => {
    const kept = {
      trips: [{ step: 70, isFinite: true, from: 1, to: 2 }],
      checkpoints: [{ name: 'good-0', step: 90, runLength: 90 }],
    }
    const seen = { ...watched(Array.from({ length: 300 }, (_, step) => noisy(step))), badLosses: 3, ...kept }
    expect(watchedAfresh(seen)).toEqual({ ...noGuard, ...kept })
    expect(watchedAfresh(seen, 500)).toEqual({ ...noGuard, ...kept, blindUntilStep: 500 })
  })

  it('looks away up to the step that it is told', () => {
    const blind = watchedAfresh(noGuard, 10)
    const [before, after] = [9, 10].map((step) => watchSample(blind, sampleAt(step, { loss: Number.NaN })))
    expect(before).toBe(blind)
    expect(after?.badLosses).toBe(1)
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
