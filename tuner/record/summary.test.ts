// What the run list shows, and what came of a run.

import { describe, expect, it } from 'vitest'
import { headline, initialState, summaryOf } from '../index.ts'
import { startArm } from '../phases/search/race.ts'
import { switchStepOf } from '../state.ts'
import { raceAround } from '../testing/raced.ts'
import { runState } from '../testing/runState.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'
import { outcomeOf } from './outcome.ts'

describe('the summary', () => {
  const { state } = syntheticRun({ seed: 1, budgetSteps: 1_000, learningRate: 0.03 })
  const summary = summaryOf(state)

  it('is what the run list shows: sentence, loss, rates, steps, shares', () => {
    expect(summary).toMatchObject({
      headline: headline(state),
      phase: 'done',
      step: 1_000,
      budgetSteps: 1_000,
      switchStep: switchStepOf(state.course),
      decisionCount: state.decisionCount,
      drift: null,
      advice: null,
      override: null,
      awaitingDecision: null,
    })
    expect(summary.switchStep).toBeGreaterThan(200)
    expect(summary.probeShare).toBeGreaterThan(0)
    expect(summary.probeShare).toBeLessThan(0.1)
  })

  it('has the arms of a search while that goes on, and not after it', () => {
    const race = startArm(raceAround(0.1)!, 0.1, 40)
    const told = summaryOf({ ...state, course: { kind: 'search', race } })
    expect(told.race).toMatchObject([{ signal: 'arm', learningRate: 0.1, fromStep: 40 }])
    expect(summary).not.toHaveProperty('race')
  })

  it('counts bad samples by what was wrong with them', () => {
    expect(summary.badSamples).toEqual({
      nonFinite: 0,
      nonFiniteNorms: 0,
      skipped: 0,
      outOfOrder: 0,
      repeated: 0,
      farAhead: 0,
    })
  })

  it('has a curve of at most 40 points, the first and the last block among them', () => {
    const means = state.seen.signals.lossBlocks.blocks.map(({ mean }) => mean)
    expect(summary.spark).toHaveLength(40)
    expect([summary.spark[0], summary.spark.at(-1)]).toEqual([means[0], means.at(-1)])
  })

  it('of a run of which nothing is known yet has nulls, and no numbers that stand for them', () => {
    expect(summaryOf(initialState())).toMatchObject({
      loss: null,
      learningRate: null,
      largeLearningRate: null,
      switchStep: null,
      spark: [],
      signalShare: null,
      probeShare: null,
      outcome: null,
    })
  })
})

describe('what came of a run', () => {
  const { seen } = runState()
  const ended = (change: {
    firstLoss: number | null
    keptLoss: number | null
    blocks?: readonly number[]
    end?: 'finished' | 'diverged'
    mode?: 'auto' | 'advisory'
  }) => {
    const { firstLoss, keptLoss, blocks = [], end = 'finished', mode = 'auto' } = change
    const lossBlocks = {
      ...seen.signals.lossBlocks,
      blocks: blocks.map((mean, i) => ({ step: 10 * i, mean, count: 10 })),
    }
    return outcomeOf(
      runState({
        mode,
        course: {
          kind: 'done',
          end,
          switchStep: null,
          largeRate: null,
          keptLoss,
          promised: null,
          reached: null,
        },
        seen: { signals: { ...seen.signals, firstLoss, lossBlocks } },
      }),
    )
  }

  it('is not known while it goes on', () => {
    expect(outcomeOf(runState())).toBeNull()
  })

  it('is the held-out loss of the weights kept beside the loss at the start, better or not', () => {
    expect(ended({ firstLoss: 2.3, keptLoss: 0.2 })).toEqual({
      firstLoss: 2.3,
      keptLoss: 0.2,
      isBetter: true,
      isHeldOut: true,
    })
    expect(ended({ firstLoss: 2.3, keptLoss: 2.4 })?.isBetter).toBe(false)
  })

  it('is the mean of the last three blocks where no held-out loss is known, or nothing was steered', () => {
    const blocks = [9, 1, 1.1, 1.2]
    expect(ended({ firstLoss: 2.3, keptLoss: null, blocks })?.keptLoss).toBeCloseTo(1.1, 12)
    expect(ended({ firstLoss: 2.3, keptLoss: 0.2, blocks, mode: 'advisory' })?.keptLoss).toBeCloseTo(1.1, 12)
  })

  it('is not measured where nothing was reported to tell by', () => {
    expect(ended({ firstLoss: null, keptLoss: null })).toEqual({
      firstLoss: null,
      keptLoss: null,
      isBetter: null,
      isHeldOut: false,
    })
  })

  it('of a run that diverged is no better, whatever it had', () => {
    expect(ended({ firstLoss: 2.3, keptLoss: 0.2, end: 'diverged' })?.isBetter).toBe(false)
  })
})
