// The rules against their reference implementations: the rate after every loss of seeded sequences, which the
// programs in oracles/ computed with PyTorch, transformers and dlib. All are exact: the rules do the same operations
// on the same doubles in the same order.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lossSequence, type SequenceOptions } from '../testing/lossSequences.ts'
import { dlibSlope } from './dlibSlope.ts'
import { greedyLR } from './greedyLR.ts'
import { reduceOnPlateau } from './reduceOnPlateau.ts'
import type { Rival, RivalObservation } from './rival.ts'

type Settings = Readonly<Record<string, number | string | boolean>>
type Case = {
  readonly sequence: SequenceOptions
  readonly settings: Settings
  readonly changes: readonly (readonly [number, number])[]
}

function oracle(name: string): { rate: number; cases: readonly Case[] } {
  return JSON.parse(readFileSync(new URL(`oracles/${name}.json`, import.meta.url), 'utf8'))
}

/** The reference's settings under our names. */
const optionsOf = ({ min_lr, ...settings }: Settings): object =>
  min_lr === undefined ? settings : { ...settings, minRate: min_lr }

/** Where a rule changes the rate: [index of the loss, rate after it]. */
function changesOf<O, S>(rival: Rival<O, S>, options: O, observed: readonly RivalObservation[]) {
  let state = rival.init(options)
  let before = rival.read(state, 0).learningRate
  const changes: [number, number][] = []
  for (const [index, observation] of observed.entries()) {
    state = rival.update(state, observation)
    const { learningRate } = rival.read(state, observation.step + 1)
    if (learningRate !== before) changes.push([index, learningRate])
    before = learningRate
  }
  return { changes, firstLoweredStep: rival.read(state, observed.length).firstLoweredStep }
}

/** Held-out losses after 1, 2, … steps, so that both kinds of observation take the rate to the same step. */
const probes = (losses: readonly number[]): RivalObservation[] =>
  losses.map((heldOutLoss, index) => ({ kind: 'probe', step: index + 1, heldOutLoss }))
const steps = (losses: readonly number[]): RivalObservation[] =>
  losses.map((loss, step) => ({ kind: 'step', step, loss, weightNormSquared: null }))

function check(
  name: string,
  run: (options: object, losses: readonly number[]) => ReturnType<typeof changesOf>,
) {
  const { rate, cases } = oracle(name)
  expect(cases.length).toBeGreaterThanOrEqual(14)
  for (const { sequence, settings, changes } of cases) {
    const where = JSON.stringify({ ...sequence, ...settings })
    const options = { initialRate: rate, ...optionsOf(settings) }
    const found = run(options, lossSequence(sequence))
    expect(found.changes, where).toEqual(changes)
    const first = changes.find(([, after], i) => after < (changes[i - 1]?.[1] ?? rate))
    expect(found.firstLoweredStep, where).toBe(first === undefined ? null : first[0] + 1)
  }
}

describe('rivals and their references', () => {
  it('ReduceLROnPlateau: the rates of PyTorch on 14 sequences', () => {
    check('plateau', (options, losses) =>
      changesOf(reduceOnPlateau, options as Parameters<typeof reduceOnPlateau.init>[0], probes(losses)),
    )
  })

  it('GreedyLR: the rates of transformers on 14 sequences', () => {
    check('greedy', (options, losses) =>
      changesOf(greedyLR, options as Parameters<typeof greedyLR.init>[0], probes(losses)),
    )
  })

  it('dlib: the rates of its own trainer on 42 sequences', () => {
    check('dlib', (options, losses) =>
      changesOf(dlibSlope, options as Parameters<typeof dlibSlope.init>[0], steps(losses)),
    )
  })
})
