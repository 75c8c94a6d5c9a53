// The learning rate at which training diverges, without momentum: per seed the rate is doubled until a run diverges, the
// bracket is halved on the log scale, and the median over seeds of the brackets' middles counts. B, C and D take their
// rates from it, on seeds that none of them is judged by.

import { bracketMiddle, curveOf, hasDiverged } from './curves.ts'
import type { Lab, Subject } from './lab.ts'
import { medianRate } from './statistics.ts'
import type { Store } from './store.ts'

export type DivergenceSizes = {
  readonly subject: Subject
  readonly seeds: readonly number[]
  readonly epochs: number
  /** A rate that survives. */
  readonly fromRate: number
  readonly halvings: number
}

/** Most doublings of the first rate. */
const doublingsMax = 12

/** @throws Error where the first rate diverges, or no doubling of it does. */
export async function doublingBracket(
  fromRate: number,
  diverges: (rate: number) => Promise<boolean>,
): Promise<{ below: number; above: number }> {
  if (await diverges(fromRate)) throw new Error(`the first rate must survive, got ${fromRate}`)
  for (let doubling = 1; doubling <= doublingsMax; doubling++) {
    const above = fromRate * 2 ** doubling
    if (await diverges(above)) return { below: above / 2, above }
  }
  throw new Error(`some rate up to ${fromRate * 2 ** doublingsMax} must diverge, got none`)
}

/** Results are kept under `name`. */
export async function divergenceRate(
  lab: Lab,
  store: Store,
  { name, sizes }: { name: string; sizes: DivergenceSizes },
): Promise<number> {
  const { subject, seeds, epochs, fromRate, halvings } = sizes
  const middles: number[] = []
  for (const seed of seeds) {
    const diverges = async (learningRate: number) =>
      hasDiverged(
        await store.once(`${name}, rate ${learningRate.toPrecision(6)}, seed ${seed}`, () =>
          curveOf(lab, { subject, seed, rates: { learningRate, momentum: 0 }, epochs }),
        ),
      )
    middles.push(await bracketMiddle(await doublingBracket(fromRate, diverges), halvings, diverges))
  }
  return medianRate(middles)
}
