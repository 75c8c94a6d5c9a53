import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluatePlan, planProblem, segmentAt, segmentRate } from './plan.ts'
import { planSchema } from './schemas.ts'
import { type Plan, type Segment, segmentShapes } from './vocabulary.ts'

const rate = fc.double({ min: 1e-9, max: 10, noNaN: true })

/** Sound plans of 1 to 8 segments. */
const plans: fc.Arbitrary<Plan> = fc
  .tuple(
    fc.nat(1000),
    fc.array(
      fc.record({
        length: fc.integer({ min: 1, max: 5000 }),
        shape: fc.constantFrom(...segmentShapes),
        from: rate,
        to: rate,
        momentum: fc.option(fc.double({ min: 0, max: 0.999, noNaN: true })),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  )
  .map(([start, parts]) => {
    let fromStep = start
    const segments = parts.map(({ length, shape, from, to, momentum }): Segment => {
      const segment = {
        fromStep,
        toStep: fromStep + length,
        shape,
        from,
        to: shape === 'constant' ? from : to,
        momentum,
      }
      fromStep += length
      return segment
    })
    return { version: 1, segments }
  })
const step = fc.nat(50_000)

describe('every plan', () => {
  it('that is sound passes the schema, travels as JSON and comes back equal', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        expect(planProblem(plan)).toBeUndefined()
        expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan)
      }),
    )
  })

  it('takes the last segment that starts at or before a step, the first if none does', () => {
    fc.assert(
      fc.property(plans, step, (plan, at) => {
        const expected = plan.segments.findLast((segment) => segment.fromStep <= at) ?? plan.segments[0]
        expect(segmentAt(plan, at)).toBe(expected)
        expect(evaluatePlan(plan, at).momentum).toBe(expected?.momentum ?? null)
      }),
    )
  })

  it('stays between the two rates of a segment and never turns inside it', () => {
    fc.assert(
      fc.property(plans, step, (plan, at) => {
        const segment = segmentAt(plan, at)!
        const [here, next] = [segmentRate(segment, at), segmentRate(segment, at + 1)]
        // One rounding of the larger rate: near the end of a segment neighbours may differ by less.
        const rounding = 4 * Number.EPSILON * Math.max(segment.from, segment.to)
        expect(here).toBeGreaterThanOrEqual(Math.min(segment.from, segment.to) - rounding)
        expect(here).toBeLessThanOrEqual(Math.max(segment.from, segment.to) + rounding)
        expect((next - here) * Math.sign(segment.to - segment.from)).toBeGreaterThanOrEqual(-rounding)
      }),
    )
  })

  it('scales with its rates, whatever the shape', () => {
    fc.assert(
      fc.property(plans, step, fc.double({ min: 0.01, max: 100, noNaN: true }), (plan, at, factor) => {
        const segments = plan.segments.map((segment) => ({
          ...segment,
          from: factor * segment.from,
          to: factor * segment.to,
        }))
        const scaled = evaluatePlan({ ...plan, segments }, at).learningRate
        const expected = factor * evaluatePlan(plan, at).learningRate
        const held = segmentAt({ ...plan, segments }, at)!
        // A power of a rounded ratio: a few dozen roundings at most.
        expect(Math.abs(scaled - expected)).toBeLessThanOrEqual(1e-13 * Math.max(held.from, held.to))
      }),
    )
  })

  it('holds its first rate before it starts and its last one after it has ended', () => {
    fc.assert(
      fc.property(plans, fc.nat(1_000_000), (plan, distance) => {
        const [first, last] = [plan.segments[0]!, plan.segments.at(-1)!]
        expect(evaluatePlan(plan, Math.max(0, first.fromStep - distance)).learningRate).toBe(first.from)
        expect(evaluatePlan(plan, last.toStep + distance).learningRate).toBe(last.to)
      }),
    )
  })
})
