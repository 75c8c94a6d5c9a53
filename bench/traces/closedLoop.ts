// Closed-loop rows of the rivals: each is told what a job would tell it, training loss and held-out loss at the
// tuner's default distance, and sets the rate of the next step. All start with the same ramp as ours, and each run
// gives two outcomes where the rule is often used so: the last weights, and those of the best held-out loss.

import type { Checkpoint } from '../../trainer/checkpoints.ts'
import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { ownMomentum } from '../../trainer/optimizers/optimizers.ts'
import { type BuiltTrainer, buildTrainer } from '../../trainer/run.ts'
import type { TestScore } from '../../trainer/trainer.ts'
import { createPolicy, type Policy, type PolicyName } from '../rivals/policies.ts'
import { type BenchTask, jobOf } from '../tasks.ts'
import { rampStepsOf, rateAt } from './largeRun.ts'
import { today } from './ours.ts'
import { loadOutcomes, type Outcome } from './outcomes.ts'

/** Steps between two held-out losses, as a share of the budget. */
export const rivalProbeShare = 0.03

export type RivalRow = {
  readonly row: string
  readonly policy: PolicyName
  readonly rateFactor: number
  /** The row's name with the weights of the best held-out loss; null = only the last weights are scored. */
  readonly bestRow: string | null
  /** A fresh start at the rate that row "ours" has found, over the steps that its search has left: ours without its rule and finish. */
  readonly isFromFound?: true
}

export const rivalRows: readonly RivalRow[] = [
  { row: 'linear from the start', policy: 'linear', rateFactor: 1, bestRow: null },
  { row: 'linear from the start, rate / 10', policy: 'linear', rateFactor: 0.1, bestRow: null },
  { row: 'cosine from the start, rate / 10', policy: 'cosine', rateFactor: 0.1, bestRow: null },
  {
    row: 'cosine from the start',
    policy: 'cosine',
    rateFactor: 1,
    bestRow: 'cosine from the start, best kept',
  },
  {
    row: 'ReduceLROnPlateau',
    policy: 'ReduceLROnPlateau',
    rateFactor: 1,
    bestRow: 'ReduceLROnPlateau, best kept',
  },
  {
    row: 'ReduceLROnPlateau, rate / 10',
    policy: 'ReduceLROnPlateau',
    rateFactor: 0.1,
    bestRow: 'ReduceLROnPlateau, best kept, rate / 10',
  },
  {
    row: 'ReduceLROnPlateau, patience 2',
    policy: 'ReduceLROnPlateau, patience 2',
    rateFactor: 1,
    bestRow: 'ReduceLROnPlateau, patience 2, best kept',
  },
  { row: 'GreedyLR', policy: 'GreedyLR', rateFactor: 1, bestRow: null },
  { row: 'dlib slope, short', policy: 'dlib slope, short', rateFactor: 1, bestRow: null },
  { row: 'SASA+, short', policy: 'SASA+, short', rateFactor: 1, bestRow: null },
  { row: 'ABEL', policy: 'ABEL', rateFactor: 1, bestRow: null },
  { row: 'AutoLRS-like', policy: 'AutoLRS-like', rateFactor: 1, bestRow: null },
  {
    row: 'found rate, linear',
    policy: 'linear',
    rateFactor: 1,
    bestRow: 'found rate, linear, best kept',
    isFromFound: true,
  },
  {
    row: 'found rate, plateau',
    policy: 'ReduceLROnPlateau, patience 2',
    rateFactor: 1,
    bestRow: 'found rate, plateau, best kept',
    isFromFound: true,
  },
]

type Ended = { readonly last: TestScore; readonly best: TestScore; readonly steps: number }

/** One run; its outcomes are the last weights' and, where the row has a name for them, the best ones'. */
export async function rivalOutcomes(task: BenchTask, row: RivalRow, seed: number): Promise<Outcome[]> {
  const found = row.isFromFound ? foundOf(task, seed) : null
  const givenRate = found?.largeRate ?? task.defaultRate * row.rateFactor
  const budgetSteps = task.budgetSteps - (found?.searchSteps ?? 0)
  const built = await buildTrainer({ ...jobOf(task, { seed }), batchSize: task.batchSize, backend: 'wasm' })
  const policy = createPolicy(row.policy, { initialRate: givenRate, budgetSteps, seed })
  try {
    const { last, best, steps } = await followed({ ...task, budgetSteps }, policy, built)
    const known = { seed, givenRate, largeRate: null, searchSteps: null, tunerVersion: null, date: today() }
    const common = { ...known, steps, switchStep: policy.firstLoweredStep }
    const outcomes: Outcome[] = [{ ...common, row: row.row, test: last }]
    if (row.bestRow !== null) outcomes.push({ ...common, row: row.bestRow, test: best })
    return outcomes
  } finally {
    built.trainer.dispose()
  }
}

/** @throws Error where row "ours" is not trained yet. */
function foundOf(task: BenchTask, seed: number): Outcome {
  const ours = loadOutcomes(task.name).find((outcome) => outcome.row === 'ours' && outcome.seed === seed)
  if (ours === undefined) throw new Error(`${task.name}, seed ${seed}: row "ours" is not trained yet`)
  return ours
}

/** Tries rates from the present weights, each over the same batches; the steps count, the weights come back. */
async function tried(policy: Policy, { trainer }: BuiltTrainer, momentum: number): Promise<void> {
  const due = policy.trials?.due(trainer.stepCount)
  if (policy.trials === undefined || due == null) return
  const start = trainer.capture()
  const trials: { rate: number; losses: number[] }[] = []
  for (const rate of due.rates) {
    for (let done = 0; done < due.stepCount; done++)
      trainer.step({ learningRate: rate, momentum, measureNorm: false })
    trials.push({ rate, losses: (await trainer.read()).map(({ loss }) => loss ?? Number.NaN) })
    trainer.resumeFrom(start, trainer.stepCount)
  }
  disposeCheckpoint(start)
  policy.trials.settle(trainer.stepCount, trials)
}

/** Takes steps at the policy's rates until the budget is used up or it stops. */
async function followed(task: BenchTask, policy: Policy, built: BuiltTrainer): Promise<Ended> {
  const { trainer, backend } = built
  const { budgetSteps, optimizer } = task
  const probeSteps = Math.max(1, Math.round(rivalProbeShare * budgetSteps))
  const rampSteps = rampStepsOf(budgetSteps)
  const needsNorm = policy.reads.includes('weightNormSquared')
  let best: { loss: number; checkpoint: Checkpoint } | null = null
  const probe = async (): Promise<void> => {
    const { loss } = await trainer.evaluateHeldOut()
    policy.observeProbe(trainer.stepCount, loss)
    if (best !== null && !(loss < best.loss)) return
    if (best !== null) disposeCheckpoint(best.checkpoint)
    best = { loss, checkpoint: trainer.capture() }
  }
  const momentum = ownMomentum[optimizer]
  while (trainer.stepCount < budgetSteps && !policy.isStopped) {
    await tried(policy, built, momentum)
    const step = trainer.stepCount
    if (step >= budgetSteps) break
    trainer.step({
      learningRate: rateAt({ rate: policy.rateFor(step), rampSteps, budgetSteps }, step),
      momentum,
      measureNorm: false,
      measureUpdate: needsNorm,
    })
    if (trainer.unreadCount >= backend.stepsPerRead || step + 1 === budgetSteps)
      for (const reading of await trainer.read())
        policy.observeLoss(reading.step, reading.loss ?? Number.NaN, reading.weightNormSquared)
    if ((step + 1) % probeSteps === 0 || step + 1 === budgetSteps) await probe()
  }
  return ended(trainer, best)
}

async function ended(
  trainer: BuiltTrainer['trainer'],
  best: { checkpoint: Checkpoint } | null,
): Promise<Ended> {
  const last = await trainer.evaluateTest()
  if (best === null) return { last, best: last, steps: trainer.stepCount }
  const steps = trainer.stepCount
  trainer.resumeFrom(best.checkpoint, steps)
  disposeCheckpoint(best.checkpoint)
  return { last, best: await trainer.evaluateTest(), steps }
}
