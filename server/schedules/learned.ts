// What finished runs of a project say of the next one: the median of their large rates, and of the shares of their steps
// at which the anneal began. Only runs with the same optimizer family count, and only those that ended better than they
// began: a rate that led nowhere is no advice.

import { median } from 'simple-statistics'
import type { Learned } from '../../protocol/schemas.ts'
import type { OptimizerFamily, RunSummary } from '../../protocol/vocabulary.ts'
import type { Storage } from '../storage/storage.ts'

/** The newest finished runs of the project that are looked at. */
export const finishedRunsMax = 200

type Lesson = { readonly runId: string; readonly learningRate: number; readonly switchShare: number }

/** Undefined where a run says nothing of the next one. */
function lessonOf(run: RunSummary, family: OptimizerFamily): Lesson | undefined {
  const { id, options, outcome, largeLearningRate, switchStep, phases, step } = run
  if (options.optimizer.family !== family || outcome?.isBetter !== true) return undefined
  const origin = options.firstStep ?? phases[0]?.fromStep ?? 0
  if (largeLearningRate === null || switchStep === null || step <= origin) return undefined
  const switchShare = (switchStep - origin) / (step - origin)
  if (!(largeLearningRate > 0 && switchShare > 0 && switchShare <= 1)) return undefined
  return { runId: id, learningRate: largeLearningRate, switchShare }
}

export async function learnedFrom(
  storage: Storage,
  project: string,
  family: OptimizerFamily,
  now: number,
): Promise<Learned> {
  const { runs } = await storage.listRuns({ project, state: 'finished', limit: finishedRunsMax, now })
  const lessons = runs.flatMap(({ summary }) => lessonOf(summary, family) ?? [])
  const medianOf = (read: (lesson: Lesson) => number) =>
    lessons.length === 0 ? null : median(lessons.map(read))
  return {
    project,
    finished: runs.length,
    runs: lessons.map(({ runId }) => runId),
    learningRate: medianOf(({ learningRate }) => learningRate),
    switchShare: medianOf(({ switchShare }) => switchShare),
  }
}
