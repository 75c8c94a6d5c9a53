// A law, tried on many seeds: what it finds wrong of a seed is printed with that seed. TWOSTEP_LAW_RUNS sets how many.

import fc from 'fast-check'
import { expect, vi } from 'vitest'

const usualRuns = 100
/** Ten thousand runs of a law take minutes. */
vi.setConfig({ testTimeout: 3_600_000 })

export const runsOf = (share: number): number =>
  Math.max(1, Math.round(share * Number(process.env.TWOSTEP_LAW_RUNS ?? usualRuns)))

/** Every seed must have no faults. `share` of the usual number of runs where one takes longer. */
export function holdsOnSeeds(faultsOf: (seed: number) => readonly string[], share = 1): void {
  fc.assert(
    fc.property(fc.noBias(fc.nat(2 ** 31 - 1)), (seed) => {
      expect(faultsOf(seed), `seed ${seed}`).toEqual([])
    }),
    { numRuns: runsOf(share), seed: 20260104, endOnFailure: true },
  )
}

/** The first few of a long list. */
export const firstOf = (list: readonly string[]): readonly string[] => list.slice(0, 5)
