import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../protocol/plan.ts'
import type { Action, Plan } from '../protocol/vocabulary.ts'
import { createPlanFollower } from './planFollower.ts'

const plan = (version: number, more: Partial<Plan> = {}, rate = 0.1): Plan => ({
  version,
  segments: [
    { fromStep: 0, toStep: 100, shape: 'constant', from: rate, to: rate, phase: 'large' },
    { fromStep: 100, toStep: 200, shape: 'linear', from: rate, to: 0, momentum: 0.5, phase: 'anneal' },
  ],
  ...more,
})
const checkpoint = (id: string, atStep: number): Action => ({
  id,
  kind: 'checkpoint',
  atStep,
  checkpoint: id,
})
const follow = (initial: Plan, actions: Action[] = []) =>
  createPlanFollower({ plan: initial, actions, ownMomentum: 0.9 })
const quiet = { loss: 1, gradientNormSquared: 1 }

describe('the rate', () => {
  it('is the plan’s, with its momentum or the job’s own', () => {
    const follower = follow(plan(1))
    expect(follower.next(0)).toMatchObject({
      learningRate: 0.1,
      momentum: 0.9,
      phase: 'large',
      tripped: false,
    })
    expect(follower.next(150)).toMatchObject({ learningRate: 0.05, momentum: 0.5, phase: 'anneal' })
    expect(follower.next(10_000)).toMatchObject({ learningRate: 0 })
  })
  it('follows a newer plan, not an older one', () => {
    const follower = follow(plan(3))
    follower.receive({ plan: plan(2, {}, 7), actions: [] })
    expect(follower.next(0).learningRate).toBe(0.1)
    follower.receive({ plan: plan(4, {}, 0.3), actions: [] })
    expect(follower.next(0).learningRate).toBe(0.3)
  })
  it('is the newest plan’s at every step, whatever came before (law)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.double({ min: 0, max: 1, noNaN: true }))),
        fc.nat(300),
        (answers, step) => {
          const follower = follow(plan(0))
          let newest = plan(0)
          for (const [version, rate] of answers) {
            const next = plan(version, {}, rate)
            follower.receive({ plan: next, actions: [] })
            if (version >= newest.version) newest = next
          }
          expect(follower.next(step).learningRate).toBe(evaluatePlan(newest, step).learningRate)
        },
      ),
    )
  })
  it('of a given schedule stays, while answers change what is measured', () => {
    const follower = createPlanFollower({ plan: plan(0), ownMomentum: 0.9, isFixed: true })
    const cadence = { blockSteps: 5, valleySteps: 10, lineSteps: null, microBatchSteps: null }
    const tripwire = { lossAbove: 0.1, gradientNormAbove: null, thenLearningRate: 0 }
    follower.receive({ plan: plan(5, { cadence, tripwire }, 9), actions: [checkpoint('a', 3)] })
    expect(follower.observe(quiet)).toBe(false)
    expect(follower.next(0).learningRate).toBe(0.1)
    expect(follower.dueProbes(10).valley).toBe(true)
    expect(follower.takeDueActions(3)).toHaveLength(1)
  })
})

describe('actions', () => {
  it('are handed out at their step or after it, once, the earlier step first', () => {
    const follower = follow(plan(1), [checkpoint('b', 7), checkpoint('a', 5), checkpoint('c', 9)])
    expect(follower.takeDueActions(4)).toEqual([])
    expect(follower.hasDueActions(5)).toBe(true)
    expect(follower.takeDueActions(8).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(follower.hasDueActions(8)).toBe(false)
    follower.receive({ plan: plan(1), actions: [checkpoint('a', 5), checkpoint('c', 9)] })
    expect(follower.takeDueActions(20).map(({ id }) => id)).toEqual(['c'])
  })
  it('of one step keep the server’s order', () => {
    const follower = follow(plan(1), [checkpoint('z', 5), checkpoint('a', 5), checkpoint('m', 5)])
    expect(follower.takeDueActions(5).map(({ id }) => id)).toEqual(['z', 'a', 'm'])
  })
  it('that the newest answer no longer holds are withdrawn', () => {
    const follower = follow(plan(1), [checkpoint('a', 50)])
    follower.receive({ plan: plan(1), actions: [] })
    expect(follower.takeDueActions(60)).toEqual([])
  })
  it('are done exactly once however often they are repeated (law)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.nat(9), fc.nat(30)), { maxLength: 5 }), { maxLength: 20 }),
        (answers) => {
          const follower = follow(plan(1))
          const done: string[] = []
          answers.forEach((list, step) => {
            const actions = new Map(list.map(([id, atStep]) => [`a${id}`, checkpoint(`a${id}`, atStep)]))
            follower.receive({ plan: plan(1), actions: [...actions.values()] })
            for (const action of follower.takeDueActions(step)) {
              expect(action.atStep).toBeLessThanOrEqual(step)
              done.push(action.id)
            }
          })
          expect(new Set(done).size).toBe(done.length)
        },
      ),
    )
  })
})

describe('the cadence', () => {
  const cadence = { blockSteps: 5, valleySteps: 10, lineSteps: 30, microBatchSteps: 4 }
  it('asks for probes at multiples counted from the start, and from a restore', () => {
    const follower = follow(plan(1, { cadence }))
    const steps = (kind: 'valley' | 'line') =>
      Array.from({ length: 65 }, (_, step) => step).filter((step) => follower.dueProbes(step)[kind])
    expect(steps('valley')).toEqual([10, 20, 30, 40, 50, 60])
    expect(steps('line')).toEqual([30, 60])
    follower.restoredAt(27)
    expect(steps('valley').filter((step) => step >= 27)).toEqual([37, 47, 57])
  })
  it('of nothing asks for nothing', () => {
    const follower = follow(plan(1))
    expect(follower.dueProbes(100)).toEqual({ valley: false, line: false })
    expect(follower.next(100).measureMicroBatches).toBe(false)
    const none = { blockSteps: 5, valleySteps: null, lineSteps: null, microBatchSteps: null }
    follower.receive({ plan: plan(2, { cadence: none }), actions: [] })
    expect(follower.dueProbes(100)).toEqual({ valley: false, line: false })
  })
  it('measures norms at each 10th step', () => {
    const count = (next: Plan) => {
      const follower = follow(next)
      return Array.from({ length: 20 }, (_, step) => follower.next(step).measureNorm).filter(Boolean).length
    }
    const tripwire = { lossAbove: null, gradientNormAbove: 9, thenLearningRate: 0 }
    expect(count(plan(1, { tripwire }))).toBe(2)
    expect(count(plan(1))).toBe(2)
    const follower = follow(plan(1, { cadence }))
    expect([0, 3, 4, 20].map((step) => follower.next(step).measureMicroBatches)).toEqual([
      true,
      false,
      true,
      true,
    ])
    expect([0, 4, 20].map((step) => follower.next(step).measureUpdate)).toEqual([true, false, true])
  })
  it('waits once at the step where the plan says so', () => {
    const follower = follow(plan(1, { awaitAtStep: 12 }))
    expect(follower.takeAwait(11)).toBe(false)
    expect(follower.takeAwait(12)).toBe(true)
    expect(follower.takeAwait(12)).toBe(false)
    follower.receive({ plan: plan(2, { awaitAtStep: 15 }), actions: [] })
    expect(follower.takeAwait(15)).toBe(true)
  })
})

describe('the tripwire', () => {
  const tripwire = { lossAbove: 2, gradientNormAbove: 10, thenLearningRate: 0.01 }
  it('trips on the smoothed loss, not on one spike, and holds until the next answer', () => {
    const follower = follow(plan(1, { tripwire }))
    for (let step = 0; step < 20; step++) expect(follower.observe(quiet)).toBe(false)
    expect(follower.observe({ loss: 9, gradientNormSquared: 1 })).toBe(false)
    expect(follower.next(21).tripped).toBe(false)
    expect(follower.observe({ loss: 9, gradientNormSquared: 1 })).toBe(true)
    expect(follower.next(22)).toMatchObject({ learningRate: 0.01, tripped: true })
    expect(follower.observe({ loss: 9, gradientNormSquared: 1 })).toBe(false)
    follower.receive({ plan: plan(2, { tripwire }), actions: [] })
    expect(follower.next(23)).toMatchObject({ learningRate: 0.1, tripped: false })
  })
  it('never raises the rate', () => {
    const follower = follow(plan(1, { tripwire: { ...tripwire, thenLearningRate: 5 } }))
    follower.observe({ loss: 1, gradientNormSquared: 101 })
    expect(follower.next(1)).toMatchObject({ learningRate: 0.1, tripped: true })
  })
  it('trips on the gradient’s norm, and ignores it where it was not measured', () => {
    const follower = follow(plan(1, { tripwire }))
    expect(follower.observe({ loss: 1, gradientNormSquared: null })).toBe(false)
    expect(follower.observe({ loss: 1, gradientNormSquared: 99 })).toBe(false)
    expect(follower.observe({ loss: 1, gradientNormSquared: 101 })).toBe(true)
  })
  it('trips on five losses in a row that are not finite, not on four, and not on unknown ones', () => {
    const follower = follow(plan(1, { tripwire }))
    const bad = { loss: Number.NaN, gradientNormSquared: null }
    for (let i = 0; i < 4; i++) expect(follower.observe(bad)).toBe(false)
    expect(follower.observe({ loss: 1, gradientNormSquared: null })).toBe(false)
    for (let i = 0; i < 4; i++) expect(follower.observe(bad)).toBe(false)
    expect(follower.observe({ loss: null, gradientNormSquared: null })).toBe(false)
    expect(follower.observe({ loss: Number.POSITIVE_INFINITY, gradientNormSquared: null })).toBe(true)
  })
  it('starts anew after a restore', () => {
    const follower = follow(plan(1, { tripwire }))
    for (let i = 0; i < 9; i++) follower.observe({ loss: 9, gradientNormSquared: 1 })
    expect(follower.next(9).tripped).toBe(true)
    follower.restoredAt(9)
    expect(follower.next(9).tripped).toBe(false)
    expect(follower.observe(quiet)).toBe(false)
  })
})
