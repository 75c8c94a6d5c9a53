// What the switch leaves as it is: the momentum, the rate at its first step, and what the guard has seen.

import { describe, expect, it } from 'vitest'
import type { Command } from '../../../protocol/vocabulary.ts'
import { type SyntheticOptions, syntheticRun } from '../../testing/syntheticRun.ts'

const switchStep = 1_010
const command: Command = { kind: 'switch-now', reason: '', by: 'test' }
// Little noise, held large until a person's switch; no averaged weights, so no race before.
const common: SyntheticOptions = {
  seed: 1,
  budgetSteps: 3_000,
  learningRate: 0.02,
  traceSigma: 0.05,
  capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'momentum'],
  commands: { [switchStep]: command },
}
/** What the guard knows some steps after the switch. */
const watched = (options: Partial<SyntheticOptions>, stepsAfter: number) =>
  syntheticRun({ ...common, stepCount: switchStep + stepsAfter, ...options }).state.divergence

describe('the switch', () => {
  it.each([0, 0.5, 0.9])('leaves the guard what it has seen, and the momentum as given: %d', (momentum) => {
    const [before, after] = [watched({ momentum, commands: {} }, 0), watched({ momentum }, 0)]
    expect(before.blocks).toHaveLength(64)
    expect(before.probeLosses.length).toBeGreaterThan(4)
    expect(after).toEqual(before)
  })

  it.each([0, 0.5, 0.9])('makes no jump of the rate: momentum %d', (momentum) => {
    const { learningRates, state } = syntheticRun({ ...common, momentum, stepCount: switchStep + 20 })
    expect(learningRates[switchStep]).toBe(learningRates[switchStep - 1])
    expect(state.plan.segments.every((segment) => segment.momentum === momentum)).toBe(true)
  })
})
