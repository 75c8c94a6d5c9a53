// The ground truth of one checkpoint: what annealing from it brings, over three lengths, and whether the run was in
// the large-step regime there, by a short run at a tenth of the rate beside one at the rate itself. Branches see the
// same batches in the same order, as each starts from the checkpoint's place in the data.

import type { Checkpoint } from '../../trainer/checkpoints.ts'
import { type Batch, createBatchMaker, disposeBatch } from '../../trainer/data/batches.ts'
import { indexRange } from '../../trainer/data/dataset.ts'
import { evaluateBatches } from '../../trainer/probes/evaluate.ts'
import type { BuiltTrainer } from '../../trainer/run.ts'
import type { AnnealName, AnnealTruth, CheckpointTruth, ForkTruth, Scores } from './format.ts'

export const trainProbeExamples = 2_000
export const tenthShare = 0.1
export const halfShare = 0.5
/** Length of the fork in shares of the budget, and its rates as multiples of the run's own. */
export const forkLengthShare = 0.02
export const forkFactors = [0.1, 1] as const

export type Scorer = {
  score(): Promise<Scores>
  /** Without the test set, which takes most of the time. */
  scoreProbes(): Promise<Omit<Scores, 'test'>>
  dispose(): void
}

/** Scores the trainer's present weights. */
export function createScorer({ trainer, backend, dataset, model }: BuiltTrainer): Scorer {
  const count = Math.min(trainProbeExamples, dataset.train.count)
  const spread = indexRange(0, count).map((index) => Math.floor((index * dataset.train.count) / count))
  const batch: Batch = createBatchMaker(dataset)(dataset.train, spread)
  const scoreProbes = async () => ({
    heldOut: await trainer.evaluateHeldOut(),
    train: await evaluateBatches(backend, model, trainer.weights(), [batch]),
  })
  return {
    scoreProbes,
    score: async () => ({ test: await trainer.evaluateTest(), ...(await scoreProbes()) }),
    dispose: () => disposeBatch(batch),
  }
}

export type BranchOptions = {
  readonly rate: number
  readonly momentum: number
  readonly budgetSteps: number
}

/** Steps of each anneal from a step; those that would reach the end of the budget are the full one. */
export function annealLengths(step: number, budgetSteps: number): [AnnealName, number][] {
  const full = budgetSteps - step
  const shorter: [AnnealName, number][] = [
    ['half', Math.round(halfShare * step)],
    ['tenth', Math.round(tenthShare * budgetSteps)],
  ]
  return [['full', full], ...shorter.filter(([, steps]) => steps > 0 && steps < full)]
}

async function train(
  { trainer, backend }: BuiltTrainer,
  steps: number,
  rateAt: (done: number) => number,
  momentum: number,
): Promise<void> {
  for (let done = 0; done < steps; done++) {
    trainer.step({ learningRate: rateAt(done), momentum, measureNorm: false })
    if (trainer.unreadCount >= backend.stepsPerRead) await trainer.read()
  }
  await trainer.read()
}

/** Trains every branch of a checkpoint. The trainer is left at the end of the last one. */
export async function checkpointTruth(
  built: BuiltTrainer,
  scorer: Scorer,
  { share, checkpoint }: { readonly share: number; readonly checkpoint: Checkpoint },
  options: BranchOptions,
): Promise<CheckpointTruth> {
  const { rate, momentum, budgetSteps } = options
  const { step } = checkpoint
  const back = () => built.trainer.resumeFrom(checkpoint, step)
  back()
  const before = await scorer.score()
  const anneals: AnnealTruth[] = []
  for (const [name, steps] of annealLengths(step, budgetSteps)) {
    back()
    await train(built, steps, (done) => rate * (1 - done / steps), momentum)
    anneals.push({ name, toStep: step + steps, ...(await scorer.score()) })
  }
  return { share, step, before, anneals, forks: await forkTruths(built, scorer, checkpoint, options) }
}

/** Short runs at multiples of the rate, from a checkpoint. */
export async function forkTruths(
  built: BuiltTrainer,
  scorer: Scorer,
  checkpoint: Checkpoint,
  { rate, momentum, budgetSteps }: BranchOptions,
): Promise<ForkTruth[]> {
  const { step } = checkpoint
  const forkSteps = Math.max(1, Math.round(forkLengthShare * budgetSteps))
  const forks: ForkTruth[] = []
  for (const rateFactor of forkFactors) {
    built.trainer.resumeFrom(checkpoint, step)
    await train(built, forkSteps, () => rate * rateFactor, momentum)
    forks.push({ rateFactor, toStep: step + forkSteps, ...(await scorer.scoreProbes()) })
  }
  return forks
}
