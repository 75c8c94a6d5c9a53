// Checks of estimators' options. An option is written by a programmer, so a bad one throws at once and
// names itself; samples come from a run and never throw.

/** @throws RangeError unless `value` is a whole number of `min` or more. Returns the value. */
export function wholeOption(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new RangeError(`${name} must be a whole number of ${min} or more, got ${value}`)
}

/** @throws RangeError unless `value` is finite and above 0. Returns the value. */
export function positiveOption(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new RangeError(`${name} must be a finite number above 0, got ${value}`)
}
