// Traces of one task: for each rate and seed the large run, then every branch from its checkpoints. About 6.8 budgets
// of steps a run.

import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { type BuiltTrainer, buildTrainer } from '../../trainer/run.ts'
import { type BenchTask, jobOf } from '../tasks.ts'
import { checkpointTruth, createScorer } from './branches.ts'
import { type TraceHeader, type TraceRun, traceFormat } from './format.ts'
import { largeRun, type RunKey } from './largeRun.ts'

export const headerOf = (task: BenchTask, backend = 'wasm'): TraceHeader => ({
  kind: 'task',
  format: traceFormat,
  task,
  backend,
})

export async function tracedRun(task: BenchTask, key: RunKey): Promise<TraceRun> {
  const job = jobOf(task, { seed: key.seed })
  const built = await buildTrainer({ backend: 'wasm', ...job, batchSize: task.batchSize })
  try {
    return await observedRun(task, key, built)
  } finally {
    built.trainer.dispose()
  }
}

async function observedRun(task: BenchTask, key: RunKey, built: BuiltTrainer): Promise<TraceRun> {
  const scorer = createScorer(built)
  const { observed, checkpoints } = await largeRun(task, key, built)
  const final = observed.divergedAtStep === null ? await scorer.score() : null
  const truths = []
  for (const entry of checkpoints) {
    truths.push(await checkpointTruth(built, scorer, entry, { ...observed }))
    disposeCheckpoint(entry.checkpoint)
  }
  scorer.dispose()
  return { ...observed, checkpoints: truths, final }
}
