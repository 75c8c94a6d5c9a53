// SASA+: the rate drops once the weights' squared norm has come to rest. For SGD, with d the step's direction,
//   E[⟨x_{k+1}, d_k⟩ + (α/2)‖d_k‖²] = 0 in equilibrium; that statistic is (‖x_k‖² − ‖x_{k+1}‖²)/(2α),
// so it needs nothing but ‖w‖² after each step. Kept are the newest eighth of the values since the last drop. Each
// `testSteps` steps, with more than `countMin` values and past the warm-up: the confidence intervals of both halves
// (for the first drop) or of the whole must contain 0, and the halves' means have one sign.
// Source: Zhang, Lang, Liu & Xiao 2020, "Statistical Adaptive Stochastic Gradient Methods"; the package statopt 0.2,
// whose defaults these are. Its default variance, "mb", is none that its test knows and falls to that of independent
// values, so that is the default here; "batchMeans" is what the paper means, and what the package's constructor refuses.
// Not done here: at a drop the package also sets the momentum buffer to 0, which is the optimizer's business.
// A norm that is missing or not finite leaves a gap. Cost: O(values kept) per step; a bench rule, its state grows.

import { wholeOption } from '../../tuner/estimators/estimator.ts'
import { checkedRate, type Rival } from '../../tuner/rivals/rival.ts'

export type SasaOptions = {
  readonly initialRate: number
  readonly warmup?: number
  readonly dropFactor?: number
  /** Normal quantile of the two-sided level: 1.96 for the published 5 %. */
  readonly normalQuantile?: number
  readonly variance?: 'independent' | 'batchMeans'
  readonly leakRatio?: number
  readonly countMin?: number
  readonly testSteps?: number
}

export type SasaState = {
  readonly options: Required<Omit<SasaOptions, 'initialRate'>>
  readonly learningRate: number
  readonly values: readonly number[]
  /** Values since the last drop, those that have leaked among them. */
  readonly valueCount: number
  /** Of the step before. */
  readonly normSquared: number | null
  readonly firstLoweredStep: number | null
}

export const sasa: Rival<SasaOptions, SasaState> = {
  name: 'SASA+',
  reads: ['weightNormSquared'],
  init: ({ initialRate, ...given }) => {
    const options = {
      warmup: 1_000,
      dropFactor: 10,
      normalQuantile: 1.959963984540054,
      variance: 'independent' as const,
      leakRatio: 8,
      countMin: 1_000,
      testSteps: 100,
      ...given,
    }
    for (const name of ['warmup', 'leakRatio', 'countMin', 'testSteps'] as const)
      wholeOption(name, options[name], name === 'warmup' ? 0 : 1)
    return {
      options,
      learningRate: checkedRate(initialRate),
      values: [],
      valueCount: 0,
      normSquared: null,
      firstLoweredStep: null,
    }
  },
  update(state, observation) {
    if (observation.kind !== 'step') return state
    const normSquared = observation.weightNormSquared
    if (normSquared === null || !Number.isFinite(normSquared)) return { ...state, normSquared: null }
    const next = { ...state, normSquared }
    if (state.normSquared === null) return next
    return tested(
      withValue(next, (state.normSquared - normSquared) / (2 * state.learningRate)),
      observation.step,
    )
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}

function withValue(state: SasaState, value: number): SasaState {
  const isKept = state.valueCount % state.options.leakRatio === 0
  const values = [...(isKept ? state.values : state.values.slice(1)), value]
  return { ...state, values, valueCount: state.valueCount + 1 }
}

function tested(state: SasaState, step: number): SasaState {
  const { warmup, countMin, testSteps, dropFactor } = state.options
  const isTime = state.values.length > countMin && (step + 1) % testSteps === 0
  if (!isTime || step + 1 <= warmup || !isStationary(state)) return state
  return {
    ...state,
    learningRate: state.learningRate / dropFactor,
    values: [],
    valueCount: 0,
    firstLoweredStep: state.firstLoweredStep ?? step + 1,
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function isStationary({ values, options, firstLoweredStep }: SasaState): boolean {
  const { deviation, degrees } = options.variance === 'independent' ? spread(values) : batchSpread(values)
  const halfWidth = (deviation * studentQuantile(options.normalQuantile, degrees)) / Math.sqrt(values.length)
  const middle = Math.floor(values.length / 2)
  const halves = [meanOf(values.slice(0, middle)), meanOf(values.slice(middle))] as const
  const judged = firstLoweredStep === null ? halves : [meanOf(values)]
  return judged.every((mean) => Math.abs(mean) < halfWidth) && halves[0] * halves[1] > 0
}

type Spread = { readonly deviation: number; readonly degrees: number }

function spread(values: readonly number[]): Spread {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { deviation: Math.sqrt(squares / (values.length - 1)), degrees: values.length - 1 }
}

/** Non-overlapping batches of √n values: their means' scatter, scaled back to one value. */
function batchSpread(values: readonly number[]): Spread {
  const size = Math.floor(Math.sqrt(values.length))
  const count = Math.floor(values.length / size)
  const mean = meanOf(values)
  let squares = 0
  for (let i = 0; i < count; i++) squares += (meanOf(values.slice(i * size, (i + 1) * size)) - mean) ** 2
  return { deviation: Math.sqrt((size / (count - 1)) * squares), degrees: size - 1 }
}

/** Student's quantile from the normal one (Fisher's expansion; Abramowitz & Stegun 26.7.5): 10⁻⁵ at 9 degrees. */
function studentQuantile(z: number, degrees: number): number {
  const z2 = z * z
  const terms = [
    (z2 + 1) / 4,
    ((5 * z2 + 16) * z2 + 3) / 96,
    (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
    ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92_160,
  ]
  return z * terms.reduce((sum, term, i) => sum + term / degrees ** (i + 1), 1)
}
