// Sentences of holds, and of the ends of questions, by key, numbers and what else a record has.

import { type Case, person } from './told.ts'

const sides = { staying: 0.0213, annealing: 0.0134 }
export const holds: readonly Case[] = [
  [
    'few-probes',
    { rate: 0.02, count: 5, needed: 8 },
    'Holding the large step at 0.02: not enough evidence yet (5 of 8 probes).',
  ],
  [
    'staying-gains',
    { rate: 0.02, ...sides, probability: 0.1, earliestStep: 1_400 },
    'Holding the large step at 0.02: staying still gains more than annealing (0.021 vs 0.013).',
  ],
  [
    'hits',
    { rate: 0.02, met: 1, needed: 2 },
    'Holding the large step at 0.02: annealing gains as much at 1 of 2 probes needed.',
  ],
  [
    'too-early',
    { rate: 0.02, earliest: 750 },
    'Holding the large step at 0.02: annealing gains as much, but before step 750 a switch has not been shown to pay.',
  ],
  [
    'no-gain',
    { rate: 0.02 },
    'Holding the large step at 0.02: no gain of annealing is measured: neither averaged weights nor gradient noise show one.',
  ],
  [
    'blind',
    { rate: 0.02, fallback: 900 },
    'Holding the large step at 0.02: nothing that is reported says what annealing would gain, so the fallback plan anneals from step 900 on.',
  ],
  [
    'blind',
    { rate: 0.02, fallback: null },
    'Advice: hold the large step at 0.02: nothing that is reported says what annealing would gain.',
    { mode: 'advisory' },
  ],
  [
    'by-hand',
    { rate: 0.02, untilStep: 1_200 },
    'Would hold 0.02 if it were not set by hand: the rate is set by hand until step 1,200.',
  ],
  [
    'asked',
    { rate: 0.02, number: 12, expiresAtStep: 1_100 },
    'Holding the large step at 0.02: decision 12 awaits approval until step 1,100.',
  ],
  [
    'refused',
    { rate: 0.02, fromStep: 1_100 },
    'Holding the large step at 0.02: annealing was refused by hand, and is asked for again from step 1,100 on.',
  ],
  [
    'still-worth',
    { rate: 0.02, gain: 0.0123, error: 0.00234, worth: 0.00567 },
    'Holding the large step at 0.02: as many steps again would take off 0.0123 ± 0.00234, and are worth it down to 0.00567.',
  ],
  [
    'enough-hits',
    { rate: 0.02, met: 1, needed: 2 },
    'Holding the large step at 0.02: going on is worth it no more at 1 of 2 probes needed.',
  ],
  [
    'probes-too-dear',
    { stepsEach: 1_167.3, probes: 3, needed: 8, fallback: 1_800 },
    'A probe takes as long as 1,167 steps, so only 3 of the 8 that the rule needs fit into their share of the time: unless they get faster, the fallback plan anneals from step 1,800 on.',
  ],
]

export const proposals: readonly Case[] = [
  [
    'proposal-refused',
    { number: 12, steps: 20, loss: 0.0012, askedFromStep: 1_120 },
    'Decision 12 is rejected: refused by hand (to see), and asked again at step 1,120 at the earliest. Waiting took 20 steps and, by the fitted curve, cost 0.0012 of the final loss.',
    { person },
  ],
  [
    'proposal-unanswered',
    { number: 12, steps: 200, loss: -0.003 },
    'Decision 12 is expired: nobody answered. Waiting took 200 steps and, by the fitted curve, gained 0.003 of the final loss.',
  ],
  [
    'proposal-unasked',
    { number: 12, steps: 1, loss: null },
    'Decision 12 is expired: the evidence no longer asks for it. Waiting took 1 step; what they cost is not known.',
  ],
  [
    'proposal-overtaken',
    { number: 12, steps: 30, loss: null },
    'Decision 12 is superseded: something else was decided. Waiting took 30 steps; what they cost is not known.',
  ],
]
