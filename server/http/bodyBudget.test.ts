import { expect, test } from 'vitest'
import type { ServerError } from '../errors.ts'
import { BodyBudget } from './bodyBudget.ts'

const large = 100_000

function holder(budget: BodyBudget) {
  const told: ServerError[] = []
  return { held: budget.hold((error) => told.push(error)), told }
}

test('bodies that stopped on their way give way to one that is sent, the oldest first', () => {
  const budget = new BodyBudget(3 * large)
  const [first, second, third] = [holder(budget), holder(budget), holder(budget)]
  for (const { held } of [first, second, third]) held.add(large)
  const job = holder(budget)
  job.held.add(large)
  expect([first, second, third, job].map(({ told }) => told.length)).toEqual([1, 0, 0, 0])
  expect(first.told[0]).toMatchObject({ code: 'server-busy', extras: { retryAfterSeconds: 1 } })
  // It goes on sending, and is counted no more.
  first.held.add(large)
  expect(second.told).toHaveLength(0)
})

test('what is there whole, or small, gives way to none; the newest is refused then', () => {
  const budget = new BodyBudget(2 * large)
  const small = holder(budget)
  small.held.add(100)
  const whole = holder(budget)
  whole.held.add(large)
  whole.held.complete()
  const late = holder(budget)
  expect(() => late.held.add(large)).toThrow('send this one again')
  whole.held.release()
  const next = holder(budget)
  next.held.add(large)
  expect([small, whole, next].map(({ told }) => told.length)).toEqual([0, 0, 0])
})
