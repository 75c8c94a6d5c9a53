// One sentence for every reason that a record may have.

import { describe, expect, it } from 'vitest'
import * as annealing from '../testing/sentences/annealing.ts'
import * as branching from '../testing/sentences/branching.ts'
import * as ending from '../testing/sentences/ending.ts'
import * as guarding from '../testing/sentences/guarding.ts'
import * as racing from '../testing/sentences/racing.ts'
import { type Case, told } from '../testing/sentences/told.ts'
import * as waiting from '../testing/sentences/waiting.ts'
import { type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'
import { reasonKeys, say } from './say.ts'
import { sayWhyNotYet } from './sayHold.ts'

const all: Readonly<Record<string, readonly Case[]>> = {
  ...waiting,
  ...annealing,
  ...branching,
  ...racing,
  ...guarding,
  ...ending,
}
const cases = Object.values(all).flat()

describe('a record in a sentence', () => {
  for (const [name, list] of Object.entries(all))
    it.each(list.map((entry) => [entry[0], entry] as const))(`of ${name}: %s`, (_, entry) => {
      const [key, values, sentence, more] = entry
      expect(say(told(key, values, more))).toBe(sentence)
    })

  it('is there for every reason that a record may have, and no sentence for one that it may not', () => {
    expect(new Set(cases.map(([key]) => key))).toEqual(new Set(reasonKeys))
  })

  it('begins with a capital and ends with a period, and has no number that cannot be read', () => {
    for (const [key, values, , more] of cases) {
      const sentence = say(told(key, values, more))
      expect(sentence).toMatch(/^[A-Z](?!.*(undefined|NaN|null|\.\.)).*\.$/)
      expect(sentence).not.toMatch(/\d\.\d{7,}/)
      // What a record lacks is left out, and never told as a number that it is not.
      expect(say(told(key, {}, more))).not.toMatch(/undefined|NaN|null/)
    }
  })
})

describe('why it is not yet time', () => {
  it.each([
    [
      'staying-gains',
      { probability: 0.1, earliestStep: 1_400 },
      '10 % chance that annealing already gains as much; the two meet at about step 1,400.',
    ],
    ['staying-gains', { probability: null, earliestStep: 1_400 }, 'The two meet at about step 1,400.'],
    ['asked', { number: 12, expiresAtStep: 1_100 }, 'Decision 12 awaits approval until step 1,100.'],
    ['few-probes', { count: 5, needed: 8 }, 'Not enough evidence yet (5 of 8 probes).'],
  ])('is the reason of a hold, as a sentence: %s', (key, values, sentence) => {
    expect(sayWhyNotYet({ key, values })).toBe(sentence)
  })

  it('is nothing for what holds nothing', () => {
    for (const key of ['anneal-rule', 'paused', 'drift'])
      expect(sayWhyNotYet({ key, values: {} })).toBeUndefined()
  })
})

describe('the decisions of whole runs', () => {
  it.each<[string, Partial<SyntheticOptions>]>([
    ['a search', { learningRate: null }],
    ['a given rate', { learningRate: 0.03 }],
    ['the loss alone', { learningRate: 0.03, capabilities: [] }],
    ['advice', { learningRate: 0.03, mode: 'advisory' }],
    ['approval', { learningRate: 0.03, mode: 'approve' }],
    ['no budget', { learningRate: 0.03, budgetSteps: null, stepCount: 2_000 }],
  ])('say what they do in sentences, for reasons that are known: %s', (_, options) => {
    const { decisions } = syntheticRun({ seed: 1, budgetSteps: 1_000, ...options })
    for (const { summary, whyNotYet, reason } of decisions) {
      expect(reasonKeys).toContain(reason.key)
      for (const sentence of [summary, whyNotYet ?? 'Now.'])
        expect(sentence).toMatch(/^[A-Z\d](?!.*(undefined|NaN|null|\.\.)).*\.$/)
    }
  })
})
