// What a decision record says of other rules: each alone on the same observations, from the large phase on.

import { describe, expect, it } from 'vitest'
import type { Observation } from '../../protocol/vocabulary.ts'
import { initialState, type TunerState } from '../index.ts'
import { allCapabilities, syntheticRun } from '../testing/syntheticRun.ts'
import { counterfactualsOf, watchedRivals } from './counterfactuals.ts'
import { dlibSlope } from './dlibSlope.ts'
import { greedyLimits, greedyLR } from './greedyLR.ts'
import { reduceOnPlateau } from './reduceOnPlateau.ts'
import type { Rival, RivalObservation } from './rival.ts'

const large: TunerState = {
  ...initialState(),
  options: { ...initialState().options, capabilities: allCapabilities },
  phase: 'large',
  phases: [{ phase: 'large', fromStep: 0, toStep: null }],
  largeLearningRate: 0.1,
  budgetSteps: 5_000,
}
const step = (at: number, loss: number): RivalObservation => ({
  kind: 'step',
  step: at,
  loss,
  weightNormSquared: null,
})
const probe = (at: number, heldOutLoss: number): RivalObservation => ({
  kind: 'probe',
  step: at,
  heldOutLoss,
})

/** A level run: a loss each step, a probe each 100. */
function levelRun(from: TunerState, stepCount: number): TunerState {
  let state = from
  for (let at = from.step; at < from.step + stepCount; at++) {
    state = { ...state, rivals: watchedRivals(state, step(at, 1)) }
    if ((at + 1) % 100 === 0) state = { ...state, rivals: watchedRivals(state, probe(at + 1, 1)) }
  }
  return { ...state, step: from.step + stepCount }
}

describe('counterfactuals', () => {
  it('are empty before the large phase', () => {
    expect(counterfactualsOf(initialState())).toEqual([])
    expect(watchedRivals({ ...large, phase: 'warmup' }, step(0, 1))).toBeNull()
  })

  it('name the first step at a lower rate of each rule, on a level run', () => {
    // The first of 100, 200, … is the best probe, the eleventh after it one too many for a patience of 10; dlib's
    // window of 2,000 losses is full after step 1,999 and tested every second block of ten.
    expect(counterfactualsOf(levelRun(large, 3_000))).toEqual([
      { rule: 'GreedyLR', step: 1_200 },
      { rule: 'ReduceLROnPlateau', step: 1_200 },
      { rule: 'dlib slope test', step: 2_000 },
      { rule: 'Fixed 20 % anneal', step: null },
      { rule: 'Fixed 45 % anneal', step: 2_750 },
      { rule: 'Fixed 80 % anneal', step: 1_000 },
    ])
  })

  it('leave out what a job cannot tell: rules over held-out losses, shares of a budget', () => {
    const state = levelRun({ ...large, budgetSteps: null, options: initialState().options }, 10)
    expect(counterfactualsOf(state)).toEqual([{ rule: 'dlib slope test', step: null }])
  })

  it('begin afresh with weights that were restored, and after an undone switch', () => {
    const before = levelRun(large, 1_500)
    const restored = levelRun({ ...before, validFromStep: 1_500 }, 500)
    expect(counterfactualsOf(before)[1]).toEqual({ rule: 'ReduceLROnPlateau', step: 1_200 })
    expect(counterfactualsOf(restored)[1]).toEqual({ rule: 'ReduceLROnPlateau', step: null })
    const undone = levelRun({ ...before, phases: [{ phase: 'large', fromStep: 1_500, toStep: null }] }, 500)
    expect(undone.rivals).toEqual(restored.rivals)
  })

  it('see nothing of the anneal, of losses that are not finite, and nothing at a rate that is not known', () => {
    const state = levelRun(large, 50)
    expect(watchedRivals({ ...state, phase: 'anneal' }, step(50, 1))).toBe(state.rivals)
    for (const loss of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(watchedRivals(state, step(50, loss))).toBe(state.rivals)
      expect(watchedRivals(state, probe(50, loss))).toBe(state.rivals)
    }
    for (const learningRate of [null, 0])
      expect(watchedRivals({ ...large, largeLearningRate: null, learningRate }, step(0, 1))).toBeNull()
  })

  it('keep less than 10 kB, whatever the run does', () => {
    let state = large
    for (let at = 0; at < 5_000; at++)
      state = { ...state, rivals: watchedRivals(state, step(at, 1 / (at + 3))) }
    expect(JSON.stringify(state.rivals).length).toBeLessThan(10_000)
    expect(JSON.parse(JSON.stringify(state.rivals))).toEqual(state.rivals)
  })
})

describe('counterfactuals of a whole run', () => {
  const budgetSteps = 6_000
  const run = syntheticRun({
    seed: 11,
    budgetSteps,
    learningRate: 0.02,
    capabilities: ['heldOutLoss', 'averagedWeights', 'microBatchNorms'],
  })
  const rate = run.state.largeLearningRate!
  const switchStep = run.state.switchStep!

  /** A rule alone on what the log says up to the switch. */
  function alone<O, S>(rival: Rival<O, S>, options: O): number | null {
    const seen = run.log.flatMap((observation: Observation): RivalObservation[] => {
      if (observation.kind === 'probe' && observation.probe.kind === 'valley')
        return [probe(observation.probe.step, observation.probe.raw.loss)]
      if (observation.kind !== 'samples') return []
      return observation.columns.step.map((at, i) => step(at, observation.columns.loss?.[i] ?? Number.NaN))
    })
    const state = seen.filter((entry) => entry.step < switchStep).reduce(rival.update, rival.init(options))
    return rival.read(state, budgetSteps).firstLoweredStep
  }

  it('are those of each rule alone on the same log', () => {
    const { decisions } = run
    const last = Object.fromEntries(decisions.at(-1)!.counterfactuals.map((row) => [row.rule, row.step]))
    expect(switchStep).toBeGreaterThan(1_000)
    expect(last.GreedyLR).toBe(alone(greedyLR, { initialRate: rate, ...greedyLimits(rate) }))
    expect(last.ReduceLROnPlateau).toBe(alone(reduceOnPlateau, { initialRate: rate }))
    expect(last['dlib slope test']).toBe(alone(dlibSlope, { initialRate: rate, blockSteps: 10 }))
    expect(last['Fixed 45 % anneal']).toBe(3_300)
  })

  it('stand in every decision of the large phase and after, and never change once a rule has acted', () => {
    const known = new Map<string, number>()
    for (const { counterfactuals, step: at, kind } of run.decisions) {
      if (kind !== 'start') expect(counterfactuals).toHaveLength(6)
      for (const { rule, step: acted } of counterfactuals) {
        if (acted === null) expect(known.has(rule)).toBe(false)
        else {
          expect(acted).toBeLessThanOrEqual(at)
          expect(known.get(rule) ?? acted).toBe(acted)
          known.set(rule, acted)
        }
      }
    }
    expect(known.size).toBeGreaterThanOrEqual(3)
  })
})
