// Sentences of branches, by key, numbers and what else a record has.

import { type Case, person } from './told.ts'

const promised = { value: 0.23, standardError: 0.008, low: 0.211, high: 0.242 }
const asked = { fromStep: 1_200, steps: 300, rate: 0.05 }
const ended = { number: 7, fromStep: 1_200, steps: 300 }

export const branches: readonly Case[] = [
  [
    'branch-begun',
    asked,
    'Branch from step 1,200: a copy is annealed from 0.05 over 300 steps, and the run goes on as it was (to see). Expected final loss: 0.23 (0.211 to 0.242).',
    { kind: 'branch', person, promised },
  ],
  [
    'branch-begun',
    asked,
    'Branch from step 1,200: a copy is annealed from 0.05 over 300 steps, and the run goes on as it was.',
    { kind: 'branch', promised: null },
  ],
  [
    'branch-reached',
    { ...ended, loss: 0.238 },
    'The branch from step 1,200 is done after 300 steps: held-out loss 0.238. 0.211 to 0.242 was promised, and 0.238 reached.',
    { kind: 'branch', promised, reached: 0.238, isInside: true },
  ],
  [
    'branch-reached',
    { ...ended, loss: null },
    'The branch from step 1,200 is done after 300 steps; its held-out loss was not measured.',
    { kind: 'branch', promised, reached: null },
  ],
  [
    'branch-broken',
    { ...ended, loss: null },
    'The branch from step 1,200 is done after 300 steps; its held-out loss is not finite.',
    { kind: 'branch', promised, reached: null },
  ],
  [
    'branch-failed',
    ended,
    'The branch from step 1,200 failed (MemoryError: no room); the run goes on as it was.',
    { kind: 'branch', text: 'MemoryError: no room' },
  ],
  [
    'branch-lost',
    ended,
    'The branch from step 1,200 is lost: the job was started again before it was done.',
    { kind: 'branch' },
  ],
  [
    'branch-left',
    ended,
    'The branch from step 1,200 is left: the run ended before it was done.',
    { kind: 'branch' },
  ],
]

export const refusals: readonly Case[] = [
  [
    'noted-branch-not-offered',
    {},
    'Nothing done: the job does not offer to anneal a copy (capability branch).',
  ],
  [
    'noted-branch-not-steered',
    {},
    'Nothing done: in mode advisory the job keeps its own rate, so no copy of it is annealed.',
    { text: 'advisory' },
  ],
  [
    'noted-branch-racing',
    {},
    'Nothing done: rates are still tried against each other; a copy is annealed from the large step.',
  ],
  ['noted-branch-paused', {}, 'Nothing done: the run is paused; a copy is annealed once it goes on.'],
  [
    'noted-branch-restoring',
    {},
    'Nothing done: earlier weights are being restored; a copy is annealed once they are.',
  ],
  [
    'noted-branch-climbing',
    { toStep: 150 },
    'Nothing done: the rate still climbs, until step 150; a copy is annealed from the large step.',
  ],
  [
    'noted-branch-open',
    { fromStep: 1_200 },
    'Nothing done: the branch from step 1,200 is not done yet, and one is annealed at a time.',
  ],
  [
    'noted-branch-full',
    { count: 16 },
    'Nothing done: 16 copies of this run were annealed, the most that are kept.',
  ],
  [
    'noted-branch-too-long',
    { steps: 5_000, most: 1_200 },
    'Nothing done: a copy is annealed over no more steps than the run has taken, and 5,000 steps are more than 1,200.',
  ],
]
