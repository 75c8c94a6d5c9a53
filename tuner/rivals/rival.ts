// What every rival rule is: a pure fold from what the rule would watch to the rate it would set. States are plain
// JSON of bounded size and updates never change their argument, so one and the same code answers "when would it
// have acted" in a decision record, is checked against its reference, and steers real runs in the bench.

export type RivalInput = 'loss' | 'heldOutLoss' | 'weightNormSquared'

/** One thing to watch; a rule leaves out what it does not read. */
export type RivalObservation =
  /** A training step that was taken: its training loss, and ‖w‖² after it (null = not measured). */
  | {
      readonly kind: 'step'
      readonly step: number
      readonly loss: number
      readonly weightNormSquared: number | null
    }
  /** A held-out loss, measured after `step` steps. */
  | { readonly kind: 'probe'; readonly step: number; readonly heldOutLoss: number }

export type RivalReading = {
  /** For the step that is asked for. */
  readonly learningRate: number
  /** The first step with a lowered rate; null = not lowered yet. */
  readonly firstLoweredStep: number | null
  /** The rule has ended training by itself. */
  readonly isStopped: boolean
}

export type Rival<Options, State> = {
  readonly name: string
  readonly reads: readonly RivalInput[]
  /** @throws RangeError naming an option that is out of its range. */
  init(options: Options): State
  update(state: State, observation: RivalObservation): State
  /** What holds for `step`, the next one to be taken. */
  read(state: State, step: number): RivalReading
}

/** @throws RangeError unless `initialRate` is finite and above 0. Returns it. */
export function checkedRate(initialRate: number): number {
  if (Number.isFinite(initialRate) && initialRate > 0) return initialRate
  throw new RangeError(`initialRate must be a finite number above 0, got ${initialRate}`)
}

/** @throws RangeError unless 0 < `factor` < 1. Returns it. */
export function checkedFactor(factor: number): number {
  if (factor > 0 && factor < 1) return factor
  throw new RangeError(`factor must be above 0 and below 1, got ${factor}`)
}
