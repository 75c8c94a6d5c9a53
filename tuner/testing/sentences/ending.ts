// Sentences of ends, and of what persons did, by key, numbers and what else a record has.

import { type Case, person } from './told.ts'

const promised = { value: 0.23, standardError: 0.008, low: 0.211, high: 0.242 }

export const ends: readonly Case[] = [
  [
    'annealed',
    { step: 3_000 },
    'Finished at step 3,000: the anneal is done; the last weights are kept.',
    { kind: 'finish' },
  ],
  ['budget-used', { step: 3_000 }, 'Finished at step 3,000: the budget is used up.', { kind: 'finish' }],
  ['finished-by-hand', { step: 900 }, 'Finished at step 900 by hand (to see).', { kind: 'finish', person }],
  [
    'finished-by-hand',
    { step: 900, averagedLoss: 0.41, lastLoss: 0.52 },
    'Finished at step 900 by hand (to see); averaged weights are kept: their held-out loss is 0.41, that of the last ones 0.52.',
    { kind: 'finish', person },
  ],
  [
    'budget-used',
    { step: 3_000, averagedLoss: 0.41, lastLoss: null },
    'Finished at step 3,000: the budget is used up; averaged weights are kept: their held-out loss is 0.41, that of the last ones not finite.',
    { kind: 'finish' },
  ],
  [
    'finished-by-budget',
    { step: 900, budgetSteps: 500 },
    'Budget set to 500 steps at step 900: finished.',
    { kind: 'finish', person },
  ],
  [
    'finished-last',
    { step: 3_000, loss: 0.2249 },
    'Finished at step 3,000: held-out loss 0.225; the last weights are kept.',
    { kind: 'finish' },
  ],
  [
    'finished-last',
    { step: 3_000, loss: null },
    'Finished at step 3,000: held-out loss not finite; the last weights are kept.',
    { kind: 'finish' },
  ],
  [
    'finished-last',
    { step: 3_000, loss: 0.5, keptStep: 900, compared: 0.4, examples: 2_000 },
    'Finished at step 3,000: held-out loss 0.5; the last weights are kept; those of step 900 have 0.4 on all 2,000 examples, which is not plainly better.',
    { kind: 'finish' },
  ],
  [
    'finished-last',
    { step: 3_000, loss: 0.2249 },
    'Finished at step 3,000: held-out loss 0.225; the last weights are kept. 0.211 to 0.242 was promised, and 0.225 reached.',
    { kind: 'finish', promised, reached: 0.2249, isInside: true },
  ],
  [
    'finished-last',
    { step: 3_000, loss: 0.26 },
    'Finished at step 3,000: held-out loss 0.26; the last weights are kept. 0.211 to 0.242 was promised; 0.26, reached on the same examples, lies above it.',
    { kind: 'finish', promised, reached: 0.26, isInside: false },
  ],
  [
    'finished-averaged',
    { step: 3_000, loss: 0.2249 },
    'Finished at step 3,000: held-out loss 0.225; averaged weights are kept.',
    { kind: 'finish' },
  ],
  [
    'finished-kept',
    { step: 3_000, loss: 0.4, keptStep: 900, lastLoss: 0.5 },
    'Finished at step 3,000: held-out loss 0.4; the averaged weights of step 900 are kept, as the last ones have 0.5.',
    { kind: 'finish' },
  ],
  [
    'finished-kept',
    { step: 3_000, loss: 0.4, keptStep: 900, lastLoss: null },
    'Finished at step 3,000: held-out loss 0.4; the averaged weights of step 900 are kept, as the last ones have no loss.',
    { kind: 'finish' },
  ],
]

export const persons: readonly Case[] = [
  [
    'set-by-hand',
    { rate: 0.005, asked: 0.005, untilStep: 700 },
    'Set by hand: 0.005 until step 700 (to see).',
    { kind: 'override', person },
  ],
  [
    'set-by-hand',
    { rate: 0.01, asked: 0.005, untilStep: 700 },
    "Set by hand: 0.01 until step 700, clamped from 0.005 to this run's limits.",
    { kind: 'override', person: { by: 'x', reason: '' } },
  ],
  [
    'handed-back',
    { step: 560 },
    'Handed back at step 560 (to see): the rate is 0.02 again.',
    { kind: 'hand-back', person },
  ],
  [
    'handed-back-in-time',
    { step: 700 },
    'Handed back at step 700, as its last step has come: the rate is 0.02 again.',
    { kind: 'hand-back' },
  ],
  [
    'budget-set',
    { step: 900, budgetSteps: 4_000 },
    'Budget set to 4,000 steps at step 900 (to see).',
    { person },
  ],
  [
    'budget-set',
    { step: 900, budgetSteps: 4_000, origin: 500, end: 4_000 },
    'Budget set to 4,000 steps at step 900 (to see): to step 4,000, where the counter ends by that budget.',
    { person },
  ],
  [
    'budget-set',
    { step: 900, budgetSteps: 450, origin: 500, end: 950 },
    'Budget set to 450 steps at step 900 (to see): to step 950, as a budget of 450 is steps to take from 500 on.',
    { person },
  ],
  ['budget-removed', { step: 900 }, 'Budget removed at step 900 (to see).', { person }],
  ['mode-set', {}, 'Mode set to advisory (to see).', { text: 'advisory', person }],
  ['paused', { step: 500 }, 'Paused at step 500 by hand (to see).', { person }],
  ['resumed-by-hand', { step: 510 }, 'Resumed at step 510 by hand (to see).', { person }],
  ['noted-ended', { step: 900 }, 'Nothing done: the run has ended.'],
  ['noted-not-asked', { step: 900, number: 7 }, 'Nothing done: decision 7 does not await approval.'],
  ['noted-no-override', { step: 900 }, 'Nothing done: no override is in force.'],
  ['noted-no-switch', { step: 900 }, 'Nothing done: there is no switch to undo.'],
  [
    'noted-undo-too-late',
    { step: 2_500 },
    'Nothing done: under 20 % of the budget is left, too little to undo the switch.',
  ],
  [
    'noted-override-past',
    { step: 900, untilStep: 800 },
    'Nothing done: the override was to end at step 800, and step 900 is past it.',
  ],
  ['noted-annealing', { step: 900 }, 'Nothing done: the anneal is already under way.'],
  ['noted-paused-already', { step: 900 }, 'Nothing done: the run is paused already.'],
  ['noted-not-paused', { step: 900 }, 'Nothing done: the run is not paused.'],
]
