// Regret: what a row ends above the oracle, paired by seed; its mean over tasks with a 95 % interval by bootstrap
// over seeds within tasks, and the worst task. Losses are compared as differences (nats) and as log ratios.

import { createRandom } from '../../trainer/random.ts'
import type { Score } from '../traces/format.ts'
import { meanOf } from './truth.ts'

/** One row's scores on one task beside the oracle's, both in the order of the seeds. */
export type TaskScores = {
  readonly task: string
  readonly scores: readonly Score[]
  readonly oracle: readonly Score[]
}

export type Interval = { readonly low: number; readonly high: number }
export type TaskRegret = {
  readonly task: string
  readonly loss: number
  readonly logLoss: number
  /** Points of accuracy (100 × the difference of shares); positive = worse than the oracle. */
  readonly accuracy: number
}
export type Regret = {
  readonly tasks: readonly TaskRegret[]
  readonly meanLoss: number
  readonly meanLossInterval: Interval
  readonly worstLoss: number
  readonly worstTask: string
  readonly meanLogLoss: number
  readonly meanAccuracy: number
}

const resamples = 2_000
const bootstrapSeed = 20_261_124

export function taskRegret({ task, scores, oracle }: TaskScores): TaskRegret {
  const over = (difference: (score: Score, best: Score) => number) =>
    meanOf(scores.map((score, index) => difference(score, oracle[index]!)))
  return {
    task,
    loss: over((score, best) => score.loss - best.loss),
    logLoss: over((score, best) => Math.log(score.loss / best.loss)),
    accuracy: over((score, best) => 100 * (best.accuracy - score.accuracy)),
  }
}

/** @throws RangeError if there is no task. */
export function regretOf(entries: readonly TaskScores[]): Regret {
  if (entries.length === 0) throw new RangeError('a regret needs scores on at least one task, got none')
  const tasks = entries.map(taskRegret)
  const worst = tasks.reduce((a, b) => (b.loss > a.loss ? b : a))
  return {
    tasks,
    meanLoss: meanOf(tasks.map(({ loss }) => loss)),
    meanLossInterval: bootstrapInterval(
      entries.map(({ scores, oracle }) => scores.map(({ loss }, index) => loss - oracle[index]!.loss)),
    ),
    worstLoss: worst.loss,
    worstTask: worst.task,
    meanLogLoss: meanOf(tasks.map(({ logLoss }) => logLoss)),
    meanAccuracy: meanOf(tasks.map(({ accuracy }) => accuracy)),
  }
}

/** 95 % interval of the mean over groups of group means, resampling within groups. */
export function bootstrapInterval(groups: readonly (readonly number[])[]): Interval {
  const random = createRandom(bootstrapSeed)
  const means = Array.from({ length: resamples }, () =>
    meanOf(groups.map((values) => meanOf(values.map(() => values[random.integer(values.length)]!)))),
  ).sort((a, b) => a - b)
  return { low: means[Math.floor(0.025 * resamples)]!, high: means[Math.ceil(0.975 * resamples) - 1]! }
}
