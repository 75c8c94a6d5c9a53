import { describe, expect, it } from 'vitest'
import { runState } from '../testing/runState.ts'
import { newlyKept } from './kept.ts'

const { signals } = runState().seen
/** A run whose last averaged losses were these, with the weights of a level kept before. */
const probed = (averagedLosses: readonly number[], change: Parameters<typeof runState>[0] = {}) =>
  newlyKept(runState({ ...change, seen: { signals: { ...signals, averagedLosses } } }))

describe('the weights of the lowest held-out loss', () => {
  it('are kept at each new lowest probe, averaged where the job can', () => {
    expect(probed([9, 0.5, 0.4, 0.3])).toEqual({
      kept: { step: 1_000, loss: 0.3 },
      ask: { kind: 'checkpoint', atStep: 1_000, checkpoint: 'lowest', weights: 'averaged' },
    })
    const raw = probed([0.5, 0.4, 0.3], { options: { capabilities: ['checkpoint', 'heldOutLoss'] } })
    expect(raw?.ask).not.toHaveProperty('weights')
  })

  it('stay where the newest probe is no lower, and there was one at all', () => {
    const kept = { step: 700, loss: 0.4 }
    expect(probed([])).toBeNull()
    expect(probed([0.3, 0.41], { kept })).toBeNull()
    expect(probed([0.5, 0.4], { kept })).toBeNull()
    expect(probed([0.5, 0.39], { kept })?.kept).toEqual({ step: 1_000, loss: 0.39 })
  })

  it('are none of a job that cannot keep or score them, or follows no plan', () => {
    const losses = [0.5, 0.4, 0.3]
    for (const capabilities of [['checkpoint'], ['heldOutLoss', 'averagedWeights']] as const)
      expect(probed(losses, { options: { capabilities } })).toBeNull()
    expect(probed(losses, { mode: 'advisory' })).toBeNull()
  })
})
