// Laws of the sequential test: noise never makes it err more often than it may, a scale of the loss and a constant
// added to it change nothing, and its memory is bounded.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noiseKinds, noiseOf, noisePlaces, simulatedRate } from '../testing/noisyProbes.ts'
import {
  foldSequentialProbe,
  initialSequentialTest,
  type SequentialTestState,
  sequentialBlocksMax,
  sequentialErrorRate,
} from './sequentialTest.ts'

const noises = fc.record({
  kind: fc.constantFrom(...noiseKinds),
  place: fc.constantFrom(...noisePlaces),
  deviation: fc.double({ min: 0.01, max: 100, noNaN: true }),
})

function folded(losses: readonly number[], tolerancePerStep: number): SequentialTestState {
  let state = initialSequentialTest
  for (const [i, averagedLoss] of losses.entries())
    state = foldSequentialProbe(state, { step: 10 * i, averagedLoss, tolerancePerStep })
  return state
}

describe('the sequential test', () => {
  it('errs at most as often as it may, whatever the size and kind of the noise', () => {
    const runs = 300
    fc.assert(
      fc.property(noises, (noise) => {
        const { fired } = simulatedRate({ ...noise, drift: 1 }, { runs, looksMax: 100, probesMax: 1_000 })
        // Four standard deviations of the simulation's own error at a rate of 5 %.
        expect(fired).toBeLessThan(runs * sequentialErrorRate + 4 * Math.sqrt(runs * 0.05 * 0.95))
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  it('sees the same when losses and tolerance are multiplied by a power of two', () => {
    fc.assert(
      fc.property(
        noises,
        fc.integer({ min: -20, max: 20 }),
        fc.nat(1_000),
        ({ kind, deviation }, power, seed) => {
          const draw = noiseOf(kind, seed)
          const losses = Array.from({ length: 60 }, () => deviation * draw())
          const scale = 2 ** power
          const plain = folded(losses, 0.1)
          const scaled = folded(
            losses.map((loss) => loss * scale),
            0.1 * scale,
          )
          expect(scaled.evidences).toEqual(plain.evidences)
          expect(scaled.probesPerBlock).toBe(plain.probesPerBlock)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('keeps a bounded number of blocks and finite evidence', () => {
    const losses = fc.array(fc.double({ min: -1e9, max: 1e9 }), { maxLength: 300 })
    fc.assert(
      fc.property(losses, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (values, tolerance) => {
        const state = folded(values, tolerance)
        expect(state.blocks.length).toBeLessThanOrEqual(sequentialBlocksMax)
        expect(state.evidences.every((evidence) => evidence >= 0 && Number.isFinite(evidence))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})
