// D. Does the large-step phase drive generalisation? Arms fork from one large-step run after 0, 2, 5, … epochs and
// go through one and the same small-step phase. Controls are runs with the small step alone: for as many epochs in
// all, and until the arm's final training loss. With clean labels and with wrong ones.

import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import type { RegimeRates } from './bands.ts'
import type { Lab, LabRun, Rates, Subject } from './lab.ts'
import { kept, type Store } from './store.ts'

export type GeneralisationSizes = {
  readonly subject: Subject
  readonly seeds: readonly number[]
  readonly labelNoises: readonly number[]
  /** Epochs of the large step, ascending, from 0. */
  readonly largeEpochs: readonly number[]
  readonly smallEpochs: number
  /** Most epochs of the control that trains until the arm's training loss. */
  readonly controlEpochsMax: number
}

export type Score = {
  readonly epochs: number
  readonly trainingLoss: number | null
  readonly testLoss: number | null
  readonly testAccuracy: number | null
}
/** One seed; each list has an entry per number of large-step epochs. */
export type SeedResult = {
  readonly arms: readonly Score[]
  readonly equalEpochs: readonly Score[]
  /** `epochs` at the cap: the loss may not have been reached. */
  readonly equalLoss: readonly Score[]
}
export type GeneralisationResult = ReadonlyMap<number, readonly SeedResult[]>

async function scored(run: LabRun, epochs: number): Promise<Score> {
  const trainingLoss = await run.trainingLoss()
  const { loss, accuracy } = await run.test()
  return {
    epochs,
    trainingLoss: kept(trainingLoss),
    testLoss: kept(loss),
    testAccuracy: kept(accuracy),
  }
}

const at = (learningRate: number): Rates => ({ learningRate, momentum: 0 })

async function runArms(run: LabRun, sizes: GeneralisationSizes, rates: RegimeRates): Promise<Score[]> {
  const arms: Score[] = []
  let epoch = 0
  for (const largeEpochs of sizes.largeEpochs) {
    await run.take((largeEpochs - epoch) * run.stepsPerEpoch, at(rates.large))
    epoch = largeEpochs
    const isBroken = run.isBroken
    const checkpoint = run.capture()
    await run.take(sizes.smallEpochs * run.stepsPerEpoch, at(rates.small))
    arms.push(await scored(run, largeEpochs + sizes.smallEpochs))
    if (!isBroken) run.resumeFrom(checkpoint)
    disposeCheckpoint(checkpoint)
  }
  return arms
}

/** The small step alone; both controls of every arm are states of this one run. */
async function runControls(
  run: LabRun,
  options: { arms: readonly Score[]; small: number; epochsMax: number },
): Promise<Pick<SeedResult, 'equalEpochs' | 'equalLoss'>> {
  const { arms, small, epochsMax } = options
  const equalEpochs = new Array<Score | undefined>(arms.length).fill(undefined)
  const equalLoss = new Array<Score | undefined>(arms.length).fill(undefined)
  const isOpen = () => [...equalEpochs, ...equalLoss].includes(undefined)
  for (let epoch = 1; epoch <= epochsMax && isOpen(); epoch++) {
    await run.take(run.stepsPerEpoch, at(small))
    const loss = await run.trainingLoss()
    const isEnd = epoch === epochsMax
    const due = arms.flatMap((arm, index) => {
      const hasReached = equalLoss[index] === undefined && (isEnd || loss <= (arm.trainingLoss ?? -1))
      const isEqual = arm.epochs === epoch
      return hasReached || isEqual ? [{ index, hasReached, isEqual }] : []
    })
    if (due.length === 0) continue
    const score = await scored(run, epoch)
    for (const { index, hasReached, isEqual } of due) {
      if (hasReached) equalLoss[index] = score
      if (isEqual) equalEpochs[index] = score
    }
  }
  return { equalEpochs: equalEpochs as Score[], equalLoss: equalLoss as Score[] }
}

/** @throws RangeError if the controls may not train as long as the longest arm. */
export async function runGeneralisation(
  lab: Lab,
  store: Store,
  options: { sizes: GeneralisationSizes; rates: RegimeRates },
): Promise<GeneralisationResult> {
  const { sizes, rates } = options
  const { seeds, labelNoises, controlEpochsMax: epochsMax } = sizes
  const epochsLongest = sizes.largeEpochs.at(-1)! + sizes.smallEpochs
  if (epochsMax < epochsLongest)
    throw new RangeError(
      `controlEpochsMax must be at least the longest arm's ${epochsLongest}, got ${epochsMax}`,
    )
  const result = new Map<number, SeedResult[]>()
  for (const labelNoise of labelNoises) {
    const rows: SeedResult[] = []
    for (const seed of seeds)
      rows.push(
        await store.once(`label noise ${labelNoise}, seed ${seed}`, async () => {
          const subject = { ...sizes.subject, labelNoise }
          const large = lab.start(subject, seed)
          const arms = await runArms(large, sizes, rates)
          large.dispose()
          const control = lab.start(subject, seed)
          const controls = await runControls(control, { arms, small: rates.small, epochsMax })
          control.dispose()
          return { arms, ...controls }
        }),
      )
    result.set(labelNoise, rows)
  }
  return result
}
