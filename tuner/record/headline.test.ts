// One sentence for every state that a run can be in.

import { describe, expect, it } from 'vitest'
import type { Segment } from '../../protocol/vocabulary.ts'
import { headline, initialState, summaryOf, type TunerState } from '../index.ts'
import { initialWatch } from '../phases/anneal/annealWatch.ts'
import { startArm } from '../phases/search/race.ts'
import { raceAround } from '../phases/search/raceOpening.ts'
import { allCapabilities, syntheticRun } from '../testing/syntheticRun.ts'

const initial = initialState()
const segment = (phase: Segment['phase'] & string, fromStep: number, toStep: number): Segment => ({
  fromStep,
  toStep,
  shape: 'constant',
  from: 0.0031,
  to: 0.0031,
  phase,
})

/** A run in the large phase, with what a case changes of it. */
function stateOf(change: Partial<TunerState>): TunerState {
  return {
    ...initial,
    options: { ...initial.options, capabilities: allCapabilities },
    mode: 'auto',
    phase: 'large',
    step: 131_000,
    budgetSteps: 1_000_000,
    largeLearningRate: 0.42,
    learningRate: 0.42,
    plan: { version: 3, segments: [segment('large', 0, 300_000), segment('anneal', 300_000, 1_000_000)] },
    ...change,
  }
}

const outlook = (stayingGain: number | null, annealingGain: number | null, probeCount = 12) => ({
  stayingGain,
  annealingGain,
  earliestStep: 412_000,
  probeCount,
  probesNeeded: 8,
  probability: 0.1,
  alternatives: [],
})

const anneal = (reason: NonNullable<TunerState['anneal']>['reason']) => ({
  fromStep: 2_600,
  toStep: 3_000,
  fromRate: 0.1,
  reason,
  expectedGain: null,
  scale: null,
  fromLargeSteps: 0,
  isCheckpointed: false,
  undoChecks: 0,
  compared: null,
  rest: null,
  watch: initialWatch({ averagedLosses: [], probeLosses: [] }, true),
})

const race = raceAround({
  learningRate: 0.1,
  fromStep: 0,
  segmentSteps: 20,
  budgetSteps: 3_000,
  lossFirst: null,
  min: 0,
  max: 9,
})!
const checkpoints = [{ name: 'good-0', step: 7_180, largeSteps: 7_000 }]

const cases: readonly (readonly [string, Partial<TunerState>, string])[] = [
  [
    'warm-up',
    { phase: 'warmup', step: 118, budgetSteps: 3_000, learningRate: 0.0031 },
    'Warming up at 0.0031, step 118 of 3,000: looking for the largest rate that holds.',
  ],
  [
    'race',
    {
      phase: 'warmup',
      step: 40,
      budgetSteps: 3_000,
      learningRate: 0.1,
      warmup: { kind: 'race', race: startArm(race, 0.1, 40) },
    },
    'Warming up at 0.1, step 40 of 3,000: racing rates around 0.1, number 1 now.',
  ],
  [
    'little evidence',
    { outlook: outlook(null, null, 5) },
    'Large step at 0.42, step 131,000 of 1,000,000: not enough evidence yet (5 of 8 probes). Without more, annealing starts at step 300,000.',
  ],
  [
    'no probe yet',
    {},
    'Large step at 0.42, step 131,000 of 1,000,000: not enough evidence yet (0 of 8 probes). Without more, annealing starts at step 300,000.',
  ],
  [
    'nothing to remove',
    { outlook: outlook(null, null, 12) },
    'Large step at 0.42, step 131,000 of 1,000,000: no gain of annealing is measured yet. Without more, annealing starts at step 300,000.',
  ],
  [
    'loss only',
    { remark: 'Only the loss is reported. Held-out probes would allow a measured switch.' },
    'Large step at 0.42, step 131,000 of 1,000,000. Only the loss is reported. Held-out probes would allow a measured switch. Without more, annealing starts at step 300,000.',
  ],
  [
    'staying pays',
    { outlook: outlook(0.0213, 0.0134) },
    'Large step at 0.42, step 131,000 of 1,000,000: staying still gains more than annealing (0.021 vs 0.013). Earliest switch at step 412,000.',
  ],
  [
    'about to switch',
    { outlook: { ...outlook(0.01, 0.02), earliestStep: 131_000 } },
    'Large step at 0.42, step 131,000 of 1,000,000: annealing gains as much as staying still (0.02 vs 0.01). Earliest switch at step 131,000.',
  ],
  [
    'no budget',
    { budgetSteps: null },
    'Large step at 0.42, step 131,000: no budget set, and nothing yet that says whether to go on.',
  ],
  [
    'no budget, tested',
    { budgetSteps: null, sequential: { ...initial.sequential, lookCount: 100, evidences: [1, 2, 3, 4.4] } },
    'Large step at 0.42, step 131,000: going on is still worth it (evidence 3.1 of 20 needed against it).',
  ],
  [
    'anneal by the rule',
    { phase: 'anneal', step: 2_700, budgetSteps: 3_000, learningRate: 0.075, anneal: anneal('rule') },
    'Annealing since step 2,600, step 2,700 of 3,000, rate 0.075: staying still gained no more than annealing. Ends at step 3,000.',
  ],
  ...(
    [
      ['deadline', 'a tenth of the budget was left'],
      ['fallback', 'by the fallback plan'],
      ['overfitting', 'held-out loss of the averaged weights had stopped falling'],
      ['command', 'asked for by hand'],
      ['guard', 'the loss had diverged a third time'],
    ] as const
  ).map(
    ([reason, words]) =>
      [
        `anneal: ${reason}`,
        { phase: 'anneal', step: 2_700, budgetSteps: 3_000, learningRate: null, anneal: anneal(reason) },
        `Annealing since step 2,600, step 2,700 of 3,000: ${words}. Ends at step 3,000.`,
      ] as const,
  ),
  [
    'by hand',
    { override: { learningRate: 0.05, untilStep: 2_400, reason: 'trying new data' } },
    'Set by hand: 0.05 until step 2,400 (trying new data).',
  ],
  [
    'by hand, no reason',
    { override: { learningRate: 0.05, untilStep: 2_400, reason: '' } },
    'Set by hand: 0.05 until step 2,400.',
  ],
  ['paused', { lifecycle: 'paused' }, 'Paused at step 131,000 of 1,000,000.'],
  [
    'advice to hold',
    { mode: 'advisory', learningRate: 0.08, outlook: outlook(0.0213, 0.0134) },
    'Advice only: would hold (0.021 vs 0.013). The job applies 0.08.',
  ],
  [
    'advice to anneal',
    { mode: 'advisory', learningRate: 0.08, outlook: outlook(0.0134, 0.0213) },
    'Advice only: would start annealing (0.013 vs 0.021). The job applies 0.08.',
  ],
  [
    'advice, little evidence',
    { mode: 'advisory', learningRate: null, outlook: outlook(null, null, 3) },
    'Advice only, step 131,000 of 1,000,000: not enough evidence yet (3 of 8 probes).',
  ],
  ['off', { mode: 'off' }, 'Watching only, step 131,000 of 1,000,000. The job applies 0.42.'],
  [
    'diverged',
    {
      lifecycle: 'diverged',
      phase: 'done',
      step: 7_310,
      divergence: { ...initial.divergence, checkpoints },
    },
    'Stopped at step 7,310: the loss diverged a fourth time. Last good checkpoint: step 7,180.',
  ],
  [
    'diverged without a checkpoint',
    { lifecycle: 'diverged', phase: 'done', step: 7_310 },
    'Stopped at step 7,310: the loss diverged a fourth time.',
  ],
  [
    'finished',
    {
      lifecycle: 'finished',
      phase: 'done',
      step: 3_000,
      budgetSteps: 3_000,
      switchStep: 1_350,
      signals: { ...initial.signals, averagedLosses: [0.24, 0.226], probeLosses: [0.3, 0.2249] },
    },
    'Final held-out loss 0.225. Switched at step 1,350 of 3,000.',
  ],
  [
    'finished without probes, never switched',
    { lifecycle: 'finished', phase: 'done', step: 3_000, budgetSteps: 3_000 },
    'Finished at step 3,000. Never switched.',
  ],
]

describe('the headline', () => {
  it.each(cases)('of a run: %s', (_, change, sentence) => {
    expect(headline(stateOf(change))).toBe(sentence)
  })

  it('is always a sentence or two: it begins with a capital, ends with a period and holds no undefined', () => {
    const run = syntheticRun({ seed: 1, budgetSteps: 600, learningRate: 0.03 })
    const said = [...cases.map(([, change]) => headline(stateOf(change))), headline(run.state)]
    for (const sentence of said) expect(sentence).toMatch(/^[A-Z](?!.*(undefined|NaN|null|\.\.)).*\.$/)
  })
})

describe('every decision', () => {
  it('says what it does in a sentence: capital, period, numbers that can be read', () => {
    for (const options of [
      { learningRate: null },
      { learningRate: 0.03 },
      { learningRate: 0.03, capabilities: [] },
      { learningRate: 0.03, mode: 'advisory' as const },
    ]) {
      const { decisions } = syntheticRun({ seed: 1, budgetSteps: 1_000, ...options })
      for (const { summary, whyNotYet } of decisions)
        for (const sentence of [summary, whyNotYet ?? 'Now.']) {
          expect(sentence).toMatch(/^[A-Z](?!.*(undefined|NaN|null|\.\.)).*\.$/)
          expect(sentence).not.toMatch(/\d\.\d{5,}/)
        }
    }
  })
})

describe('the summary', () => {
  it('is what the run list shows: sentence, loss, rates, shares, a curve of at most 40 points', () => {
    const { state } = syntheticRun({ seed: 1, budgetSteps: 1_000, learningRate: 0.03 })
    const summary = summaryOf(state)
    expect(summary).toMatchObject({
      headline: headline(state),
      phase: 'done',
      step: 1_000,
      budgetSteps: 1_000,
      switchStep: state.switchStep,
      decisionCount: state.decisionCount,
      badSamples: { nonFinite: 0, outOfOrder: 0, repeated: 0 },
    })
    const means = state.signals.lossBlocks.blocks.map(({ mean }) => mean)
    expect(summary.spark).toHaveLength(40)
    expect([summary.spark[0], summary.spark.at(-1)]).toEqual([means[0], means.at(-1)])
    expect(summary.probeShare).toBeGreaterThan(0)
    expect(summary.probeShare).toBeLessThan(0.1)
    expect(summaryOf(initial)).toMatchObject({ loss: null, spark: [], signalShare: null, probeShare: null })
  })
})
