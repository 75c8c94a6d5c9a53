// How a held-out loss scatters from probe to probe, in shares of itself. Each noise has mean 0 and standard deviation 1, by
// the step of the probe; steps are asked for in order.

import { normals, random } from '../../tuner/testing/random.ts'
import { type NoiseKind, noiseOf } from './drawn.ts'

export type ValidationNoise = (step: number) => number

/** Other examples at each probe, drawn from a population with tails or without, or with neighbours that are alike. */
const drawn =
  (kind: NoiseKind) =>
  (seed: number): ValidationNoise =>
    noiseOf(kind, seed)

/** Part of the variance that moves with the weights where the same few examples are scored each time; the rest is there from
 *  the first probe to the last. */
const movingPart = 0.1
/** It is forgotten over this share of the budget. */
const memoryShare = 0.1

function sameExamples(seed: number, budgetSteps: number): ValidationNoise {
  const draw = normals(random(seed))
  const offset = draw()
  let [value, last] = [draw(), 0]
  return (step) => {
    const kept = Math.exp(-(step - last) / (memoryShare * budgetSteps))
    value = kept * value + Math.sqrt(1 - kept ** 2) * draw()
    last = step
    return Math.sqrt(1 - movingPart) * offset + Math.sqrt(movingPart) * value
  }
}

export const validationNoises = {
  'other examples each time': drawn('normal'),
  'heavy tails': drawn('student-t3'),
  'neighbours alike': drawn('ar-0.5'),
  'the same few examples': sameExamples,
} as const satisfies Record<string, (seed: number, budgetSteps: number) => ValidationNoise>
export type ValidationKind = keyof typeof validationNoises
export const validationKinds = Object.keys(validationNoises) as ValidationKind[]

export const validationScatters = [0.01, 0.02, 0.05, 0.1, 0.2] as const
