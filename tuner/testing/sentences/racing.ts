// Sentences of starts and of the search for the large rate, by key, numbers and what else a record has.

import type { Case } from './told.ts'

export const races: readonly Case[] = [
  [
    'start-race',
    { length: 3_000, rate: 0.03, isGiven: 0 },
    "Starting for 3,000 steps with a race: 0.03, the optimizer's usual rate, against rates above and below it, from the same weights.",
    { kind: 'start' },
  ],
  [
    'start-race',
    { length: null, rate: 0.1, isGiven: 1 },
    'Starting without a budget with a race: 0.1, the given rate, against rates above and below it, from the same weights.',
    { kind: 'start' },
  ],
  [
    'start-given',
    { length: 3_000, rate: 0.1, isShort: 1 },
    'Starting for 3,000 steps at the given rate 0.1; its budget and limits leave no room for a race.',
    { kind: 'start' },
  ],
  [
    'start-given',
    { length: 3_000, rate: 0.1, isKept: 1, deadline: 2_700 },
    'Starting for 3,000 steps at the given rate 0.1; in approve mode a given rate is kept. Changes of this plan wait for approval; without an answer the anneal starts at step 2,700.',
    { kind: 'start', mode: 'approve' },
  ],
  [
    'start-given',
    { length: null, rate: 0.1, isKept: 1, deadline: null },
    'Starting without a budget at the given rate 0.1; in approve mode a given rate is kept. Changes of this plan wait for approval, for as long as that takes.',
    { kind: 'start', mode: 'approve' },
  ],
  [
    'start-race',
    { length: 20_000, rate: 0.001, isGiven: 1, tokensPerStep: 524_288 },
    'Starting for 20,000 steps of 524,288 tokens with a race: 0.001, the given rate, against rates above and below it, from the same weights.',
    { kind: 'start' },
  ],
  [
    'start-race',
    { length: null, rate: 0.001, isGiven: 1, tokensPerStep: 524_288 },
    'Starting without a budget, in steps of 524,288 tokens, with a race: 0.001, the given rate, against rates above and below it, from the same weights.',
    { kind: 'start' },
  ],
  [
    'start-usual',
    { length: 3_000, rate: 0.001 },
    "Starting for 3,000 steps at 0.001, the optimizer's usual rate and not a measured one; racing other rates needs the capabilities checkpoint and rewind, or checkpoint, heldOutLoss and averagedWeights.",
    { kind: 'start' },
  ],
  [
    'start-off',
    { length: 3_000 },
    'Watching only, for 3,000 steps: signals are recorded, no advice is given.',
    { kind: 'start', mode: 'off' },
  ],
  [
    'start-advisory',
    { length: null },
    'Advice only, without a budget: the job keeps its own rate.',
    { kind: 'start', mode: 'advisory' },
  ],
  [
    'rate-kept',
    { rate: 0.03, arms: 3, slowest: 0.01, fastest: 0.09, steps: 120 },
    'Keeping 0.03: of 3 rates from 0.01 to 0.09 none was clearly better; 120 steps of search.',
  ],
  [
    'rate-kept',
    { rate: 0.03, arms: 4, slowest: 0.03, fastest: 0.81, optimum: 0.32, steps: 160 },
    'Keeping 0.03: of 4 rates from 0.03 to 0.81 arms did best near 0.32, which so short arms say of rates that are too large; 160 steps of search.',
  ],
  [
    'rate-found',
    { rate: 0.0675, arms: 4, slowest: 0.01, fastest: 0.27, optimum: 0.135, diverged: 1, steps: 160 },
    'Large step 0.068: of 4 rates from 0.01 to 0.27, arms did best near 0.135, and 1 diverged; 160 steps of search.',
    { kind: 'raise' },
  ],
  [
    'all-diverged',
    { rate: 4.1e-6, slowest: 4.1e-5, arms: 7, steps: 95 },
    'Large step 4.1e-6, a tenth of the slowest rate tried and not a measured one: every rate of the race diverged, down to 4.1e-5.',
    { kind: 'lower' },
  ],
  [
    'search-left',
    { rate: 0.03, steps: 250 },
    'Large step 0.03, not measured: the race was cut short, because the job trained on without an answer.',
  ],
  [
    'search-overridden',
    { rate: 0.03, steps: 60 },
    'Large step 0.03, not measured: the race was cut short, because the rate was set by hand.',
  ],
  [
    'not-restored',
    { rate: 0.03, steps: 40 },
    'Large step 0.03, not measured: the race was cut short, because a checkpoint could not be made or restored (gone).',
    { text: 'gone' },
  ],
  [
    'start-not-restored',
    { rate: 0.03, step: 120 },
    'The weights of the start could not be restored (gone): the present ones go on at 0.03.',
    { text: 'gone' },
  ],
]
