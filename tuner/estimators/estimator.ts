// What every estimator is: a pure fold from samples to a signal's value with its uncertainty. States are plain
// JSON of bounded size; `update` returns a new state and never changes its argument. Bad samples (NaN,
// infinite) leave the state as it is. What a programmer sets wrongly throws RangeError quoting name and value.

/** A signal's value. "Not enough data" is `value: null` with the count so far and the count needed, never 0. */
export type Estimate = {
  readonly value: number | null
  /** Same unit as `value`; null = not known (yet). */
  readonly standardError: number | null
  /** How many independent pieces (blocks, probes, pairs) stand behind the value. */
  readonly count: number
  /** How many are needed before there is a value. */
  readonly needed: number
}

/** Estimators that begin by something (a budget) have an `init` that takes it. */
export type Estimator<State, Sample> = {
  init(given: never): State
  update(state: State, sample: Sample): State
  read(state: State): unknown
}

/** Rows from ≤ i < to of columns. Estimators that take them do with each what `update` does, to the last bit. */
export type Rows = { readonly from: number; readonly to: number }
/** A column of reported numbers; undefined = the job sends none, null = not in this row. */
export type Column = readonly (number | null)[] | undefined

/** A number at a step. */
export type Scalar = { readonly step: number; readonly value: number }

export const noEstimate = (count: number, needed: number): Estimate => ({
  value: null,
  standardError: null,
  count,
  needed,
})

/** @throws RangeError unless `value` is a whole number of `min` or more. Returns the value. */
export function wholeOption(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new RangeError(`${name} must be a whole number of ${min} or more, got ${value}`)
}
