// Sentences of signs of divergence, and of what a job reports, by key, numbers and what else a record has.

import type { Case } from './told.ts'

const slowed = { step: 905, rate: 0.02, fromRate: 0.01, toStep: 965, keptStep: null }
export const guards: readonly Case[] = [
  [
    'non-finite-loss',
    { ...slowed, count: 5, keptStep: 840 },
    'Divergence at step 905: the loss was not finite at 5 of the last 10 steps. Back to the weights of step 840. The rate starts again at 0.01 and climbs to 0.02 by step 965.',
    { kind: 'guard' },
  ],
  [
    'non-finite-loss',
    { ...slowed, count: 5, byHand: 0.05, untilStep: 1_200 },
    'Divergence at step 905: the loss was not finite at 5 of the last 10 steps. The rate set by hand, 0.05, stays until step 1,200; then 0.02 holds.',
    { kind: 'guard' },
  ],
  [
    'non-finite-norm',
    { ...slowed, count: 5 },
    'Divergence at step 905: the gradient norm was not finite at 5 of its last 10. The rate starts again at 0.01 and climbs to the planned one by step 965.',
    { kind: 'guard', phase: { from: 'anneal', to: 'anneal' } },
  ],
  [
    'non-finite-probe',
    { ...slowed, count: 2 },
    'Divergence at step 905: held-out losses were not finite at 2 probes in a row. The rate starts again at 0.01 and climbs to 0.02 by step 965.',
    { kind: 'guard' },
  ],
  [
    'loss-rise',
    { ...slowed, steps: 50, from: 0.31, to: 1.3 },
    'Divergence at step 905: the loss stayed far above its level of 0.31 for 50 steps. The rate starts again at 0.01 and climbs to 0.02 by step 965. The new level is taken as it is.',
    { kind: 'guard' },
  ],
  [
    'forgotten',
    { ...slowed, steps: 50, keptStep: 840 },
    'Divergence at step 905: the loss was back where the run began, or above, for 50 steps. Back to the weights of step 840. The rate starts again at 0.01 and climbs to 0.02 by step 965.',
    { kind: 'guard' },
  ],
  [
    'loss-stuck',
    { ...slowed, steps: 20 },
    'Divergence at step 905: the loss was exactly 0 for 20 steps. The rate starts again at 0.01 and climbs to 0.02 by step 965.',
    { kind: 'guard' },
  ],
  [
    'norm-jump',
    { ...slowed, hits: 5, of: 10 },
    'Divergence at step 905: the gradient norm jumped far above its mean at 5 of 10 steps. The rate starts again at 0.01 and climbs to 0.02 by step 965.',
    { kind: 'guard' },
  ],
  [
    'not-restored',
    { step: 905, rate: 0.01 },
    'The checkpoint could not be restored (no answer): training goes on from the present weights, at 0.01.',
    { kind: 'guard', text: 'no answer' },
  ],
  [
    'tripwire',
    { step: 905, limit: 2.31, rate: 0.002 },
    "At step 905 the smoothed loss passed the plan's limit of 2.31: a job that watches it took 0.002 until its next answer. Nothing else speaks of divergence, so the plan stands, and its limit follows the loss.",
    { kind: 'guard' },
  ],
  [
    'diverged',
    { step: 1_305, count: 5, keptStep: 840 },
    'Stopped at step 1,305: training came apart a fourth time (the loss was not finite at 5 of the last 10 steps); the weights of step 840 are kept.',
    { kind: 'finish', text: 'non-finite-loss' },
  ],
  [
    'diverged',
    { step: 1_305, count: 5, keptStep: null },
    'Stopped at step 1,305: training came apart a fourth time (the loss was not finite at 5 of the last 10 steps); no earlier weights are kept.',
    { kind: 'finish', text: 'non-finite-loss' },
  ],
]

export const reports: readonly Case[] = [
  [
    'origin',
    { origin: 500, end: 3_500, budgetSteps: 3_500 },
    "The job's counter began at step 500: the plan is laid from there to step 3,500, where the counter ends by that budget.",
  ],
  [
    'origin',
    { origin: 500, end: 900, budgetSteps: 400 },
    "The job's counter began at step 500: the plan is laid from there to step 900, as a budget of 400 is steps to take from 500 on.",
  ],
  ['origin', { origin: 500, end: null }, "The job's counter began at step 500: the plan is laid from there."],
  [
    'resumed',
    { step: 700, before: 1_000 },
    'The run goes on from step 700, where it was resumed; it had come to 1,000.',
  ],
  [
    'objective',
    { step: 1_050 },
    'From step 1,050 on the loss measures something else (stage-2): its level begins anew.',
    { text: 'stage-2' },
  ],
  [
    'drift',
    { sinceStep: 500, applied: 0.005, planned: 0.02 },
    'The job does not follow its plan: since step 500 it applies 0.005, and 0.02 is planned.',
    { kind: 'drift' },
  ],
]

export const regimes: readonly Case[] = [
  [
    'regime-large-step',
    { share: 0.123, error: 0.011, half: 0.04 },
    'The regime is now known: large-step. Annealing would take 12 % ± 2.2 % off the loss, clearly more than 4 %.',
    { kind: 'transition', transition: { from: 'unknown', to: 'large-step' } },
  ],
  [
    'regime-small-step',
    { share: 0.011, error: 0.002, half: 0.04 },
    'The regime has changed from large-step to small-step. Annealing would take 1.1 % ± 0.39 % off the loss, clearly less than 4 %.',
    { kind: 'transition', transition: { from: 'large-step', to: 'small-step' } },
  ],
  [
    'regime-small-step',
    { share: -0.02, error: null, half: 0.04 },
    'The regime has changed from large-step to small-step. Annealing would take 0 % off the loss, clearly less than 4 %.',
    { kind: 'transition', transition: { from: 'large-step', to: 'small-step' } },
  ],
  [
    'regime-unstable',
    { share: null, error: null, half: 0.04 },
    'The regime has changed from large-step to unstable: training shows signs of coming apart.',
    { kind: 'transition', transition: { from: 'large-step', to: 'unstable' } },
  ],
]
