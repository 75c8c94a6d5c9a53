// What the switch changes besides the rate: momentum, and with it what the guard compares the anneal with.

import { describe, expect, it } from 'vitest'
import type { Command } from '../protocol/vocabulary.ts'
import { type SyntheticOptions, syntheticRun } from './testing/syntheticRun.ts'

const switchStep = 1_010
const command: Command = { kind: 'switch-now', reason: '', by: 'test' }
/** A run of little noise, held large, up to some steps after a person's switch. */
const watched = (options: Partial<SyntheticOptions>, stepsAfter: number) =>
  syntheticRun({
    seed: 1,
    budgetSteps: 3_000,
    learningRate: 0.02,
    traceSigma: 0.05,
    // No averaged weights, so no race before.
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'momentum'],
    commands: { [switchStep]: command },
    stepCount: switchStep + stepsAfter,
    ...options,
  }).state.divergence

describe('the guard at the switch', () => {
  it('judges the anneal by its own scatter where the momentum changes from 0 to 0.9', () => {
    const [before, after] = [watched({ momentum: 0, commands: {} }, 0), watched({ momentum: 0 }, 0)]
    expect(before.blocks.length).toBe(64)
    expect(before.normCount).toBeGreaterThan(100)
    expect(after).toMatchObject({ blocks: [], blockHits: 0, normCount: 0, nonFiniteCount: 0 })
    expect(watched({ momentum: 0 }, 200).blocks).toHaveLength(20)
  })

  it('keeps the losses of probes, the trips and the checkpoints', () => {
    const [before, after] = [watched({ momentum: 0, commands: {} }, 0), watched({ momentum: 0 }, 0)]
    expect(before.probeLosses.length).toBeGreaterThan(4)
    expect(after.probeLosses).toEqual(before.probeLosses)
    expect(after.checkpoints).toEqual(before.checkpoints)
    expect(after.trips).toEqual(before.trips)
  })

  it('goes on as before where the momentum stays', () => {
    const [before, after] = [watched({ momentum: 0.9, commands: {} }, 0), watched({ momentum: 0.9 }, 0)]
    expect(after).toEqual(before)
    expect(after.blocks.length).toBe(64)
  })
})
