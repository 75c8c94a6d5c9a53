// What every estimator is: a pure fold from samples to a signal's value with its uncertainty. States are plain
// JSON of bounded size; `update` returns a new state and never changes its argument. Bad samples (NaN,
// infinite) leave the state as it is; bad options throw RangeError quoting name and value.

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

export type Estimator<Options, State, Sample, Reading> = {
  readonly name: string
  init(options: Options): State
  update(state: State, sample: Sample): State
  read(state: State): Reading
}

export const noEstimate = (count: number, needed: number): Estimate => ({
  value: null,
  standardError: null,
  count,
  needed,
})
