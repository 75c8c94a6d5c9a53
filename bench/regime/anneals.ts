// Runs that anneal: a constant rate for .7 of the budget, then linearly to 0, with forks at a tenth of the present rate before
// and inside the anneal. They tell whether the index follows a rate that falls. Kept beside this file; `--anneals` trains them
// again (ten minutes on one core).

import { join } from 'node:path'
import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { buildTrainer } from '../../trainer/run.ts'
import { type BenchTask, benchTasks, jobOf } from '../tasks.ts'
import { createScorer, forkTruths } from '../traces/branches.ts'
import type { CheckpointTruth, TaskTraces, TraceRun } from '../traces/format.ts'
import { headerOf } from '../traces/generate.ts'
import { largeRun, rateAt } from '../traces/largeRun.ts'
import { addRuns, loadTraces, repositoryRoot, tracedTasks } from '../traces/store.ts'

const annealFromShare = 0.7
/** Two before the anneal, five inside it. */
export const annealForkShares = [0.4, 0.69, 0.76, 0.82, 0.88, 0.94, 0.98] as const
const seeds = [11, 12]

const folder = (): string => join(repositoryRoot(), 'bench', 'regime', 'data')

/** Every task at its two largest rates of the grid. */
export async function trainAnneals(): Promise<void> {
  for (const task of benchTasks)
    for (const seed of seeds)
      for (const rate of task.rateGrid.slice(-2))
        addRuns(headerOf(task), [await annealedRun(task, rate, seed)], folder())
}

export const loadAnneals = (): TaskTraces[] =>
  tracedTasks(folder()).flatMap((task) => loadTraces(task, folder()) ?? [])

async function annealedRun(task: BenchTask, rate: number, seed: number): Promise<TraceRun> {
  const built = await buildTrainer({ backend: 'wasm', ...jobOf(task, { seed }), batchSize: task.batchSize })
  const scorer = createScorer(built)
  const key = { rate, seed, annealFromStep: Math.round(annealFromShare * task.budgetSteps) }
  const { observed, checkpoints } = await largeRun(task, key, built, annealForkShares)
  const final = observed.divergedAtStep === null ? await scorer.score() : null
  const truths: CheckpointTruth[] = []
  for (const { share, checkpoint } of checkpoints) {
    const { step } = checkpoint
    built.trainer.resumeFrom(checkpoint, step)
    const before = await scorer.score()
    const forks = await forkTruths(built, scorer, checkpoint, { ...observed, rate: rateAt(observed, step) })
    truths.push({ share, step, before, anneals: [], forks })
    disposeCheckpoint(checkpoint)
  }
  scorer.dispose()
  built.trainer.dispose()
  return { ...observed, checkpoints: truths, final }
}
