// How much better one arm of a race is than another, and how sure that is. Both were scored on the same examples,
// so the losses of equal parts of the examples are compared part by part, and what makes examples easy or hard
// falls out: the standard error is the scatter of the differences over √parts. That is not all of the doubt: two runs also differ
// by which batches they happened to see, whatever the rates are. Measured, that scatter is about as large as the
// error from 512 examples and does not shrink with more examples, so
//   variance = parts' variance · (1 + examples / 400).
// Without parts the error is a stated share of the loss. Cost: O(parts). Losses that are not finite give none.

import { raceChaosExamples, raceErrorWithoutParts } from '../constants.ts'

export type Score = {
  readonly loss: number
  /** Mean losses of fixed equal parts of the examples; empty = not told. */
  readonly parts: readonly number[]
  readonly examples: number
}

export type PairedDifference = {
  /** Loss of the first minus loss of the second: below 0 = the first is better. */
  readonly difference: number
  readonly standardError: number
}

/** Fewer parts than this say next to nothing of their scatter. */
const partsNeeded = 4

/** A standard error is never taken to be below this, nor below this share of the loss: rounding is no evidence. */
const errorMin = 1e-9
const errorShareMin = 1e-6

/** Of two runs: with the doubt which batches each of them happened to see. */
export function pairedDifference(a: Score, b: Score): PairedDifference {
  return differenceOf(a, b, 1 + Math.min(a.examples, b.examples) / raceChaosExamples)
}

/** Of two given networks: the examples are the only doubt. */
export const exampleDifference = (a: Score, b: Score): PairedDifference => differenceOf(a, b, 1)

function differenceOf(a: Score, b: Score, chaos: number): PairedDifference {
  const floor = Math.max(errorMin, errorShareMin * Math.max(Math.abs(a.loss), Math.abs(b.loss)))
  const count = a.parts.length
  const differences = a.parts.map((loss, i) => loss - (b.parts[i] ?? Number.NaN))
  if (count !== b.parts.length || count < partsNeeded || !differences.every(Number.isFinite))
    return {
      difference: a.loss - b.loss,
      standardError: Math.max(raceErrorWithoutParts * Math.abs(b.loss), floor),
    }
  const mean = differences.reduce((sum, value) => sum + value, 0) / count
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    difference: mean,
    standardError: Math.max(Math.sqrt((squares / (count - 1) / count) * chaos), floor),
  }
}

/** Standard errors by which the first is better than the second; negative = worse. */
export function deviationsBetter(a: Score, b: Score): number {
  const { difference, standardError } = pairedDifference(a, b)
  return -difference / standardError
}
