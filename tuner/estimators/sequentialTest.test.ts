// The test that switches a run without a budget: what it needs, what it says, and, by simulation, how often it errs.

import { describe, expect, it } from 'vitest'
import { noiseKinds, simulatedRate } from '../testing/noisyProbes.ts'
import { normals, random } from '../testing/random.ts'
import {
  foldSequentialProbe,
  initialSequentialTest,
  interrupted,
  readSequentialTest,
  type SequentialTestState,
  sequentialBlocksMax,
} from './sequentialTest.ts'

/** The state after probes at each 100 steps, δ = 1 for 100 steps. */
function folded(
  losses: readonly number[],
  { from = initialSequentialTest, tolerancePerStep = 0.01 as number | null } = {},
): SequentialTestState {
  let state = from
  for (const averagedLoss of losses)
    state = foldSequentialProbe(state, {
      step: Math.max(0, state.lastStep) + 100,
      averagedLoss,
      tolerancePerStep,
    })
  return state
}

const falling = (count: number, drift: number, deviation = 0, first = 100): number[] => {
  const draw = normals(random(7))
  return Array.from({ length: count }, (_, i) => first - drift * i + deviation * draw())
}

describe('the sequential test', () => {
  it('says nothing before 14 probes, and starts with all of its weight unspent', () => {
    expect(readSequentialTest(initialSequentialTest)).toEqual({
      evidence: 1,
      evidenceNeeded: 20,
      lookCount: 0,
      blockCount: 0,
      blocksNeeded: 13,
      satisfied: false,
    })
    expect(readSequentialTest(folded(falling(13, 0))).lookCount).toBe(0)
    expect(readSequentialTest(folded(falling(14, 0))).lookCount).toBe(1)
  })

  it('fires within three looks on a loss that stands still', () => {
    expect(readSequentialTest(folded(falling(15, 0))).satisfied).toBe(false)
    expect(readSequentialTest(folded(falling(16, 0))).satisfied).toBe(true)
  })

  it('never fires on a loss that falls by exactly the tolerance, without noise', () => {
    expect(readSequentialTest(folded(falling(3_000, 1, 0, 10_000))).evidence).toBeLessThan(1.1)
  })

  it('takes longer blocks where the noise hides the tolerance, and then fires', () => {
    const state = folded(falling(200, 0, 5))
    expect(state.probesPerBlock).toBeGreaterThan(1)
    expect(readSequentialTest(state).satisfied).toBe(true)
    expect(readSequentialTest(folded(falling(200, 1.5, 5))).satisfied).toBe(false)
  })

  it('leaves NaN, infinite, late and repeated probes out', () => {
    const state = folded(falling(20, 0.5, 1))
    for (const averagedLoss of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(foldSequentialProbe(state, { step: 9_999, averagedLoss, tolerancePerStep: 1 })).toBe(state)
    for (const step of [2_000, 100, -1, 0.5, Number.NaN])
      expect(foldSequentialProbe(state, { step, averagedLoss: 1, tolerancePerStep: 1 })).toBe(state)
  })

  it('does not look while the tolerance is unknown, and keeps the probes for later', () => {
    const blind = folded(falling(30, 0), { tolerancePerStep: null })
    expect(readSequentialTest(blind)).toMatchObject({ lookCount: 0, blockCount: 30, evidence: 1 })
    expect(readSequentialTest(folded(falling(3, 0), { from: blind })).satisfied).toBe(true)
    expect(readSequentialTest(folded(falling(30, 0), { tolerancePerStep: 0 })).lookCount).toBe(0)
  })

  it('starts its differences afresh after an interruption; the evidence stands', () => {
    const before = folded(falling(18, 0.5, 1))
    const jumped = folded(falling(13, 1, 0, 1_000), { from: interrupted(before) })
    expect(jumped.lookCount).toBe(before.lookCount)
    expect(jumped.evidences).toEqual(before.evidences)
  })

  it('stays bounded and finite, whatever comes', () => {
    const state = folded(falling(5_000, -3, 0.1))
    expect(state.blocks.length).toBeLessThanOrEqual(sequentialBlocksMax)
    expect(Math.max(...state.evidences)).toBe(1e6)
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })
})

describe('its error rate, over 2,000 seeded runs of 100 looks at the border', () => {
  it.each(noiseKinds)(
    'is at most .05 with %s noise in what a step gains',
    (kind) => {
      const { rate } = simulatedRate(
        { kind, place: 'steps', drift: 1, deviation: 1 },
        { runs: 2_000, looksMax: 100, probesMax: 2_000 },
      )
      // Measured: 0.5, 1.4, 1.7 and 3.0 % in 4,000 runs each.
      expect(rate).toBeLessThan(0.05)
    },
    60_000,
  )

  it('and it has power: a standstill is seen in every one of 200 runs, half of them within 25 looks', () => {
    const { rate, medianLooks } = simulatedRate(
      { kind: 'normal', place: 'levels', drift: 0, deviation: 1 },
      { runs: 200, looksMax: 100, probesMax: 2_000 },
    )
    expect(rate).toBe(1)
    expect(medianLooks).toBeLessThan(25)
  })
})
