// dlib's rule: the rate shrinks once a line through the last `threshold` training losses no longer falls with
// probability .51, and neither does the line without the largest tenth of them. After a shrink the oldest
// dumpAmount + threshold/10 losses are forgotten, so the next one takes at least as many more.
// The line is fitted backwards by recursive least squares from R = 10⁶·I, w = 0:
//   t = 1 + xᵀRx,  R ← R − (Rx)(Rx)ᵀ/t,  w ← w + Rx·(y − xᵀw),  s ← s + (y − xᵀw)²·t,  x = (n, 1);
//   standard error of the slope √(s/(n−2) · 12/(n³−n));  "falls" if Φ(slope/error) ≥ .51.
// Source: dnn_trainer and running_gradient.h of dlib 20.0.1; defaults are its own (2,000 losses; tests every
// threshold/200 steps, so that a step costs O(1)). dlib asks for each suffix of the window; only the answer for the
// whole window can reach the threshold, so only that is computed. A loss that is not finite holds the rule back
// until it has left the window, as there. Its second window, of 500 test losses, is left out: no run here has so many.
// `blockSteps` above 1 replaces each so many losses by their mean, for a decision record's small state.

import { type Rows, wholeOption } from '../estimators/estimator.ts'
import { checkedRate, type Rival } from './rival.ts'

type Options = {
  /** In steps. */
  readonly threshold: number
  /** In steps. */
  readonly dumpAmount: number
  readonly blockSteps: number
}
export type DlibSlopeState = {
  readonly options: Options
  readonly learningRate: number
  /** Losses, or means of blocks of them, oldest first; null = not finite. */
  readonly window: readonly (number | null)[]
  readonly blockSum: number
  readonly blockCount: number
  /** Steps since the last test, times 200. */
  readonly budget: number
  readonly firstLoweredStep: number | null
}

const shrink = 0.1
/** Training ends once the rate is below this. */
const minRate = 1e-5
/** Φ(.02506890825871106) = .51, dlib's probability of decrease. */
const certainty = 0.02506890825871106
const budgetPerStep = 200
const shareDiscarded = 0.1

export const dlibSlope: Rival<Partial<Options> & { readonly initialRate: number }, DlibSlopeState> = {
  name: 'dlib slope test',
  reads: ['loss'],
  init: ({ initialRate, threshold = 2_000, dumpAmount = 400, blockSteps = 1 }) => ({
    options: { threshold: wholeOption('threshold', threshold, 3), dumpAmount, blockSteps },
    learningRate: checkedRate(initialRate),
    window: [],
    blockSum: 0,
    blockCount: 0,
    budget: 0,
    firstLoweredStep: null,
  }),
  update(state, observation) {
    if (observation.kind !== 'step') return state
    const blockSum = state.blockSum + observation.loss
    const blockCount = state.blockCount + 1
    if (blockCount < state.options.blockSteps) return withinBlock(state, blockSum, blockCount)
    return withBlock(state, blockSum / blockCount, observation.step)
  },
  read: ({ learningRate, firstLoweredStep }) => ({
    learningRate,
    firstLoweredStep,
    isStopped: learningRate < minRate,
  }),
}

/** The losses of rows, finite, one by one; once it has lowered the rate it rests. */
export function slopeOver(
  before: DlibSlopeState,
  steps: readonly number[],
  losses: readonly (number | null)[],
  { from, to }: Rows,
): DlibSlopeState {
  let state = before
  let { blockSum, blockCount } = state
  const { blockSteps } = state.options
  for (let i = from; i < to && state.firstLoweredStep === null; i++) {
    blockSum += losses[i]!
    if (++blockCount < blockSteps) continue
    state = withBlock(state, blockSum / blockCount, steps[i]!)
    ;({ blockSum, blockCount } = state)
  }
  return withinBlock(state, blockSum, blockCount)
}

/** Fields are named, as this is every step: spreading them takes longer. */
const withinBlock = (state: DlibSlopeState, blockSum: number, blockCount: number): DlibSlopeState => ({
  options: state.options,
  learningRate: state.learningRate,
  window: state.window,
  blockSum,
  blockCount,
  budget: state.budget,
  firstLoweredStep: state.firstLoweredStep,
})

function withBlock(state: DlibSlopeState, loss: number, step: number): DlibSlopeState {
  const { threshold, blockSteps, dumpAmount } = state.options
  const size = Math.floor(threshold / blockSteps)
  const window = state.window.slice(Math.max(0, state.window.length + 1 - size))
  window.push(Number.isFinite(loss) ? loss : null)
  const budget = state.budget + budgetPerStep * blockSteps
  const next = { ...state, window, blockSum: 0, blockCount: 0, budget }
  if (budget <= threshold) return next
  if (window.length < size || !hasStalled(window)) return { ...next, budget: 0 }
  return {
    ...next,
    budget: 0,
    window: window.slice(Math.floor((dumpAmount + Math.floor(threshold / 10)) / blockSteps)),
    learningRate: shrink * state.learningRate,
    firstLoweredStep: state.firstLoweredStep ?? step + 1,
  }
}

function hasStalled(window: readonly (number | null)[]): boolean {
  if (window.includes(null)) return false
  const losses = window as readonly number[]
  return !isFalling(losses) && !isFalling(withoutLargest(losses))
}

/** Those up to the upper quantile, in their order; equal ones stay. */
function withoutLargest(losses: readonly number[]): number[] {
  const place = Math.round((losses.length - 1) * (1 - shareDiscarded))
  const largest = [...losses].sort((a, b) => a - b)[place]!
  return losses.filter((loss) => loss <= largest)
}

/** What the fit takes from R at each of so many losses, which follows from their number alone: t, and Rx of the new R. */
type Gains = {
  readonly t: readonly number[]
  readonly slope: readonly number[]
  readonly intercept: readonly number[]
}

function gainsOf(count: number): Gains {
  let [r00, r01, r11] = [1e6, 0, 1e6]
  const gains = { t: [] as number[], slope: [] as number[], intercept: [] as number[] }
  for (let n = 0; n < count; n++) {
    const t = 1 + ((n * r00 + r01) * n + (n * r01 + r11))
    const [a, b] = [r00 * n + r01, r01 * n + r11]
    r00 -= (a * a) / t
    r01 -= (a * b) / t
    r11 -= (b * b) / t
    gains.t.push(t)
    gains.slope.push(r00 * n + r01)
    gains.intercept.push(r01 * n + r11)
  }
  return gains
}

/** Of the longest window that was asked for: the gains of a shorter one are their beginning. */
let gains = gainsOf(0)

/** Whether losses, oldest first, fall with the certainty asked for: backwards in time they rise. */
function isFalling(losses: readonly number[]): boolean {
  if (losses.length > gains.t.length) gains = gainsOf(losses.length)
  const { t, slope: slopeGain, intercept: interceptGain } = gains
  let [slope, intercept, squares] = [0, 0, 0]
  for (let n = 0; n < losses.length; n++) {
    const y = losses[losses.length - 1 - n]!
    const error = y - (n * slope + intercept)
    slope += slopeGain[n]! * error
    intercept += interceptGain[n]! * error
    squares += (y - (n * slope + intercept)) ** 2 * t[n]!
  }
  const n = losses.length
  if (n <= 2) return false
  const deviation = Math.sqrt((squares / (n - 2)) * (12 / (n ** 3 - n)))
  return deviation === 0 ? slope > 0 : slope / deviation >= certainty
}
