import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { type ValleyFit, valleySlope } from '../estimators/valleySlope.ts'
import { normals, random } from '../testing/random.ts'
import {
  annealingScale,
  type MarginalCostInput,
  marginalCost,
  probabilityBelow,
  sureProbesNeeded,
  switchFactorGain,
  switchFactorGap,
  waitingLoss,
} from './marginalCost.ts'

const measured = (value: number, standardError: number | null = 0): Estimate => ({
  value,
  standardError,
  count: 8,
  needed: 1,
})
const unknown = noEstimate(0, 1)

/** P(S) = asymptote + amplitude·(S/S₀)^(−exponent), known exactly. */
const exactFit = (
  exponent: number,
  amplitude: number,
  runLengthReference: number,
  asymptote = 1,
): ValleyFit => ({
  runLengthReference,
  caution: 1,
  count: 20,
  terms: [
    { exponent, share: 1, asymptote, amplitude, asymptoteVariance: 0, covariance: 0, amplitudeVariance: 0 },
  ],
})

/** P(S) = 1 + 2·(1000/S), so p(S) = 2000/S²; at step 1,000 of 2,000, every step a large one. */
const example: MarginalCostInput = {
  step: 1_000,
  end: 2_000,
  earliest: 500,
  deadline: 1_800,
  runLength: 1_000,
  valley: exactFit(1, 2, 1_000),
  gain: unknown,
  gap: measured(0.5),
  gapError: 0.01,
}

describe('both sides of the rule are sure', () => {
  // Staying gains R·p at the middle of the ramp, S = 1,500: 1000·2000/1500² = .89.
  const [staying, gap] = [2_000_000 / 1_500 ** 2, 1.2]
  const sure = (change: Partial<MarginalCostInput>, stayingError = 0, probes = sureProbesNeeded) => {
    const terms = example.valley.terms.map((term) => ({
      ...term,
      // The slope is the amplitude times a factor, so both have the same relative error.
      amplitudeVariance: (term.amplitude * stayingError) ** 2,
    }))
    const valley = { ...example.valley, terms, count: probes }
    return marginalCost({ ...example, valley, ...change })?.isSure ?? false
  }
  it('where staying gains no more than .9 D, and the errors of both are small', () => {
    expect(staying).toBeLessThan(0.9 * gap)
    expect(sure({ gap: measured(gap), gapError: 0.02 }, 0.05)).toBe(true)
    expect(sure({ gap: measured(gap), gapError: 0.02 }, 0.15)).toBe(false)
    expect(sure({ gap: measured(gap), gapError: 0.04 }, 0.05)).toBe(false)
    expect(sure({ gap: measured(staying / 0.95, 0) })).toBe(false)
    expect(sure({ gap: measured(gap) }, 0, sureProbesNeeded - 1)).toBe(false)
  })
  it('never without averaged weights, or without an error', () => {
    expect(sure({ gap: unknown, gain: measured(gap) })).toBe(false)
    expect(sure({ gap: measured(gap), gapError: null })).toBe(false)
    expect(sure({ gap: measured(-gap) })).toBe(false)
  })
})

describe('the switch rule', () => {
  it('compares R·p(t + R/2) with 2·b, as computed by hand', () => {
    // R = 1000; p(1500) = 2000/1500² = .000889, times R = .8889. b = .6·D = .3, so annealing gains .6.
    const cost = marginalCost(example)!
    expect(cost.staying.value).toBeCloseTo(0.888889, 6)
    expect(cost.annealing.value).toBeCloseTo(2 * switchFactorGap * 0.5, 12)
    expect(cost.satisfied).toBe(false)
    expect(cost.slope.value).toBeCloseTo(2000 / 1000 ** 2, 12)
    // R·p = 8000·(2000 − t)/(2000 + t)²: .60068 at 1,221 and .59955 at 1,222.
    expect(cost.earliestStep).toBe(1_222)
    expect(cost.probability).toBeNull()
  })

  it('meets at the first step at which the sides do, found by trying every step', () => {
    for (const gap of [0.1, 0.3, 0.5, 0.7]) {
      const { earliestStep } = marginalCost({ ...example, gap: measured(gap) })!
      const isMet = (t: number) => (8_000 * (2_000 - t)) / (2_000 + t) ** 2 <= 2 * switchFactorGap * gap
      let first = 1_000
      while (!isMet(first) && first < 1_800) first++
      expect(earliestStep).toBe(first)
    }
  })

  it('is satisfied where the sides are equal, and says so in the record', () => {
    const equal = marginalCost({ ...example, gap: measured(0.8 / 0.9 / 2 / switchFactorGap + 1e-12) })!
    expect(equal.satisfied).toBe(true)
    expect(equal.earliestStep).toBe(1_000)
  })

  it('never points outside the steps at which a switch is allowed', () => {
    const at = (step: number, gap: number) =>
      marginalCost({ ...example, step, runLength: step, gap: measured(gap) })!.earliestStep
    expect(at(10, 100)).toBe(500)
    expect(at(10, 1e-9)).toBe(1_800)
    expect(at(1_900, 1e-9)).toBe(1_900)
  })

  it('is satisfied at once where the averaged loss rises', () => {
    const cost = marginalCost({ ...example, valley: exactFit(1, -0.5, 1_000) })!
    expect(cost.staying.value).toBeLessThan(0)
    expect(cost.satisfied).toBe(true)
  })

  it('has nothing to say where neither noise nor averaged weights show a gain', () => {
    for (const gap of [unknown, measured(0), measured(-0.1)])
      expect(marginalCost({ ...example, gap })).toBeUndefined()
  })
})

describe('what waiting for an answer cost', () => {
  it('is what the fitted final loss rose by since the question, and below 0 where waiting gained', () => {
    const at = (step: number) => ({ ...example, step, runLength: step })
    // P at the middle of the ramp less b·ln R, b = .3: 1 + 2000/1800 − .3·ln 400 at 1,600, less the same at 1,300.
    const finalLoss = (step: number) => 1 + 4_000 / (step + 2_000) - 0.3 * Math.log(2_000 - step)
    // The best switch is at 1,222: before it waiting gains, after it it costs.
    for (const [from, to] of [
      [1_000, 1_200],
      [1_300, 1_600],
    ] as const)
      expect(waitingLoss(at(to), from)).toBeCloseTo(finalLoss(to) - finalLoss(from), 9)
    expect(waitingLoss(at(1_200), 1_000)).toBeLessThan(0)
    expect(waitingLoss(at(1_600), 1_300)).toBeGreaterThan(0)
    expect(waitingLoss(at(1_000), 1_000)).toBe(0)
    expect(waitingLoss({ ...example, gap: unknown }, 900)).toBeNull()
  })
})

describe('what annealing gains per e-fold of its length', () => {
  it('comes from noise, from averaged weights, or is the geometric mean of both', () => {
    const scale = (gain: Estimate, gap: Estimate) => annealingScale(gain, gap)
    expect(scale(measured(1, 0.2), unknown)).toEqual({
      value: switchFactorGain,
      standardError: 0.2 * switchFactorGain,
    })
    expect(scale(unknown, measured(0.5, 0.1))).toEqual({
      value: 0.5 * switchFactorGap,
      standardError: 0.1 * switchFactorGap,
    })
    const both = scale(measured(1, 0.3), measured(0.25, 0.1))!
    expect(both.value).toBeCloseTo(Math.sqrt(switchFactorGain * switchFactorGap * 0.25), 12)
    // Relative errors .3 and .4 give half of .5.
    expect(both.standardError).toBeCloseTo(0.25 * both.value, 12)
    expect(scale(measured(1, null), measured(0.25, 0.1))!.standardError).toBeNull()
    expect(scale(measured(-1), measured(0))).toBeNull()
    expect(scale(measured(-1), measured(0.5))!.value).toBeCloseTo(0.5 * switchFactorGap, 12)
  })
})

describe('the chance that annealing gains as much', () => {
  it('is that of two normal values whose errors are four times as large, and a fifth of them less', () => {
    const side = (value: number, standardError: number | null) => ({ value, standardError })
    // Φ(−.2) = .4207, Φ(−.2 + 8.64/4) = Φ(1.96) = .975; the error function is good to 1e-7.
    expect(probabilityBelow(side(1, 0.3), side(1, 0.4))).toBeCloseTo(0.4207, 4)
    expect(probabilityBelow(side(0, 0.3), side(4.32, 0.4))).toBeCloseTo(0.975, 4)
    expect(probabilityBelow(side(3.52, 0.3), side(0, 0.4))).toBeCloseTo(0.025, 4)
    expect(probabilityBelow(side(1, null), side(0, 0))).toBeNull()
  })

  it('is not known where neither side has an error', () => {
    expect(probabilityBelow({ value: 0, standardError: 0 }, { value: 1, standardError: 0 })).toBeNull()
  })
})

describe('a change of the loss’s unit or of its zero', () => {
  /** The rule on a noisy valley, with every loss times a factor, plus a constant. */
  function noisyCost(seed: number, factor: number, shift: number) {
    const draw = normals(random(seed))
    let valley = valleySlope.init()
    for (let probe = 1; probe <= 20; probe++) {
      const averagedLoss = 1 + 0.5 * (probe / 20) ** -0.7 + 0.005 * draw()
      valley = valleySlope.update(valley, {
        runLength: 50 * probe,
        averagedLoss: factor * averagedLoss + shift,
      })
    }
    const gap = measured(0.1 * factor, 0.01 * factor)
    const gain = measured(0.2 * factor, 0.05 * factor)
    const fit = valleySlope.read(valley).fit!
    const times = { step: 1_000, end: 3_000, length: 3_000, earliest: 750, deadline: 2_700, runLength: 1_000 }
    return marginalCost({ ...times, valley: fit, gain, gap, gapError: 0.1 })!
  }
  const seeds = fc.nat(1_000_000)

  it('leaves the step and the chance as they are, and multiplies both sides', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (seed, factor) => {
        const [a, b] = [noisyCost(seed, 1, 0), noisyCost(seed, factor, 0)]
        expect(b.satisfied).toBe(a.satisfied)
        // Rounding may move the crossing of two smooth curves by a step.
        expect(Math.abs(b.earliestStep - a.earliestStep)).toBeLessThanOrEqual(1)
        expect(b.staying.value / factor).toBeCloseTo(a.staying.value, 6)
        expect(b.annealing.value / factor).toBeCloseTo(a.annealing.value, 9)
        expect(b.probability).toBeCloseTo(a.probability!, 5)
      }),
      { numRuns: 60, seed: 20260103 },
    )
  })

  it('leaves everything as it is where a constant is added', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: -100, max: 100, noNaN: true }), (seed, shift) => {
        const [a, b] = [noisyCost(seed, 1, 0), noisyCost(seed, 1, shift)]
        expect(b.satisfied).toBe(a.satisfied)
        expect(Math.abs(b.earliestStep - a.earliestStep)).toBeLessThanOrEqual(1)
        expect(b.staying.value).toBeCloseTo(a.staying.value, 6)
        expect(b.probability).toBeCloseTo(a.probability!, 5)
      }),
      { numRuns: 60, seed: 20260104 },
    )
  })
})
