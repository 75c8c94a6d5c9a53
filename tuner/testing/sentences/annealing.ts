// Sentences of switches, and of what becomes of an anneal, by key, numbers and what else a record has.

import { type Case, person } from './told.ts'

const sides = { staying: 0.0213, annealing: 0.0134 }
const span = { fromStep: 900, toStep: 3_000, probes: 5, needed: 8 }
const falls = { sinceStep: 300, trainingFall: 0.31, heldOutFall: 0.042 }
export const switches: readonly Case[] = [
  [
    'anneal-rule',
    { ...span, staying: 0.01, annealing: 0.02 },
    'Annealing from step 900 to 3,000: staying still gains no more than annealing (0.01 vs 0.02).',
  ],
  [
    'anneal-rule',
    { ...span, staying: 0.01, annealing: 0.02 },
    'Annealing from step 900 to 3,000: staying still gains no more than annealing (0.01 vs 0.02). Expected final loss: 0.23 (0.211 to 0.242).',
    { promised: { value: 0.23, standardError: 0.008, low: 0.211, high: 0.242 } },
  ],
  [
    'anneal-rule',
    { ...span, staying: 0.01, annealing: 0.02 },
    'Advice: anneal from step 900 to 3,000: staying still gains no more than annealing (0.01 vs 0.02).',
    { status: 'advisory', mode: 'advisory' },
  ],
  [
    'anneal-rule',
    { ...span, staying: 0.01, annealing: 0.02, expiresAtStep: 1_100, deadline: 2_700 },
    'Annealing from step 900 to 3,000 awaits approval until step 1,100: staying still gains no more than annealing (0.01 vs 0.02). Without an answer the anneal starts at step 2,700.',
    { status: 'awaiting-approval', mode: 'approve' },
  ],
  [
    'anneal-tolerance',
    { ...span, expiresAtStep: 1_100, deadline: null },
    'Annealing from step 900 to 3,000 awaits approval until step 1,100: going on gains less than it is worth. Without an answer the large step goes on.',
    { status: 'awaiting-approval', mode: 'approve' },
  ],
  [
    'anneal-rule',
    { ...span, waitedSteps: 20, waitedLoss: 0.0012 },
    'Approved by hand (to see). Waiting took 20 steps and, by the fitted curve, cost 0.0012 of the final loss. Annealing from step 900 to 3,000: staying still gains no more than annealing.',
    { status: 'approved', mode: 'approve', person },
  ],
  ['anneal-tolerance', span, 'Annealing from step 900 to 3,000: going on gains less than it is worth.'],
  [
    'anneal-deadline',
    { ...span, ...sides },
    'Annealing from step 900 to 3,000: a tenth of the budget is left, so the switch is forced (0.021 vs 0.013).',
  ],
  [
    'anneal-overfitting',
    span,
    'Annealing from step 900 to 3,000: held-out loss of the averaged weights has stopped falling, so the rest of the budget would only memorise.',
  ],
  [
    'anneal-memorising',
    { ...span, ...falls, staying: 0.01, annealing: 0.02 },
    'Annealing from step 900 to 3,000: since step 300 training loss has fallen by 31 % and held-out loss by 4.2 %, so a longer anneal would mostly memorise.',
  ],
  [
    'anneal-memorising',
    { ...span, ...falls, heldOutFall: -0.01 },
    'Annealing from step 900 to 3,000: since step 300 training loss has fallen by 31 % and held-out loss has not fallen, so a longer anneal would mostly memorise.',
  ],
  ['anneal-command', span, 'Annealing from step 900 to 3,000: asked for by hand (to see).', { person }],
  [
    'anneal-guard',
    { ...span, count: 5 },
    'Annealing from step 900 to 3,000: the loss diverged a third time (the gradient norm was not finite at 5 of its last 10).',
    { text: 'non-finite-norm' },
  ],
  [
    'anneal-guard',
    { ...span, from: 0.31, to: 1.3, steps: 50 },
    'Annealing from step 900 to 3,000: the loss diverged a third time (the loss stayed far above its level of 0.31 for 50 steps).',
    { text: 'loss-rise' },
  ],
  [
    'anneal-fallback-blind',
    span,
    'Annealing from step 900 to 3,000: the fallback plan is due; held-out probes of averaged weights, or micro-batch gradient norms, would allow a measured switch.',
  ],
  [
    'anneal-fallback-wrong-set',
    span,
    'Annealing from step 900 to 3,000: the fallback plan is due, as the job offers heldOutLoss, but none of its valley probes was of the set "held-out".',
  ],
  [
    'anneal-fallback-few',
    span,
    'Annealing from step 900 to 3,000: the fallback plan is due, as only 5 of the 8 probes that the rule needs were made.',
  ],
  [
    'anneal-fallback-no-gain',
    span,
    'Annealing from step 900 to 3,000: the fallback plan is due, as neither averaged weights nor gradient noise say what annealing gains.',
  ],
  [
    'anneal-fallback-followed',
    span,
    'Annealing from step 900 to 3,000: the job followed an earlier plan into it, before a newer answer reached it.',
  ],
]

export const anneals: readonly Case[] = [
  [
    'cut-rise',
    { step: 2_300, toStep: 2_400, before: 6_000, from: 0.21, to: 0.24, keptStep: 1_960 },
    'The anneal is cut short at step 2,300 and ends at 2,400 instead of 6,000, from the averaged weights of step 1,960: held-out loss of the averaged weights has risen from 0.21 to 0.24, so more steps would only memorise.',
    { kind: 'lower' },
  ],
  [
    'cut-rise',
    { step: 2_300, toStep: 2_400, before: 6_000, from: 0.21, to: 0.24, keptStep: null },
    'The anneal is cut short at step 2,300 and ends at 2,400 instead of 6,000: held-out loss of the averaged weights has risen from 0.21 to 0.24, so more steps would only memorise.',
    { kind: 'lower' },
  ],
  [
    'kept-not-restored',
    { step: 2_310, rate: 0.01 },
    'The earlier weights could not be restored (gone): the anneal is cut short from the present ones.',
    { kind: 'lower', text: 'gone', phase: { from: 'anneal', to: 'anneal' } },
  ],
  [
    'kept-not-restored',
    { step: 2_310, rate: 0.01 },
    'The earlier weights could not be restored: the large step goes on from the present ones.',
  ],
  [
    'undone-by-hand',
    { step: 1_000, rate: 0.02, climbSteps: 20 },
    'Switch undone at step 1,000 (to see): back to 0.02 over 20 steps.',
    { kind: 'undo', person },
  ],
  [
    'undone-longer',
    { step: 1_000, rate: 0.02, climbSteps: 1 },
    'Switch undone at step 1,000 (the budget is longer): back to 0.02 over 1 step.',
    { kind: 'undo' },
  ],
]
