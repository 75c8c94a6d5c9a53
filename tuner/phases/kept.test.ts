import { describe, expect, it } from 'vitest'
import { runState } from '../testing/runState.ts'
import { newlyKept } from './kept.ts'

const { signals } = runState().seen
/** A run whose last averaged losses were these, with the weights of a level kept before. */
const probed = (averagedLosses: readonly number[], change: Parameters<typeof runState>[0] = {}) =>
  newlyKept(runState({ ...change, seen: { signals: { ...signals, averagedLosses } } }))

describe('the weights of the lowest level', () => {
  it('are kept at the mean of three probes, averaged where the job can', () => {
    expect(probed([9, 0.5, 0.4, 0.3])).toEqual({
      kept: { step: 1_000, loss: expect.closeTo(0.4, 12) },
      ask: { kind: 'checkpoint', atStep: 1_000, checkpoint: 'lowest', weights: 'averaged' },
    })
    const raw = probed([0.5, 0.4, 0.3], { options: { capabilities: ['checkpoint', 'heldOutLoss'] } })
    expect(raw?.ask).not.toHaveProperty('weights')
  })

  it('are not those of one low probe among few', () => {
    expect(probed([0.5, 0.1])).toBeNull()
  })

  it('stay where the level is no lower than before', () => {
    const kept = { step: 700, loss: 0.4 }
    expect(probed([0.5, 0.4, 0.31], { kept })).toBeNull()
    expect(probed([0.4, 0.4, 0.4], { kept })).toBeNull()
    expect(probed([0.4, 0.39, 0.31], { kept })?.kept.step).toBe(1_000)
  })

  it('are none of a job that cannot keep or score them, or follows no plan', () => {
    const losses = [0.5, 0.4, 0.3]
    for (const capabilities of [['checkpoint'], ['heldOutLoss', 'averagedWeights']] as const)
      expect(probed(losses, { options: { capabilities } })).toBeNull()
    expect(probed(losses, { mode: 'advisory' })).toBeNull()
  })
})
