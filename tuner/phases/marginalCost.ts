// The switch rule for a run with a budget: compare what staying still gains with what annealing gains.
//
// Notation: T the budget, t steps taken, R = T − t; P(S) the held-out loss of averaged weights, fitted over the
// run's length S in large-step equivalents; p = −dP/dS its slope. The final loss of "large until t, then
// linear to 0" is J(t) = P(S at t + R/2) + N(R), as the ramp is worth R/2 full steps, and the noise that an
// anneal of R steps leaves is N(R) ≈ N₀ − b·ln R. Setting dJ/dR = 0 gives: switch when R·p(t + R/2) ≤ 2·b.
// Left is what staying still gains, right what annealing gains; both are losses, so multiplying all losses by a
// constant, or adding one, leaves the switch where it is.
// b comes from gradient noise and curvature (.3·G), from averaged weights (.6·D), or is their geometric mean.
// Source: derived here; constants from bench/records/2026-11-24-prototype/README.md.
// Cost: 40 evaluations of the fit.

import { errorFunction } from 'simple-statistics'
import type { Estimate } from '../estimators/estimator.ts'
import { fittedLossAt, slopeAt, type ValleyFit } from '../estimators/valleySlope.ts'

/** b = switchFactorGain · G from gradient noise and curvature; b = switchFactorGap · D from averaged weights. */
export const switchFactorGain = 0.3
export const switchFactorGap = 0.6
/**
 * Both sides are sure: the error of what staying gains is at most this share of it, that of D the other (by the last 16 probes: of eight it is small by chance). On cooldown logs of 124M
 * language models a rule that may speak there from .4 T on, with b = .45·D, ends .0007 to .0011 above the best cooldown in the
 * mean, one held to .75 T .0039; on 108 small runs it spoke in none. bench/records/2026-11-28-public-logs/README.md.
 */
export const sureStayingError = 0.1
export const sureGapError = 0.03
/** Probes behind the fit: fewer have small errors by chance, or before what is still to come. Those logs have 30 at .4 T and more. */
export const sureProbesNeeded = 30
/** So long both sides must have been known, in probes in a row: half of those that the error of D is from are new then. Chosen. */
export const knownProbesNeeded = 8
const sureFactorGap = 0.45

export type MarginalCostInput = {
  readonly step: number
  /** One past the last step. */
  readonly end: number
  /** The first and the last step at which the switch may come. */
  readonly earliest: number
  readonly deadline: number
  /** S at `step`. */
  readonly runLength: number
  readonly valley: ValleyFit
  /** G, the gain of an anneal over a tenth of the budget, from noise and curvature; value null = not measured. */
  readonly gain: Estimate
  /** D, loss of raw minus loss of averaged weights; value null = not measured. */
  readonly gap: Estimate
  /** Error of D as a share of it, from more probes than D; null = not known. */
  readonly gapError: number | null
}

/** The errors of both sides are those of a fit; how often the relation then held on other runs is told by
 *  Φ(shift + z/factor), z their distance in those errors: bench/records/2026-11-28-forecasts/README.md. */
export const probabilityFactor = 4
export const probabilityShift = -0.2

type Side = { readonly value: number; readonly standardError: number | null }

export type MarginalCost = {
  /** p at the present run length: what the next large step takes off the loss. */
  readonly slope: Side
  readonly staying: Side
  readonly annealing: Side
  readonly satisfied: boolean
  /** Both sides are known well. */
  readonly isKnown: boolean
  /** … and the rule holds by averaged weights alone. */
  readonly isSure: boolean
  /** P(staying ≤ annealing), as often as it came true; null where an error is unknown. */
  readonly probability: number | null
  /** The step at which the fitted valley meets the rule, within what is allowed. */
  readonly earliestStep: number
}

/** b of the rule with its error; null = neither G nor D gives a positive value. */
export function annealingScale(gain: Estimate, gap: Estimate): Side | null {
  const parts = [scaled(gain, switchFactorGain), scaled(gap, switchFactorGap)].filter((part) => part !== null)
  const [first, second] = parts
  if (first === undefined) return null
  if (second === undefined) return first
  const value = Math.sqrt(first.value * second.value)
  if (first.standardError === null || second.standardError === null) return { value, standardError: null }
  // Relative errors of a geometric mean: half of the root of their sum of squares.
  const relative = Math.hypot(first.standardError / first.value, second.standardError / second.value)
  return { value, standardError: (value * relative) / 2 }
}

const scaled = ({ value, standardError }: Estimate, factor: number): Side | null =>
  value !== null && value > 0 ? times(factor, { value, standardError }) : null

const times = (factor: number, { value, standardError }: Side): Side => ({
  value: factor * value,
  standardError: standardError === null ? null : factor * standardError,
})

const known = ({ value, standardError }: Estimate): Side => ({ value: value ?? 0, standardError })

/** Both sides of the rule. Undefined = nothing to compare with. */
export function marginalCost(input: MarginalCostInput): MarginalCost | undefined {
  const scale = annealingScale(input.gain, input.gap)
  if (scale === null) return undefined
  const staying = stayingSide(input, input.step)
  const annealing = times(2, scale)
  return {
    slope: known(slopeAt(input.valley, input.runLength)),
    staying,
    annealing,
    satisfied: staying.value <= annealing.value,
    isKnown: isKnown(staying, input),
    isSure: isKnown(staying, input) && staying.value <= Math.min(annealing.value, surelyGained(input)),
    probability: probabilityBelow(staying, annealing),
    earliestStep: earliestStep(input, annealing.value),
  }
}

/** Both sides have small errors, from enough probes. */
function isKnown(staying: Side, { valley, gap, gapError }: MarginalCostInput): boolean {
  if (gap.value === null || !(gap.value > 0) || gapError === null || staying.standardError === null)
    return false
  const isStayingKnown = staying.standardError <= sureStayingError * Math.abs(staying.value)
  return valley.count >= sureProbesNeeded && isStayingKnown && gapError <= sureGapError
}

const surelyGained = ({ gap }: MarginalCostInput): number => 2 * sureFactorGap * (gap.value ?? 0)

/** S at the middle of the ramp, for a switch at that step. */
const middleOf = ({ step, end, runLength }: MarginalCostInput, switchStep: number): number =>
  runLength + (switchStep - step) + (end - switchStep) / 2

/** R·p(S at the middle of the ramp), for a switch at a step at or after the present one. */
const stayingSide = (input: MarginalCostInput, switchStep: number): Side =>
  times(input.end - switchStep, known(slopeAt(input.valley, middleOf(input, switchStep))))

/** First allowed step from now at which staying gains no more than annealing, by bisection. */
function earliestStep(input: MarginalCostInput, annealing: number): number {
  const { step, earliest } = input
  const first = Math.max(step, earliest)
  const last = input.deadline
  if (first >= last) return Math.max(step, last)
  const isMet = (at: number) => stayingSide(input, at).value <= annealing
  if (isMet(first)) return first
  if (!isMet(last)) return last
  let [low, high] = [first, last]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (isMet(middle)) high = middle
    else low = middle
  }
  return high
}

/** P(a ≤ b); null where an error is unknown, or both are none. */
export function probabilityBelow(a: Side, b: Side): number | null {
  const deviations = deviationsBelow(a, b)
  if (deviations === null) return null
  return (1 + errorFunction((probabilityShift + deviations / probabilityFactor) / Math.SQRT2)) / 2
}

/** How far a lies below b, in the error of their difference. */
export function deviationsBelow(a: Side, b: Side): number | null {
  if (a.standardError === null || b.standardError === null) return null
  const error = Math.hypot(a.standardError, b.standardError)
  return error > 0 ? (b.value - a.value) / error : null
}

/**
 * What a switch now loses against one at an earlier step, on the fitted curve: J of both with R to the end of the
 * budget. Below 0: waiting gained. Null = neither G nor D is known.
 */
export function waitingLoss(input: MarginalCostInput, sinceStep: number): number | null {
  const scale = annealingScale(input.gain, input.gap)
  if (scale === null) return null
  const { step, end, valley } = input
  const lossFrom = (switchStep: number): number => {
    const { value } = known(fittedLossAt(valley, Math.max(1, middleOf(input, switchStep))))
    return value - scale.value * Math.log(end - switchStep)
  }
  return lossFrom(step) - lossFrom(Math.min(step, sinceStep))
}
