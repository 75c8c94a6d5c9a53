import { describe, expect, it } from 'vitest'
import { doublingBracket } from './divergence.ts'

const divergesFrom = (edge: number) => async (rate: number) => rate >= edge

describe('the bracket of the divergence rate', () => {
  it('is the first doubling that diverges and the rate below it', async () => {
    expect(await doublingBracket(0.1, divergesFrom(0.5))).toEqual({ below: 0.4, above: 0.8 })
  })
  it('cannot be had where the first rate diverges, or none does', async () => {
    await expect(doublingBracket(1, divergesFrom(1))).rejects.toThrow('the first rate must survive, got 1')
    await expect(doublingBracket(1, divergesFrom(1e9))).rejects.toThrow(
      'some rate up to 4096 must diverge, got none',
    )
  })
})
