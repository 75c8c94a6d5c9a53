import { expect, test } from 'vitest'
import { steadyClock } from './clock.ts'
import { createFakeClock } from './testing/fakeClock.ts'

const hour = 3_600_000

test('time goes on where the clock is set back, a little slower, until the two meet', () => {
  const wall = createFakeClock(10 * hour)
  const clock = steadyClock(wall)
  expect(clock.now()).toBe(10 * hour)
  wall.advance(1_000)
  expect(clock.now()).toBe(10 * hour + 1_000)
  wall.set(wall.now() - hour)
  expect(clock.now()).toBe(10 * hour + 1_000)
  wall.advance(10_000)
  expect(clock.now()).toBe(10 * hour + 10_000)
  for (let i = 0; i < 11; i++) {
    const before = clock.now()
    wall.advance(hour)
    expect(clock.now() - before).toBeGreaterThanOrEqual(0.9 * hour - 1)
  }
  expect(clock.now()).toBe(wall.now())
})

test('a clock that is set ahead is followed at once', () => {
  const wall = createFakeClock(hour)
  const clock = steadyClock(wall)
  wall.set(5 * hour)
  expect(clock.now()).toBe(5 * hour)
})
