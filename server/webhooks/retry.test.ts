import { expect, test } from 'vitest'
import { ageMillisecondsMax, attemptAfter, type Outcome, refusedTriesMax, triesMax } from './retry.ts'

const down: Outcome = { taken: false, status: null, error: 'refused' }

/** The waits, in seconds, until a delivery is given up. */
function waits(outcome: Outcome, chance: number): number[] {
  const found: number[] = []
  let attempts = 0
  let now = 0
  for (;;) {
    const next = attemptAfter({ attempts, at: 0 }, outcome, now, chance)
    expect(next).toMatchObject({ attempts: attempts + 1, lastAt: now, status: outcome.status })
    if (next.nextAt === null) {
      expect(next).toMatchObject({ state: 'failed', error: 'refused' })
      return found
    }
    found.push((next.nextAt - now) / 1_000)
    now = next.nextAt
    attempts = next.attempts
  }
}

test('the waits grow fourfold up to six hours, and the tries end within a day', () => {
  const found = waits(down, 0.5)
  expect(found).toEqual([5, 20, 80, 320, 1_280, 5_120, 20_480, 21_600, 21_600])
  expect(found).toHaveLength(triesMax - 1)
})

test('chance moves a wait by a fifth at most', () => {
  const [least, most] = [waits(down, 0), waits(down, 1)]
  expect([least[0], most[0]]).toEqual([4, 6])
})

test('what the receiver reads and refuses is given up sooner, so that its run does not wait behind it', () => {
  for (const status of [400, 401, 404, 422])
    expect(waits({ taken: false, status, error: 'refused' }, 0.5)).toHaveLength(refusedTriesMax - 1)
  for (const status of [301, 408, 409, 425, 429, 500, 503])
    expect(waits({ taken: false, status, error: 'refused' }, 0.5)).toHaveLength(triesMax - 1)
})

test('what is too old is given up, whatever its tries', () => {
  const next = attemptAfter({ attempts: 0, at: 0 }, down, ageMillisecondsMax, 0.5)
  expect(next).toMatchObject({ state: 'failed', nextAt: null, attempts: 1 })
  const taken = attemptAfter({ attempts: 0, at: 0 }, { taken: true, status: 204 }, ageMillisecondsMax, 0.5)
  expect(taken).toMatchObject({ state: 'delivered', error: '', status: 204, nextAt: null })
})
