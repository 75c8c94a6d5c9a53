// The courses are what their names say, whatever is drawn.

import { describe, expect, it } from 'vitest'
import { random } from '../../tuner/testing/random.ts'
import { healthyCourses, overfittingCourses } from './courses.ts'

const seeds = Array.from({ length: 100 }, (_, i) => i + 1)
const shares = Array.from({ length: 400 }, (_, i) => (i + 1) / 400)

describe.each(healthyCourses)('$name', ({ create }) => {
  it('falls to the end of the budget, and by 2 % or more in its second half', () => {
    for (const seed of seeds) {
      const { heldOut } = create(random(seed))
      const losses = shares.map(heldOut)
      expect(losses.every((loss, i) => i === 0 || loss <= losses[i - 1]! + 1e-12)).toBe(true)
      expect(heldOut(1)).toBeLessThanOrEqual(0.98 * heldOut(0.5))
      expect(losses.every((loss) => loss > 0)).toBe(true)
    }
  })

  it('reaches held-out data: its fall is .7 of the training loss’s or more, at all times', () => {
    for (const seed of seeds) {
      const { heldOut, training } = create(random(seed))
      for (const share of [0.3, 0.5, 0.75, 1]) {
        const learned = Math.log(training(share) / training(share / 3))
        expect(Math.log(heldOut(share) / heldOut(share / 3))).toBeLessThanOrEqual(0.69 * learned)
      }
    }
  })
})

describe.each(overfittingCourses)('$name', ({ create }) => {
  it('has its lowest held-out loss between a fifth and half of the budget, a tenth or more below the end', () => {
    for (const seed of seeds) {
      const { heldOut, training } = create(random(seed))
      const losses = shares.map(heldOut)
      const lowest = Math.min(...losses)
      const at = shares[losses.indexOf(lowest)]!
      expect(at).toBeGreaterThanOrEqual(0.195)
      expect(at).toBeLessThanOrEqual(0.55)
      expect(losses.at(-1)).toBeGreaterThan(1.09 * lowest)
      expect(training(1)).toBeLessThan(0.15)
    }
  })
})
