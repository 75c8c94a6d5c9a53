import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StepSet } from './stepSet.ts'

test('a step is new once, in whatever order steps come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 200 }), (steps) => {
      const set = new StepSet()
      const oracle = new Set<number>()
      for (const step of steps) {
        expect(set.add(step)).toBe(!oracle.has(step))
        oracle.add(step)
      }
    }),
  )
})
