// Fuzz test of the whole engine: whatever a job and a person do, in whatever order, the engine never throws,
// its plan is one that a client can follow, and its state is sound. A failure prints the seed of its log.
// TWOSTEP_FUZZ_RUNS sets how many logs are tried.

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Observation } from '../../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../index.ts'
import { random } from '../random.ts'
import { randomBody, randomOptions } from '../randomLog.ts'
import { stateFaults, turnFaults } from './soundness.conformance.ts'

const usualRuns = 400
const entriesMax = 120
const stateBytesMax = 64 * 1024
vi.setConfig({ testTimeout: 1_800_000 })

/** Freezes a value to the bottom, so that whoever changes it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const entry of Object.values(value)) frozen(entry)
  }
  return value
}

/** Folds a random log; returns the first faults. */
function faultsOf(
  seed: number,
): { at: number; observation: Observation; faults: string[]; state: TunerState } | undefined {
  const draw = random(seed)
  let state = initialState()
  let endedAt: number | undefined
  for (let number = 1; number <= entriesMax; number++) {
    const body =
      number === 1
        ? { kind: 'start' as const, runId: `random-${seed}`, options: randomOptions(draw) }
        : randomBody(draw, state)
    const observation = frozen({ ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation)
    const result = tune(frozen(state), observation)
    const faults = [...stateFaults(result.state, state), ...turnFaults(state, result, observation)]
    if (faults.length > 0) return { at: number, observation, faults, state: result.state }
    state = result.state
    endedAt ??= state.course.kind === 'done' ? number : undefined
    if (endedAt !== undefined && number > endedAt + 10) break
  }
  expect(JSON.stringify(state).length, `seed ${seed}`).toBeLessThanOrEqual(stateBytesMax)
  return undefined
}

describe('whatever a job and a person do', () => {
  it('the engine never throws, its plan can be followed and its state is sound', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (seed) => {
        const found = faultsOf(seed)
        expect(found?.faults, `seed ${seed}, entry ${found?.at}, ${found?.observation.kind}`).toBeUndefined()
      }),
      { numRuns: Number(process.env.TWOSTEP_FUZZ_RUNS ?? usualRuns), seed: 20260101, endOnFailure: true },
    )
  })
})
