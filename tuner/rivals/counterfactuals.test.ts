// What a decision record says of other rules: each alone on the same observations, from the large phase on.

import { describe, expect, it } from 'vitest'
import type { Observation } from '../../protocol/vocabulary.ts'
import { initialState } from '../index.ts'
import { switchStepOf } from '../state.ts'
import { allCapabilities, syntheticRun } from '../testing/syntheticRun.ts'
import { counterfactualsOf, type RivalsState, watchedRivals } from './counterfactuals.ts'
import { dlibSlope } from './dlibSlope.ts'
import { greedyLimits, greedyLR } from './greedyLR.ts'
import { reduceOnPlateau } from './reduceOnPlateau.ts'
import type { Rival, RivalObservation } from './rival.ts'

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

const options = { ...initialState().options, capabilities: allCapabilities }
const since = (fromStep: number | null, rate: number | null = 0.1) => ({ fromStep, rate })
/** What is said of rivals at a step of a run of 5,000 steps that counts from 0. */
const said = (
  rivals: RivalsState | null,
  at: number,
  change: { end?: number | null; origin?: number; annealedLoss?: (step: number) => number | null } = {},
) =>
  counterfactualsOf({
    rivals,
    options,
    origin: 0,
    end: 5_000,
    step: at,
    annealedLoss: () => null,
    ...change,
  })

/** A level run: a loss each step, a probe each 100. */
function levelRun(
  from: { rivals: RivalsState | null; step: number },
  stepCount: number,
  largeFromStep = 0,
): { rivals: RivalsState | null; step: number } {
  let { rivals } = from
  for (let at = from.step; at < from.step + stepCount; at++) {
    rivals = watchedRivals(rivals, step(at, 1), since(largeFromStep))
    if ((at + 1) % 100 === 0) rivals = watchedRivals(rivals, probe(at + 1, 1), since(largeFromStep))
  }
  return { rivals, step: from.step + stepCount }
}
const begin = { rivals: null, step: 0 }

describe('counterfactuals', () => {
  it('are empty before the large phase', () => {
    expect(said(null, 0)).toEqual([])
    expect(watchedRivals(null, step(0, 1), since(null))).toBeNull()
  })

  it('name the first step at a lower rate of each rule, on a level run', () => {
    // The first of 100, 200, … is the best probe, the eleventh after it one too many for a patience of 10; dlib's
    // window of 2,000 losses is full after step 1,999 and tested every second block of ten.
    expect(said(levelRun(begin, 3_000).rivals, 3_000)).toEqual([
      { rule: 'GreedyLR', step: 1_200 },
      { rule: 'ReduceLROnPlateau', step: 1_200 },
      { rule: 'dlib slope test', step: 2_000 },
      { rule: 'Fixed 20 % anneal', step: null, plannedStep: 4_000 },
      { rule: 'Fixed 45 % anneal', step: 2_750 },
      { rule: 'Fixed 80 % anneal', step: 1_000 },
    ])
  })

  it('have the final loss of an anneal from where each has acted, or will', () => {
    const told = said(levelRun(begin, 3_000).rivals, 3_000, { annealedLoss: (fromStep) => fromStep / 1e4 })
    expect(told.map(({ rule, finalLoss }) => [rule, finalLoss])).toEqual([
      ['GreedyLR', 0.12],
      ['ReduceLROnPlateau', 0.12],
      ['dlib slope test', 0.2],
      ['Fixed 20 % anneal', 0.4],
      ['Fixed 45 % anneal', 0.275],
      ['Fixed 80 % anneal', 0.1],
    ])
  })

  it('count fixed anneals from the job’s first step', () => {
    const { rivals } = levelRun({ rivals: null, step: 10_000 }, 1_100, 10_000)
    const fixed = said(rivals, 11_100, { origin: 10_000, end: 15_000 }).slice(3)
    expect(fixed.map((row) => row.step)).toEqual([null, null, 11_000])
  })

  it('leave out what a job cannot tell: rules over held-out losses, shares of a budget', () => {
    const { rivals } = levelRun(begin, 10)
    const blind = {
      rivals,
      options: initialState().options,
      origin: 0,
      end: null,
      step: 10,
      annealedLoss: () => null,
    }
    expect(counterfactualsOf(blind)).toEqual([{ rule: 'dlib slope test', step: null }])
  })

  it('begin afresh with weights that were restored, and after an undone switch', () => {
    const before = levelRun(begin, 1_500)
    const after = levelRun(before, 500, 1_500)
    expect(said(before.rivals, 1_500)[1]).toEqual({ rule: 'ReduceLROnPlateau', step: 1_200 })
    expect(said(after.rivals, 2_000)[1]).toEqual({ rule: 'ReduceLROnPlateau', step: null })
  })

  it('see nothing of the anneal, of losses that are not finite, and nothing at a rate that is not known', () => {
    const { rivals } = levelRun(begin, 50)
    expect(watchedRivals(rivals, step(50, 1), since(null))).toBe(rivals)
    for (const loss of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(watchedRivals(rivals, step(50, loss), since(0))).toBe(rivals)
      expect(watchedRivals(rivals, probe(50, loss), since(0))).toBe(rivals)
    }
    for (const rate of [null, 0]) expect(watchedRivals(null, step(0, 1), since(0, rate))).toBeNull()
  })

  it('keep less than 10 kB, whatever the run does', () => {
    let rivals: RivalsState | null = null
    for (let at = 0; at < 5_000; at++) rivals = watchedRivals(rivals, step(at, 1 / (at + 3)), since(0))
    expect(JSON.stringify(rivals).length).toBeLessThan(10_000)
    expect(JSON.parse(JSON.stringify(rivals))).toEqual(rivals)
  })
})

describe('counterfactuals of a whole run', () => {
  const budgetSteps = 6_000
  const rate = 0.02
  const run = syntheticRun({
    seed: 11,
    budgetSteps,
    learningRate: rate,
    capabilities: ['heldOutLoss', 'averagedWeights', 'microBatchNorms'],
  })
  const switchStep = switchStepOf(run.state.course)!

  /** A rule alone on what the log says up to the switch. */
  function alone<O, S>(rival: Rival<O, S>, rivalOptions: O): number | null {
    const seen = run.log.flatMap((observation: Observation): RivalObservation[] => {
      if (observation.kind === 'probe' && observation.probe.kind === 'valley')
        return [probe(observation.probe.step, observation.probe.raw.loss)]
      if (observation.kind !== 'samples') return []
      return observation.columns.step.map((at, i) => step(at, observation.columns.loss?.[i] ?? Number.NaN))
    })
    const state = seen
      .filter((entry) => entry.step < switchStep)
      .reduce(rival.update, rival.init(rivalOptions))
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

  it('are told with the loss that an anneal from there would reach, while the large step holds', () => {
    const held = run.decisions.filter(({ phase, step: at }) => phase.from === 'large' && at < switchStep)
    const told = held.at(-1)!
    const planned = told.alternatives.find(({ kind }) => kind === 'at' || kind === 'now')!
    const losses = told.counterfactuals.map(({ finalLoss }) => finalLoss)
    expect(losses.some((loss) => loss !== undefined)).toBe(true)
    for (const loss of losses) if (loss !== undefined) expect(loss / planned.finalLoss).toBeCloseTo(1, 0)
    const early = told.counterfactuals.find(({ rule }) => rule === 'Fixed 80 % anneal')!
    expect(early.finalLoss).toBeGreaterThan(planned.finalLoss)
    for (const { counterfactuals, phase } of run.decisions.filter(({ phase: { from } }) => from !== 'large'))
      expect(
        counterfactuals.filter(({ finalLoss }) => finalLoss !== undefined),
        phase.from,
      ).toEqual([])
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
