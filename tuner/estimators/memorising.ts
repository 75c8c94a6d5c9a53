// Memorising: does what a run learns still reach held-out data? Over the last two thirds of the steps so far, e is the
// fall of the averaged weights' held-out loss over the fall of the training loss, each in shares of itself:
//   e = (d ln P / d ln t) / (d ln Q / d ln t)
// by least squares, Q the means of blocks of training losses. As Q holds the noise of the weights and P does not, e is 1
// or more at a constant rate while all that is learned generalises; it falls towards 0 while a run memorises, long before
// P rises. It is asked for in the large step alone: in an anneal Q loses its noise as well.
// Law: multiplying all losses by c > 0, or the two kinds by different ones, leaves e where it is.
// Nothing is said for fewer than 4 probes or 8 blocks in the window, losses that are not positive, or a training loss
// that does not plainly fall. A run looks at e often, and by chance it lies low some day: e plus one error below .6 alone ended
// 74 of 480 healthy runs with noisy validation, with 1 four errors away 2. Cost: O(16 probes + 512 blocks).
// Source: derived here; bench/records/2026-11-24-finish-early/README.md, 2026-11-28-core/README.md.

import type { Block } from './blocks.ts'
import { cautiousFactor } from './uncertainty.ts'

/** e is low where it lies below this by one of its errors: at .6 runs that still learned were ended, one at half of its steps
 *  (bench/records/2026-11-28-finish/README.md) … */
export const memorisingRatio = 0.5
/** … and below 1, where it lies while all that is learned generalises, by four: a bound for all looks of a run together. */
const healthyErrors = 4
/** … and so many by Fieller's, at each probe that counts; the last one must have more (phases/rule.ts). Same record. */
export const probeErrors = 3
/** … and training loss has fallen by this share: on a level that neither falls nor rises, e is chance. */
export const memorisingFallMin = 0.1
/** Training loss falls plainly: by so many standard errors. */
const fallErrors = 4
/** The window: the steps from this share of those so far on. */
const windowFrom = 1 / 3
const probesNeeded = 4
const blocksNeeded = 8
/** Steps that an anneal of a run that memorises takes, as a share of those so far. */
export const shortAnnealShare = 0.4

export type MemorisingInput = {
  /** Steps since the first, whatever number that had; `steps` below are counted alike. */
  readonly step: number
  /** First step of the large phase: training losses before it are those of other rates. */
  readonly largeFromStep: number
  /** Held-out losses of averaged weights at the last probes, and their steps, oldest first. */
  readonly averagedLosses: readonly number[]
  readonly averagedSteps: readonly number[]
  readonly blocks: readonly Block[]
  readonly blockSteps: number
}

export type Memorising = {
  /** e, with its error by the delta method. */
  readonly ratio: number
  readonly standardError: number
  /** By how many errors of ln P's slope less ln Q's e lies below 1 (Fieller 1954): chance that makes Q fall makes e small,
   *  and its own error with it, but not this one. */
  readonly errorsBelowOne: number
  /** Shares that the two losses fell by over the window, on their fitted lines; below 0 they rose. */
  readonly heldOutFall: number
  readonly trainingFall: number
  /** First step of the window. */
  readonly fromStep: number
  readonly probeCount: number
  /** e is low even with its error added, and much was learned: in doubt, or on a level, a run goes on. */
  readonly isMemorising: boolean
}

/** Undefined = there is too little to tell by. */
export function memorisingOf(input: MemorisingInput): Memorising | undefined {
  const { step, largeFromStep, averagedLosses, averagedSteps, blocks, blockSteps } = input
  const fromStep = Math.max(Math.ceil(windowFrom * step), largeFromStep, averagedSteps[0] ?? step, 1)
  const probes = averagedLosses.flatMap((loss, i): Point[] => {
    const at = averagedSteps[i]!
    return at >= fromStep && at <= step ? [{ at, loss, weight: 1 }] : []
  })
  // Blocks are even in t and the line is in ln t: 1/t gives each stretch of ln t its due.
  const losses = blocks.flatMap((block): Point[] => {
    const at = block.step + blockSteps / 2
    return block.step >= fromStep && block.step < step ? [{ at, loss: block.mean, weight: 1 / at }] : []
  })
  if (probes.length < probesNeeded || losses.length < blocksNeeded) return undefined
  const [heldOut, training] = [logSlope(probes), logSlope(losses)]
  if (heldOut === undefined || training === undefined) return undefined
  if (!(-training.value > fallErrors * training.standardError)) return undefined
  const ratio = heldOut.value / training.value
  const standardError =
    Math.hypot(heldOut.standardError, ratio * training.standardError) / Math.abs(training.value)
  if (!Number.isFinite(ratio) || !Number.isFinite(standardError)) return undefined
  const span = Math.log(step / fromStep)
  const trainingFall = -Math.expm1(training.value * span)
  const errorsBelowOne =
    (heldOut.value - training.value) / Math.hypot(heldOut.standardError, training.standardError)
  return {
    ratio,
    standardError,
    errorsBelowOne,
    heldOutFall: -Math.expm1(heldOut.value * span),
    trainingFall,
    fromStep,
    probeCount: probes.length,
    isMemorising:
      trainingFall >= memorisingFallMin && errorsBelowOne > probeErrors && isLow({ ratio, standardError }),
  }
}

type Measured = { readonly ratio: number; readonly standardError: number }

/** Not all that is learned generalises. */
export const isBelowHealthy = ({ ratio, standardError }: Measured): boolean =>
  ratio + healthyErrors * standardError < 1

/** … and most of it does not; in doubt not. */
const isLow = (measured: Measured): boolean =>
  measured.ratio + measured.standardError < memorisingRatio && isBelowHealthy(measured)

type Point = { readonly at: number; readonly loss: number; readonly weight: number }

/** d ln(loss) / d ln(at) by weighted least squares; undefined where a loss is not positive or all lie at one place. */
function logSlope(points: readonly Point[]): { value: number; standardError: number } | undefined {
  if (points.some(({ loss }) => !(loss > 0) || !Number.isFinite(loss))) return undefined
  const total = points.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (values: readonly number[]): number =>
    points.reduce((sum, { weight }, i) => sum + (weight / total) * values[i]!, 0)
  const about = (values: readonly number[], center = mean(values)) => values.map((value) => value - center)
  const x = about(points.map(({ at }) => Math.log(at)))
  const y = about(points.map(({ loss }) => Math.log(loss)))
  const squares = mean(x.map((entry) => entry ** 2))
  if (!(squares > 0)) return undefined
  const value = mean(x.map((entry, i) => entry * y[i]!)) / squares
  const residuals = y.map((entry, i) => entry - value * x[i]!)
  const error = Math.sqrt(mean(residuals.map((entry) => entry ** 2)) / squares / (points.length - 2))
  return { value, standardError: error * cautiousFactor(residuals, 2) }
}
