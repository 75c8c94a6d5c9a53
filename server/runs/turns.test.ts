import { expect, test } from 'vitest'
import { pieceMilliseconds, Turns } from './turns.ts'

/** A clock on which each look takes so long. */
const lookingTakes = (milliseconds: number) => {
  let now = 0
  return () => {
    now += milliseconds
    return now
  }
}

test('a read goes on without a turn while its piece is short, and yields when it is not', async () => {
  const turnsOf = async (milliseconds: number) => {
    const pause = await new Turns(lookingTakes(milliseconds)).begin()
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < 20; i++) await pause()
    isOver = true
    return turns
  }
  expect(await turnsOf(0)).toBe(0)
  expect(await turnsOf(pieceMilliseconds)).toBeGreaterThanOrEqual(20)
})

test('of many readers one has a piece in each turn of the event loop, one after the other', async () => {
  const turns = new Turns(lookingTakes(pieceMilliseconds))
  const pieces: number[] = []
  let inThisTurn = 0
  let most = 0
  let isOver = false
  const look = () => {
    most = Math.max(most, inThisTurn)
    inThisTurn = 0
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const reader = async (number: number) => {
    const pause = await turns.begin()
    for (let i = 0; i < 5; i++) {
      pieces.push(number)
      inThisTurn++
      await pause()
    }
  }
  await Promise.all([0, 1, 2, 3].map(reader))
  isOver = true
  expect(most).toBe(1)
  expect(pieces).toEqual(Array.from({ length: 5 }, () => [0, 1, 2, 3]).flat())
})
