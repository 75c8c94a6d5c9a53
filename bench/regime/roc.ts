// Area under the ROC curve: the chance that a random large-step point is scored above a random small-step one, ties
// by half (Mann & Whitney's statistic, from ranks, O(n log n)); its interval by bootstrap over runs within tasks, as
// checkpoints of one run are alike.

import { createRandom } from '../../trainer/random.ts'

const resamples = 1_000
const bootstrapSeed = 20_261_124

export type Scored = {
  readonly score: number
  readonly isLarge: boolean
  readonly task: string
  /** Name of the run, one of a kind over all tasks. */
  readonly run: string
}

/** NaN where a class is missing. */
export function rocArea(points: readonly Pick<Scored, 'score' | 'isLarge'>[]): number {
  const sorted = [...points].sort((a, b) => a.score - b.score)
  const large = points.filter(({ isLarge }) => isLarge).length
  let rankSum = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++
    const rank = (from + 1 + to) / 2
    for (let i = from; i < to; i++) if (sorted[i]!.isLarge) rankSum += rank
    from = to
  }
  return (rankSum - (large * (large + 1)) / 2) / (large * (points.length - large))
}

export type Area = {
  readonly area: number
  readonly low: number
  readonly high: number
  readonly points: number
  readonly large: number
  readonly runs: number
}

/** With a 95 % interval; bounds are NaN where the area is. */
export function areaOf(points: readonly Scored[]): Area {
  return {
    area: rocArea(points),
    ...boundsOf(points, rocArea),
    points: points.length,
    large: points.filter(({ isLarge }) => isLarge).length,
    runs: new Set(points.map(({ run }) => run)).size,
  }
}

type Placed = Pick<Scored, 'task' | 'run'>

/** 95 % of a statistic over resampled runs, as many of each task as there are; draws in which it is not defined are left out. */
function boundsOf<T extends Placed>(points: readonly T[], statistic: (drawn: readonly T[]) => number) {
  const byTask = new Map<string, Map<string, T[]>>()
  for (const point of points) {
    const runs = byTask.get(point.task) ?? new Map<string, T[]>()
    byTask.set(point.task, runs)
    runs.set(point.run, [...(runs.get(point.run) ?? []), point])
  }
  const tasks = [...byTask.values()].map((runs) => [...runs.values()])
  const random = createRandom(bootstrapSeed)
  const values: number[] = []
  for (let i = 0; i < resamples; i++) {
    const value = statistic(tasks.flatMap((runs) => runs.flatMap(() => runs[random.integer(runs.length)]!)))
    if (Number.isFinite(value)) values.push(value)
  }
  values.sort((a, b) => a - b)
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? Number.NaN
  return { low: at(0.025), high: at(0.975) }
}
