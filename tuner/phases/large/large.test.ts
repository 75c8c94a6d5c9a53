// The switch rule on whole runs whose best time to switch is known: the expected final loss of every switch
// time is computed exactly (testing/noisyQuadratic.ts), so the rule's regret can be told without luck.
// Switch steps are pinned: whoever changes a constant pins them anew, and sees what it does to the regret.

import { describe, expect, it } from 'vitest'
import type { Capability, SignalName } from '../../../protocol/vocabulary.ts'
import { initialState, tune } from '../../index.ts'
import { deadlineShare, holdShare } from '../../plan/bounds.ts'
import { switchStepOf } from '../../state.ts'
import {
  decisionsOf,
  expectedLossUnderPlan,
  keyOf,
  type SyntheticOptions,
  switchPlan,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const budgetSteps = 3_000
const seeds = [1, 2, 3]

// Without `checkpoint` there is no race, so the rate is the one given and only the time is judged.
const measuring: readonly Capability[] = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe']

type Task = Omit<SyntheticOptions, 'seed' | 'budgetSteps'> & { readonly learningRate: number }

/** Valleys from "never switch" to "switch at once": what the rule has to tell apart. */
const tasks: Readonly<Record<string, Task>> = {
  'slow, nearly no noise': { learningRate: 0.02, traceSigma: 0.05 },
  'slow, low curvature': { learningRate: 0.005, traceSigma: 1, curvatureMin: 1e-4 },
  'some noise': { learningRate: 0.02, traceSigma: 1 },
  'more noise': { learningRate: 0.02, traceSigma: 4, curvatureMin: 1e-4 },
  'more noise, narrow': { learningRate: 0.02, traceSigma: 4, curvatureMin: 1e-3 },
  'much noise, wide': { learningRate: 0.02, dimensions: 200, curvatureMin: 1e-4 },
  'much noise': { learningRate: 0.03 },
}

/** Where the rule may switch. */
const gridShares = Array.from({ length: 7 }, (_, i) => holdShare + (i / 6) * (deadlineShare - holdShare))

/** Where a switch at a step stands between the best (0) and the worst (1) time that the rule may choose, in expectation. */
function regretScale(task: Task): { regretAt: (step: number) => number; best: number; random: number } {
  const lossAt = (step: number) =>
    expectedLossUnderPlan({ ...task, seed: 1, budgetSteps }, switchPlan(task.learningRate, step, budgetSteps))
  const grid = gridShares.map((share) => lossAt(share * budgetSteps))
  const [least, most] = [Math.min(...grid), Math.max(...grid)]
  const regretAt = (step: number) => (lossAt(step) - least) / (most - least)
  const random = gridShares.reduce((sum, share) => sum + regretAt(share * budgetSteps), 0) / gridShares.length
  return { regretAt, best: gridShares[grid.indexOf(least)]!, random }
}

const scales = new Map(Object.entries(tasks).map(([name, task]) => [name, regretScale(task)]))

const switchOf = (task: Task, options: Partial<SyntheticOptions> = {}) => {
  const run = syntheticRun({ seed: 1, capabilities: measuring, budgetSteps, ...task, ...options })
  const [decision] = decisionsOf(run, 'switch')
  return { step: decision?.step ?? Number.NaN, key: decision?.reason.key, run }
}

/** Switch steps for seeds 1, 2, 3, with probes, averaged weights, gradient norms and curvature. */
const pinned: Readonly<Record<keyof typeof tasks, readonly number[]>> = {
  'slow, nearly no noise': [2_701, 2_701, 2_701],
  'slow, low curvature': [2_701, 2_701, 2_701],
  'some noise': [2_520, 2_640, 2_400],
  'more noise': [2_280, 2_280, 2_280],
  'more noise, narrow': [2_280, 2_280, 2_280],
  'much noise, wide': [2_280, 2_280, 2_280],
  'much noise': [2_280, 2_280, 2_280],
}

const runs = new Map(
  Object.entries(tasks).map(([name, task]) => [name, seeds.map((seed) => switchOf(task, { seed }))]),
)
const meanRegret = (name: string): number =>
  runs.get(name)!.reduce((sum, { step }) => sum + scales.get(name)!.regretAt(step), 0) / seeds.length

describe('the switch rule on a known valley', () => {
  it.each(Object.keys(tasks))('switches at these steps: %s', (name) => {
    expect(runs.get(name)!.map(({ step }) => step)).toEqual(pinned[name])
    for (const { key, run } of runs.get(name)!) {
      expect(key).toMatch(/^anneal-(rule|deadline)$/)
      expect(run.state).toMatchObject({ lifecycle: 'finished', seen: { step: budgetSteps } })
    }
  })

  it.each(Object.keys(tasks))('loses little to the best time that it may choose: %s', (name) => {
    expect(meanRegret(name)).toBeLessThan(0.3)
  })

  it('is better than a random time, and than any fixed share, over all the valleys', () => {
    const names = Object.keys(tasks)
    const over = (regrets: readonly number[]) => ({
      mean: regrets.reduce((sum, regret) => sum + regret, 0) / regrets.length,
      worst: Math.max(...regrets),
    })
    const fixed = (share: number) =>
      over(names.map((name) => scales.get(name)!.regretAt((1 - share) * budgetSteps)))
    const rule = over(names.map(meanRegret))
    const dummies = {
      'random time': over(names.map((name) => scales.get(name)!.random)),
      'last 10 %': fixed(1 - deadlineShare),
      'last 20 %': fixed(0.2),
      'last 25 %': fixed(1 - holdShare),
    }
    for (const [name, dummy] of Object.entries(dummies)) {
      expect(rule.mean, name).toBeLessThan(dummy.mean / 2)
      expect(rule.worst, name).toBeLessThan(dummy.worst)
    }
  })
})

describe('where staying pays', () => {
  it.each(['slow, nearly no noise', 'slow, low curvature'])(
    'the rule is silent until the deadline: %s',
    (name) => {
      expect(scales.get(name)!.best).toBe(deadlineShare)
      for (const { step, key, run } of runs.get(name)!) {
        // Met one step after the plan has it: no probe falls on that step.
        expect(switchStepOf(run.state.course)).toBe(deadlineShare * budgetSteps)
        expect(step).toBe(deadlineShare * budgetSteps + 1)
        expect(key).toBe('anneal-deadline')
        expect(decisionsOf(run, 'hold').length).toBeGreaterThan(20)
      }
    },
  )
})

describe('what a job offers', () => {
  it('decides how it is switched: with gradient norms and curvature alone the switch is measured as well', () => {
    const capabilities: readonly Capability[] = ['microBatchNorms', 'lineProbe']
    const steps = seeds.map((seed) => switchOf(tasks['more noise']!, { seed, capabilities }))
    for (const { key, step } of steps) {
      expect(key).toBe('anneal-rule')
      expect(scales.get('more noise')!.regretAt(step)).toBeLessThan(0.1)
    }
    const slow = seeds.map((seed) => switchOf(tasks['slow, nearly no noise']!, { seed, capabilities }).step)
    expect(slow).toEqual([2_701, 2_701, 2_701])
  })

  it('and with the loss alone by the fallback plan, at three quarters of the budget, named as such', () => {
    const { step, key, run } = switchOf(tasks['some noise']!, { capabilities: [] })
    expect(step).toBe(Math.round(holdShare * budgetSteps))
    expect(key).toBe('anneal-fallback-blind')
    expect(run.learningRates[2_249]).toBe(0.02)
    // 1 − √z at half of the anneal.
    expect(run.learningRates[2_625]).toBeCloseTo(0.02 * (1 - Math.SQRT1_2), 4)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('and by either part of the evidence alone about as well as by both', () => {
    for (const capabilities of [
      ['heldOutLoss', 'averagedWeights'],
      ['heldOutLoss', 'microBatchNorms', 'lineProbe'],
    ] as const) {
      const regrets = seeds.map((seed) =>
        scales.get('more noise')!.regretAt(switchOf(tasks['more noise']!, { seed, capabilities }).step),
      )
      expect(Math.max(...regrets)).toBeLessThan(0.12)
    }
  })
})

describe('the loss’s unit and zero', () => {
  const moves = (options: SyntheticOptions) => syntheticRun(options).decisions.map(keyOf)
  /** But for those of the regime, which is a share of the loss. */
  const unshifted = (options: SyntheticOptions) =>
    moves(options).filter((move) => !move.startsWith('transition'))

  it('do not matter to a whole run around a given rate: losses times 4, rates over 4', () => {
    // The weights are the same; a power of two keeps every number exact, so every decision is at the same step.
    const plain = { seed: 2, budgetSteps: 2_000, learningRate: 0.04, traceSigma: 4, curvatureMin: 2 ** -10 }
    const scaled = {
      ...plain,
      learningRate: 0.01,
      traceSigma: 4 * 16,
      curvatureMin: 2 ** -8,
      curvatureMax: 4,
      floor: 0.8,
    }
    expect(moves(scaled)).toEqual(moves(plain))
  })

  it('do not matter to a whole run: a constant added to every loss', () => {
    for (const seed of seeds) {
      const plain = { seed, budgetSteps: 2_000, capabilities: measuring, ...tasks['more noise'] }
      const moved = unshifted({ ...plain, floor: 0.2 })
      for (const floor of [20, -20]) expect(unshifted({ ...plain, floor })).toEqual(moved)
    }
  })
})

it('charts at each probe the two sides that the record of that probe tells', () => {
  const { log } = syntheticRun({
    seed: 1,
    capabilities: measuring,
    budgetSteps,
    learningRate: 0.02,
    traceSigma: 1,
  })
  let state = initialState()
  let told = 0
  for (const observation of log) {
    const { state: next, decisions, readings } = tune(state, observation)
    state = next
    for (const { test, step } of decisions.filter(({ kind }) => kind === 'hold')) {
      if (test?.key !== 'marginal-cost') continue
      const charted = (signal: SignalName) =>
        readings.find((reading) => reading.signal === signal && reading.step === step)?.value
      expect(charted('stayingGain')).toBe(test.left.value)
      expect(charted('annealingGain')).toBe(test.right.value)
      expect(charted('annealingGainError')).toBe(test.right.standardError)
      told++
    }
  }
  expect(told).toBeGreaterThan(10)
})
