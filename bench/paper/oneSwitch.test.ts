import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Observation } from '../../protocol/vocabulary.ts'
import { keptLoss } from './oneSwitch.ts'
import { bestTrial } from './oneSwitchReport.ts'
import { schedules } from './schedules.ts'

describe('a schedule', () => {
  const rates = (name: string, steps: readonly number[]) =>
    steps.map((step) => Number(evaluatePlan(schedules[name]!(1, 100), step).learningRate.toFixed(4)))
  it('has the shape of its name', () => {
    expect(rates('step', [0, 49, 50, 74, 75, 99])).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01])
    expect(rates('linear', [0, 50, 99])).toEqual([1, 0.5, 0.01])
    expect(rates('cosine', [0, 50, 100])).toEqual([1, 0.5, 0])
    expect(rates('warmup-stable-decay', [0, 5, 79, 80, 90])).toEqual([0.01, 1, 1, 1, 0.5])
    expect(rates('one-cycle', [0, 30, 65, 100])).toEqual([0.04, 1, 0.5, 0])
  })
})

describe('a choice among trials', () => {
  const trial = (rate: number, heldOutLoss: number | null) => ({
    rate,
    heldOutLoss,
    testLoss: 1,
    testAccuracy: 0.5,
  })
  it('takes the best held-out loss, and a diverged trial only if all diverged', () => {
    expect(bestTrial([trial(1, null), trial(2, 0.4), trial(3, 0.3)]).rate).toBe(3)
    expect(bestTrial([trial(1, null), trial(2, null)]).rate).toBe(1)
  })
})

describe('the held-out loss of the kept weights', () => {
  const probe = (raw: number, averaged: number): Observation => ({
    number: 1,
    receivedAt: '2026-01-01T00:00:00.000Z',
    kind: 'probe',
    probe: {
      kind: 'valley',
      step: 1,
      set: 'held-out',
      examples: 1,
      seconds: 0,
      raw: { loss: raw },
      averaged: [{ loss: averaged, windowSteps: 1 }],
    },
  })
  const log = [probe(0.2, 0.9), probe(0.5, 0.4)]
  it("is the last probe's, of the weights or of their average, or the best probe's for a checkpoint", () => {
    expect(keptLoss(log, 'last')).toBe(0.5)
    expect(keptLoss(log, 'averaged')).toBe(0.4)
    expect(keptLoss(log, 'best')).toBe(0.2)
    expect(keptLoss([], 'last')).toBeNaN()
  })
})
