// Averaged losses with a known drift and noise of a known kind, to see how often a sequential test errs and how soon it
// fires. The noise is either in what each step takes off (`steps`: the loss wanders) or in the measured levels
// (`levels`: each probe is off by itself). All noises have mean 0 and standard deviation 1.

import {
  foldSequentialProbe,
  initialSequentialTest,
  readSequentialTest,
  type SequentialParts,
} from '../estimators/sequentialTest.ts'
import { normals, type Random, random } from './random.ts'

export const noiseKinds = ['normal', 'student-t3', 'ar-0.5', 'ar-0.8'] as const
export type NoiseKind = (typeof noiseKinds)[number]
export const noisePlaces = ['steps', 'levels'] as const
export type NoisePlace = (typeof noisePlaces)[number]

export type NoisyProbes = {
  readonly kind: NoiseKind
  readonly place: NoisePlace
  /** Drift and deviation in units of δ, which is 1 a probe. */
  readonly drift: number
  readonly deviation: number
}
export type SimulatedTest = { readonly fired: boolean; readonly looks: number; readonly probes: number }

export function noiseOf(kind: NoiseKind, seed: number): Random {
  const normal = normals(random(seed))
  if (kind === 'normal') return normal
  if (kind === 'student-t3') {
    // Student's t of 3 degrees of freedom has variance 3.
    return () => normal() / Math.sqrt((normal() ** 2 + normal() ** 2 + normal() ** 2) / 3) / Math.sqrt(3)
  }
  const r = kind === 'ar-0.5' ? 0.5 : 0.8
  let value = normal()
  return () => {
    value = r * value + Math.sqrt(1 - r * r) * normal()
    return value
  }
}

/** One run until the test fires, or has looked so often, or the probes are used up. */
export function simulatedTest(
  { kind, place, drift, deviation }: NoisyProbes,
  options: { seed: number; looksMax: number; probesMax: number; parts?: SequentialParts },
): SimulatedTest {
  const noise = noiseOf(kind, options.seed)
  let state = initialSequentialTest
  let level = 0
  for (let step = 1; step <= options.probesMax; step++) {
    const error = deviation * noise()
    level -= place === 'steps' ? drift + error : drift
    const averagedLoss = place === 'steps' ? level : level + error
    const before = state.lookCount
    state = foldSequentialProbe(state, { step, averagedLoss, tolerancePerStep: 1 }, options.parts)
    if (state.lookCount === before) continue
    const { satisfied, lookCount: looks } = readSequentialTest(state)
    if (satisfied || looks >= options.looksMax) return { fired: satisfied, looks, probes: step }
  }
  return { fired: false, looks: state.lookCount, probes: options.probesMax }
}

/** How many of so many seeded runs fire, and the median number of looks and probes of those that do. */
export function simulatedRate(
  probes: NoisyProbes,
  options: { runs: number; looksMax: number; probesMax: number; parts?: SequentialParts },
): {
  readonly rate: number
  readonly fired: number
  readonly medianLooks: number | null
  readonly medianProbes: number | null
} {
  const results = Array.from({ length: options.runs }, (_, seed) =>
    simulatedTest(probes, { ...options, seed }),
  )
  const fired = results.filter((result) => result.fired)
  return {
    rate: fired.length / options.runs,
    fired: fired.length,
    medianLooks: middleOf(fired.map(({ looks }) => looks)),
    medianProbes: middleOf(fired.map((result) => result.probes)),
  }
}

const middleOf = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
