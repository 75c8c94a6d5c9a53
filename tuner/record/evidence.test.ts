import { describe, expect, it } from 'vitest'
import { comparison } from './evidence.ts'

describe('comparison', () => {
  const left = { value: 0.2, standardError: 0.1 }

  it('has both sides with their errors; a bound of ours has none', () => {
    expect(comparison('memorising', left, '<', 0.6)).toEqual({
      key: 'memorising',
      left,
      relation: '<',
      right: { value: 0.6, standardError: null },
      satisfied: true,
      hits: { met: 1, of: 1 },
      probability: null,
    })
    const right = { value: 0.3, standardError: 0.05 }
    expect(comparison('marginal-cost', left, '<=', right, { probability: 0.8 })).toMatchObject({
      right,
      probability: 0.8,
    })
  })

  it('was met once of once, or never, unless it was asked more often', () => {
    expect(comparison('rise', left, '>=', 20, { satisfied: false }).hits).toEqual({ met: 0, of: 1 })
    const hits = { met: 2, of: 3 }
    expect(comparison('marginal-cost', left, '<=', left, { hits }).hits).toEqual(hits)
  })
})
