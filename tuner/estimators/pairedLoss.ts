// How much better one arm of a race is than another, and how sure that is. Both were scored on the same examples,
// so the losses of equal parts of the examples are compared part by part, and what makes examples easy or hard
// falls out: the standard error is the scatter of the differences over √parts. That is not all of the doubt: two runs also
// differ by which batches they happened to see, whatever the rates are. Measured, that scatter is about as large as the
// error from 512 examples and does not shrink with more examples, so
//   variance = parts' variance · (1 + examples / 400)              (bench/records/2026-11-24-search/README.md)
// and twice the second part where the arms could not be given the same batches (chosen: two runs, each with its own).
// Without parts the variance is that of two means of losses, 2·σ²/examples, σ of one example from the training losses; where
// that is unknown too, a stated share of the loss. Cost: O(parts). Losses that are not finite give no difference.

import { squaresAbout } from './uncertainty.ts'

/** Two runs over different batches differ about as much as one scores differently on other examples, so many of them. */
export const raceChaosExamples = 400
/** Where nothing tells the scatter, a difference of losses has this share of the loss as its standard error. Chosen. */
export const raceErrorWithoutParts = 0.03
/** Fewer parts than this say next to nothing of their scatter. */
const partsNeeded = 4
/** A standard error is never taken to be below this, nor below this share of the loss: rounding is no evidence. */
const errorMin = 1e-9
const errorShareMin = 1e-6

export type Score = {
  readonly loss: number
  /** Mean losses of fixed equal parts of the examples; empty = not told. */
  readonly parts: readonly number[]
  readonly examples: number
  /** σ of one example's loss; null = not known. */
  readonly deviation?: number | null
}

/** Loss of the first minus loss of the second: below 0 = the first is better. */
type PairedDifference = { readonly difference: number; readonly standardError: number }

/** Of two runs: with the doubt which batches each of them happened to see. */
export function pairedDifference(a: Score, b: Score, hasSameBatches = true): PairedDifference {
  const doubt = Math.min(a.examples, b.examples) / raceChaosExamples
  return differenceOf(a, b, 1 + (hasSameBatches ? doubt : 2 * doubt))
}

/** Of two given networks: the examples are the only doubt. */
export const exampleDifference = (a: Score, b: Score): PairedDifference => differenceOf(a, b, 1)

function differenceOf(a: Score, b: Score, chaos: number): PairedDifference {
  const floor = Math.max(errorMin, errorShareMin * Math.max(Math.abs(a.loss), Math.abs(b.loss)))
  const count = a.parts.length
  const differences = a.parts.map((loss, i) => loss - (b.parts[i] ?? Number.NaN))
  if (count !== b.parts.length || count < partsNeeded || !differences.every(Number.isFinite)) {
    const error = errorWithoutParts(a, b) * Math.sqrt(chaos)
    return { difference: a.loss - b.loss, standardError: Math.max(error, floor) }
  }
  const difference = differences.reduce((sum, value) => sum + value, 0) / count
  const variance = (squaresAbout(differences, difference) / (count - 1) / count) * chaos
  return { difference, standardError: Math.max(Math.sqrt(variance), floor) }
}

function errorWithoutParts(a: Score, b: Score): number {
  const deviation = b.deviation ?? a.deviation ?? null
  if (deviation === null) return raceErrorWithoutParts * Math.abs(b.loss)
  return deviation * Math.sqrt(2 / Math.max(1, Math.min(a.examples, b.examples)))
}

/** Standard errors by which the first is better than the second; negative = worse. */
export function deviationsBetter(a: Score, b: Score, hasSameBatches = true): number {
  const { difference, standardError } = pairedDifference(a, b, hasSameBatches)
  return -difference / standardError
}
