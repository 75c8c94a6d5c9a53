// One sentence for every state that a run can be in.

import { describe, expect, it } from 'vitest'
import type { Phase, Segment } from '../../protocol/vocabulary.ts'
import { headline, type TunerState } from '../index.ts'
import { startArm } from '../phases/search/race.ts'
import type { Anneal, AnnealReason, Course, Done, Large, Seen } from '../state.ts'
import { raceAround } from '../testing/raced.ts'
import { annealState, largeState, outlookOf, type RunChange, runState } from '../testing/runState.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'

const segment = (phase: Phase, fromStep: number, toStep: number): Segment => ({
  fromStep,
  toStep,
  shape: 'constant',
  from: 0.0031,
  to: 0.0031,
  phase,
})

type Change = Omit<RunChange, 'course'> & { readonly course?: Course }

/** A run of a million steps in the large phase, with what a case changes of it. */
function stateOf({ seen, ...change }: Change = {}): TunerState {
  return runState({
    budgetSteps: 1_000_000,
    course: large(),
    plan: { version: 3, segments: [segment('large', 0, 300_000), segment('anneal', 300_000, 1_000_000)] },
    ...change,
    seen: { step: 131_000, learningRate: 0.42, ...seen },
  })
}
const large = (change: Partial<Large> = {}): Large => largeState({ rate: 0.42, ...change })
const { signals, guard } = runState().seen
const probed = (count: number): Partial<Seen> => ({
  signals: { ...signals, valley: { ...signals.valley, count } },
})
/** The job has applied .05 for a while, where .42 was planned. */
const drifting = (step: number): Partial<Seen> => ({
  drift: { off: 60, on: 0, since: { step, applied: 0.05, planned: 0.42 }, isTold: true },
})

const anneal = (reason: AnnealReason): Anneal => annealState({ fromStep: 2_600, toStep: 3_000, reason })
const done = (change: Partial<Done> = {}): Done => ({
  kind: 'done',
  end: 'finished',
  switchStep: null,
  largeRate: 0.1,
  keptLoss: null,
  promised: null,
  reached: null,
  ...change,
})
const short = { budgetSteps: 3_000 }
const person = runState().person

const searching: readonly (readonly [string, Change, string])[] = [
  [
    'in a race',
    {
      ...short,
      course: { kind: 'search', race: startArm(raceAround(0.1)!, 0.1, 40) },
      seen: { step: 40, learningRate: 0.031 },
    },
    'Warming up at 0.031, step 40 of 3,000: racing rates around 0.1, number 1 now.',
  ],
]

const holding: readonly (readonly [string, Change, string])[] = [
  [
    'with little evidence',
    { seen: probed(5) },
    'Large step at 0.42, step 131,000 of 1,000,000: not enough evidence yet (5 of 8 probes). Without more, annealing starts at step 300,000.',
  ],
  [
    'with nothing to remove',
    { seen: probed(12) },
    'Large step at 0.42, step 131,000 of 1,000,000: no gain of annealing is measured yet. Without more, annealing starts at step 300,000.',
  ],
  [
    'with the loss alone',
    { options: { capabilities: [] } },
    'Large step at 0.42, step 131,000 of 1,000,000: nothing that is reported says what annealing would gain; held-out probes of averaged weights would. Without more, annealing starts at step 300,000.',
  ],
  [
    'where staying pays',
    { course: large({ outlook: outlookOf(0.0213, 0.0134, 412_000) }) },
    'Large step at 0.42, step 131,000 of 1,000,000: staying still gains more than annealing (0.021 vs 0.013). Earliest switch at step 412,000.',
  ],
  [
    'about to switch',
    { course: large({ outlook: outlookOf(0.01, 0.02, 120_000) }) },
    'Large step at 0.42, step 131,000 of 1,000,000: annealing gains as much as staying still (0.02 vs 0.01). Earliest switch at step 131,000.',
  ],
  [
    'without a budget',
    { budgetSteps: null },
    'Large step at 0.42, step 131,000: no budget set, and nothing yet that says whether to go on.',
  ],
  [
    'without a budget, tested',
    {
      budgetSteps: null,
      course: large({
        diminishing: { gain: { value: 0.0123, standardError: 0.00234 }, worth: 0.00567, isEnough: false },
      }),
    },
    'Large step at 0.42, step 131,000: as many steps again would take off 0.0123 ± 0.00234, and are worth it down to 0.00567.',
  ],
  [
    'of a job that does not follow',
    { seen: { ...probed(12), ...drifting(130_000) } },
    'Large step at 0.42, step 131,000 of 1,000,000: no gain of annealing is measured yet. Without more, annealing starts at step 300,000. But the job applies 0.05, not the planned 0.42, since step 130,000.',
  ],
]

const annealReasons: readonly (readonly [AnnealReason, string])[] = [
  ['rule', 'staying still gained no more than annealing'],
  ['tolerance', 'going on gained less than it is worth'],
  ['deadline', 'a tenth of the budget was left'],
  ['fallback', 'by the fallback plan'],
  ['overfitting', 'held-out loss of the averaged weights had stopped falling'],
  ['memorising', 'little of what was learned reached held-out data'],
  ['command', 'asked for by hand'],
  ['guard', 'the loss had diverged a third time'],
]
const annealing: readonly (readonly [string, Change, string])[] = [
  ...annealReasons.map(
    ([reason, words]) =>
      [
        `annealing: ${reason}`,
        { ...short, course: anneal(reason), seen: { step: 2_700, learningRate: 0.075 } },
        `Annealing since step 2,600, step 2,700 of 3,000, rate 0.075: ${words}. Ends at step 3,000.`,
      ] as const,
  ),
  [
    'whose job does not anneal',
    { ...short, course: anneal('rule'), seen: { step: 2_700, ...drifting(2_600) } },
    'To be annealed since step 2,600, step 2,700 of 3,000: staying still gained no more than annealing. Ends at step 3,000. But the job applies 0.05, not the planned 0.42, since step 2,600.',
  ],
]

const byPerson: readonly (readonly [string, Change, string])[] = [
  [
    'set by hand',
    { person: { ...person, override: { learningRate: 0.05, untilStep: 2_400, reason: 'trying new data' } } },
    'Set by hand: 0.05 until step 2,400 (trying new data).',
  ],
  [
    'set by hand, without a reason',
    { person: { ...person, override: { learningRate: 0.05, untilStep: 2_400, reason: '' } } },
    'Set by hand: 0.05 until step 2,400.',
  ],
  ['that is paused', { person: { ...person, isPaused: true } }, 'Paused at step 131,000 of 1,000,000.'],
  [
    'that waits for an answer',
    {
      mode: 'approve',
      person: {
        ...person,
        proposal: { number: 12, step: 130_000, expiresAtStep: 200_000, reason: 'rule' },
      },
    },
    'Waiting for you, step 131,000 of 1,000,000: decision 12, to start annealing, awaits approval until step 200,000. The large step goes on at 0.42.',
  ],
  [
    'advised to hold',
    { mode: 'advisory', course: large({ rate: null, outlook: outlookOf(0.0213, 0.0134, 412_000) }) },
    'Advice only, step 131,000 of 1,000,000: hold, as staying still gains more than annealing (0.021 vs 0.013). The job applies 0.42.',
  ],
  [
    'advised to anneal',
    { mode: 'advisory', course: large({ rate: null, advisedAtStep: 125_000 }) },
    "Advice only, step 131,000 of 1,000,000: anneal, advised since step 125,000; whether it is done is the job's own affair. The job applies 0.42.",
  ],
  [
    'advised with little evidence',
    { mode: 'advisory', course: large({ rate: null }), seen: { ...probed(3), learningRate: null } },
    'Advice only, step 131,000 of 1,000,000: not enough evidence yet (3 of 8 probes).',
  ],
  [
    'that is only watched',
    { mode: 'off', course: large({ rate: null }) },
    'Watching only, step 131,000 of 1,000,000. The job applies 0.42.',
  ],
]

const checkpoints = [{ name: 'good-0', step: 7_180, runLength: 7_000 }]
const learned: Partial<Seen> = { step: 3_000, signals: { ...signals, firstLoss: 2.3, firstCount: 10 } }
const ended: readonly (readonly [string, Change, string])[] = [
  [
    'that diverged',
    { course: done({ end: 'diverged' }), seen: { step: 7_310, guard: { ...guard, checkpoints } } },
    'Stopped at step 7,310: training came apart a fourth time. Last good checkpoint: step 7,180.',
  ],
  [
    'that diverged without a checkpoint',
    { course: done({ end: 'diverged' }), seen: { step: 7_310 } },
    'Stopped at step 7,310: training came apart a fourth time.',
  ],
  [
    'that finished',
    { ...short, course: done({ switchStep: 1_350, keptLoss: 0.2249 }), seen: learned },
    'Final held-out loss 0.225. Switched at step 1,350 of 3,000.',
  ],
  [
    'that finished no better than it began',
    { ...short, course: done({ switchStep: 1_350, keptLoss: 2.31 }), seen: learned },
    'Final held-out loss 2.31. It is no better than at its start. Switched at step 1,350 of 3,000.',
  ],
  [
    'that finished without probes, never switched',
    { ...short, course: done(), seen: { step: 3_000 } },
    'Finished at step 3,000. Never switched.',
  ],
  [
    'whose planned anneal was not applied',
    { ...short, course: done({ switchStep: 2_600 }), seen: { step: 3_000, ...drifting(2_500) } },
    'Finished at step 3,000. The anneal that was planned from step 2,600 on was not applied. But the job applies 0.05, not the planned 0.42, since step 2,500.',
  ],
  [
    'that finished under advice',
    { ...short, mode: 'advisory', course: done(), seen: { step: 3_000 } },
    'Finished at step 3,000.',
  ],
]

const cases = [...searching, ...holding, ...annealing, ...byPerson, ...ended]

describe('the headline of a run', () => {
  it.each(cases)('%s', (_, change, sentence) => {
    expect(headline(stateOf(change))).toBe(sentence)
  })

  it('is always a sentence or two: it begins with a capital, ends with a period and holds no undefined', () => {
    const run = syntheticRun({ seed: 1, budgetSteps: 600, learningRate: 0.03 })
    const said = [...cases.map(([, change]) => headline(stateOf(change))), headline(run.state)]
    for (const sentence of said) expect(sentence).toMatch(/^[A-Z](?!.*(undefined|NaN|null|\.\.)).*\.$/)
  })
})
