// The training loss at the end of each epoch of a run at one rate, and what a curve says: whether the run diverged,
// whether some epoch rose, how far two curves lie apart.

import type { Lab, Rates, Subject } from './lab.ts'
import { meanLoss } from './lab.ts'
import { kept } from './store.ts'

export type Curve = {
  /** Training loss before the first epoch and after each; null = not finite. */
  readonly losses: readonly (number | null)[]
  /** Epochs (from 1) whose loss lies above the one before by more than the evaluation's noise. */
  readonly risen: readonly number[]
}

/** A rise counts beyond so many standard errors of the paired difference. */
const riseErrors = 3
/** A last loss from here on counts as diverged: 95 % of ln(classes), the loss of a constant guess. */
export const divergedLoss = 0.95 * Math.log(10)
/** The final loss of a run is the mean over its last epochs, as large steps make it jump. */
const finalEpochs = 3

/** Whether the mean of `after − before` over the same examples is above 0 by 3 of its standard errors. */
export function hasRisen(before: Float32Array, after: Float32Array): boolean {
  const differences = after.map((loss, index) => loss - before[index]!)
  const rise = meanLoss(differences)
  const squares = differences.reduce((sum, difference) => sum + (difference - rise) ** 2, 0)
  const count = differences.length
  return rise > riseErrors * Math.sqrt(squares / (count - 1) / count)
}

export async function curveOf(
  lab: Lab,
  options: { subject: Subject; seed: number; rates: Rates; epochs: number },
): Promise<Curve> {
  const { subject, seed, rates, epochs } = options
  const run = lab.start(subject, seed)
  let before = await run.exampleLosses()
  const losses = [kept(meanLoss(before))]
  const risen: number[] = []
  for (let epoch = 1; epoch <= epochs; epoch++) {
    await run.take(run.stepsPerEpoch, rates)
    const after = await run.exampleLosses()
    losses.push(kept(meanLoss(after)))
    if (hasRisen(before, after)) risen.push(epoch)
    before = after
  }
  run.dispose()
  return { losses, risen }
}

export function hasDiverged({ losses }: Pick<Curve, 'losses'>): boolean {
  const last = losses.at(-1) ?? null
  return last === null || losses.includes(null) || last >= divergedLoss
}

/** NaN for a run that diverged. */
export function finalLoss(curve: Curve): number {
  if (hasDiverged(curve)) return Number.NaN
  const last = curve.losses.slice(1).slice(-finalEpochs)
  return last.reduce<number>((sum, loss) => sum + loss!, 0) / last.length
}

/** Mean over the epochs after the start of |log L − log L'|; infinite if one of the two diverged. */
export function curveDistance(a: Curve, b: Curve): number {
  if (hasDiverged(a) || hasDiverged(b)) return Number.POSITIVE_INFINITY
  const distances = a.losses.slice(1).map((loss, index) => Math.abs(Math.log(loss! / b.losses[index + 1]!)))
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length
}

/** Halves a bracket on the log scale so many times, and gives its geometric middle. */
export async function bracketMiddle(
  bracket: { readonly below: number; readonly above: number },
  halvings: number,
  diverges: (rate: number) => Promise<boolean>,
): Promise<number> {
  let { below, above } = bracket
  for (let i = 0; i < halvings; i++) {
    const middle = Math.sqrt(below * above)
    if (await diverges(middle)) above = middle
    else below = middle
  }
  return Math.sqrt(below * above)
}
