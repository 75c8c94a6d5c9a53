import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../protocol/vocabulary.ts'
import { lanesOf, raceSentence, scaleOf } from './raceLanes.tsx'

const arm = (learningRate: number, part: Partial<Evidence>): Evidence => ({
  signal: 'arm',
  learningRate,
  value: null,
  standardError: null,
  unit: 'loss',
  count: 512,
  source: 'race',
  ...part,
})
const ended = [
  arm(0.1, { value: 1.4, fromStep: 0, toStep: 24 }),
  arm(0.3, { value: 1.25, standardError: 0.02, fromStep: 24, toStep: 48 }),
  arm(0.9, { source: 'race-diverged', fromStep: 48, toStep: 55 }),
]

describe('the lanes of a search', () => {
  it('tell of each rate what came of it, when it was run, and when one that diverged was left', () => {
    expect(lanesOf(ended, 0.33, false)).toEqual([
      { rate: '0.1', fate: 'reference', loss: 1.4, half: null, steps: 'steps 0 to 24' },
      { rate: '0.3', fate: 'best', loss: 1.25, half: 1.96 * 0.02, steps: 'steps 24 to 48' },
      { rate: '0.9', fate: 'diverged', loss: null, half: null, steps: 'left at step 55' },
    ])
  })

  it('say who did best and by how much, with the error of the difference', () => {
    expect(raceSentence(ended, 0.33, false)).toBe(
      '0.3 did best: 0.15 ± 0.04 below 0.1, where the search began.',
    )
    expect(raceSentence(ended, 0.1, false)).toBe('0.1, where the search began, did best.')
    expect(raceSentence([ended[2]!], null, false)).toBe('Every rate diverged.')
    expect(raceSentence(ended.slice(0, 2), null, false)).toContain('before it had an answer')
  })

  it('have an arm that runs while the search goes on, and one that was left once it is over', () => {
    const open = [ended[0]!, arm(0.3, { source: 'race-unfinished', fromStep: 24 })]
    expect(lanesOf(open, null, true)[1]).toMatchObject({ fate: 'running', steps: 'since step 24' })
    expect(lanesOf(open, null, false)[1]).toMatchObject({ fate: 'left' })
  })

  it('hold whole intervals, and losses far apart by their logarithm', () => {
    const scale = scaleOf(lanesOf(ended, 0.33, false))!
    expect(scale.kind).toBe('linear')
    expect(scale.low).toBeLessThan(1.25 - 1.96 * 0.02)
    const far = [ended[0]!, arm(0.3, { value: 140, standardError: 1 })]
    expect(scaleOf(lanesOf(far, null, false))!.kind).toBe('log')
    expect(scaleOf(lanesOf([ended[2]!], null, false))).toBeNull()
  })
})
