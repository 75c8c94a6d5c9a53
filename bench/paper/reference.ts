// The aim of experiment C: the training loss of a reference that is trained from scratch with momentum and annealed
// linearly to 0, its rate tuned by its own final loss. It knows nothing of the forks that are then measured by it.

import type { Lab, Subject } from './lab.ts'
import { kept, type Store } from './store.ts'
import { type TunedRate, tunedRate } from './tunedRate.ts'

export type ReferenceSizes = {
  readonly subject: Subject
  readonly tuningSeeds: readonly number[]
  readonly epochs: number
  readonly momentum: number
  readonly middleRate: number
  readonly refinements: number
}
export type Reference = { readonly rate: TunedRate; readonly loss: number }

async function annealedLoss(
  lab: Lab,
  run: { sizes: ReferenceSizes; effectiveRate: number; seed: number },
): Promise<number | null> {
  const { sizes, effectiveRate, seed } = run
  const { subject, epochs, momentum } = sizes
  const job = lab.start(subject, seed)
  const stepCount = epochs * job.stepsPerEpoch
  const from = effectiveRate * (1 - momentum)
  for (let step = 0; step < stepCount && !job.isBroken; step++)
    await job.take(1, { learningRate: from * (1 - step / stepCount), momentum })
  const loss = await job.trainingLoss()
  job.dispose()
  return kept(loss)
}

/** The loss is the geometric mean over the tuning seeds. */
export async function runReference(lab: Lab, store: Store, sizes: ReferenceSizes): Promise<Reference> {
  const { tuningSeeds, middleRate: middle, refinements } = sizes
  const logLoss = async (effectiveRate: number): Promise<number> => {
    let sum = 0
    for (const seed of tuningSeeds) {
      const loss = await store.once(
        `reference, effective rate ${effectiveRate.toPrecision(6)}, seed ${seed}`,
        () => annealedLoss(lab, { sizes, effectiveRate, seed }),
      )
      sum += Math.log(loss ?? Number.POSITIVE_INFINITY)
    }
    return sum / tuningSeeds.length
  }
  const rate = await tunedRate({ middle, refinements, score: logLoss })
  return { rate, loss: Math.exp(await logLoss(rate.rate)) }
}
