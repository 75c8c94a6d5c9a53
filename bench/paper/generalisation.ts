// D. Does the large-step phase drive generalisation? Two arms fork from one large-step run, at its start and after some
// epochs, and go through one and the same small-step phase. Controls are runs with the small step alone: for as many
// epochs in all, and until the arm's final training loss. With clean labels and with wrong ones.

import type { Lab, LabRun, Rates, Subject } from './lab.ts'
import { kept, type Store } from './store.ts'

export type GeneralisationSizes = {
  readonly seeds: readonly number[]
  readonly labelNoises: readonly number[]
  readonly largeEpochs: number
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
/** One seed: the arm and what it is compared with. */
export type SeedResult = {
  readonly arm: Score
  readonly noLargeStep: Score
  readonly equalEpochs: Score
  /** `epochs` at the cap: the loss may not have been reached. */
  readonly equalLoss: Score
}
export type GeneralisationCase = {
  readonly name: string
  readonly labelNoise: number
  readonly rows: readonly SeedResult[]
}

/** The large and the small rate, as shares of the divergence rate. */
const shares = { large: 1 / 2, small: 1 / 40 } as const

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

async function runArm(
  run: LabRun,
  { largeEpochs, smallEpochs }: GeneralisationSizes,
  divergence: number,
): Promise<Score> {
  await run.take(largeEpochs * run.stepsPerEpoch, at(shares.large * divergence))
  await run.take(smallEpochs * run.stepsPerEpoch, at(shares.small * divergence))
  return scored(run, largeEpochs + smallEpochs)
}

/** The small step alone: all controls are states of this one run. */
async function runControls(
  run: LabRun,
  options: { arm: Score; sizes: GeneralisationSizes; divergence: number },
): Promise<Omit<SeedResult, 'arm'>> {
  const { arm, sizes, divergence } = options
  const rates = at(shares.small * divergence)
  let [noLargeStep, equalEpochs, equalLoss]: (Score | undefined)[] = []
  for (let epoch = 1; epoch <= sizes.controlEpochsMax; epoch++) {
    await run.take(run.stepsPerEpoch, rates)
    if (epoch === sizes.smallEpochs) noLargeStep = await scored(run, epoch)
    if (epoch === arm.epochs) equalEpochs = await scored(run, epoch)
    const isEnd = epoch === sizes.controlEpochsMax
    if (equalLoss === undefined && (isEnd || (await run.trainingLoss()) <= (arm.trainingLoss ?? -1)))
      equalLoss = await scored(run, epoch)
    if (noLargeStep !== undefined && equalEpochs !== undefined && equalLoss !== undefined) break
  }
  return { noLargeStep: noLargeStep!, equalEpochs: equalEpochs!, equalLoss: equalLoss! }
}

/** One data set, with each share of wrong labels. @throws RangeError if the controls may not train as long as the arm. */
export async function runGeneralisation(
  lab: Lab,
  store: Store,
  options: { name: string; subject: Subject; sizes: GeneralisationSizes; divergence: number },
): Promise<GeneralisationCase[]> {
  const { name, sizes, divergence } = options
  const armEpochs = sizes.largeEpochs + sizes.smallEpochs
  if (sizes.controlEpochsMax < armEpochs)
    throw new RangeError(
      `controlEpochsMax must be at least the arm's ${armEpochs}, got ${sizes.controlEpochsMax}`,
    )
  const cases: GeneralisationCase[] = []
  for (const labelNoise of sizes.labelNoises) {
    const subject = { ...options.subject, labelNoise }
    const rows: SeedResult[] = []
    for (const seed of sizes.seeds)
      rows.push(
        await store.once(`${name}, label noise ${labelNoise}, seed ${seed}`, async () => {
          const large = lab.start(subject, seed)
          const arm = await runArm(large, sizes, divergence)
          large.dispose()
          const control = lab.start(subject, seed)
          const controls = await runControls(control, { arm, sizes, divergence })
          control.dispose()
          return { arm, ...controls }
        }),
      )
    cases.push({ name, labelNoise, rows })
  }
  return cases
}
