// The question of time: at a given rate, when each rule would have switched, read off the same observations, and what
// that costs against the best switch and finish at that rate.

import type { BenchTask } from '../tasks.ts'
import type { Score, TraceRun } from '../traces/format.ts'
import { everything, type Feed, replay } from './replay.ts'
import {
  type Best,
  bestAtRate,
  byAccuracy,
  type Choice,
  meanOf,
  type RateRuns,
  referenceScores,
  scoreOf,
} from './truth.ts'

/** One task at one rate, with the best that could have been chosen there. */
export type TimePoint = {
  readonly task: BenchTask
  readonly runs: RateRuns
  readonly best: Best
  readonly reference: readonly Score[]
}

export function timePoint(task: BenchTask, runs: RateRuns): TimePoint {
  const best = bestAtRate(runs)
  return { task, runs, best, reference: referenceScores(best, bestAtRate(runs, byAccuracy)) }
}

/** What a row chooses on a run: one choice, or several of which the mean counts (chance). */
export type TimeRow = {
  readonly name: string
  readonly choicesOf: (point: TimePoint, run: TraceRun) => readonly Choice[]
}

export const tunerRow = 'ours'

/** When the tuner switched on a trace. */
export function tunerChoice(task: BenchTask, run: TraceRun, feed: Feed): Choice {
  const { course } = replay(task, run, feed)
  return course.kind !== 'anneal'
    ? 'never'
    : { switchStep: course.fromStep, finishStep: Math.min(course.toStep, run.budgetSteps) }
}

const folded = (name: string, feed: Feed): TimeRow => ({
  name,
  choicesOf: ({ task }, run) => [tunerChoice(task, run, feed)],
})

export const fixedAnneals = [0.1, 0.2, 0.45, 0.6, 0.8] as const
const fixedRow = (share: number): TimeRow => ({
  name: `fixed ${Math.round(100 * share)} % anneal`,
  choicesOf: (_, run) => [{ switchStep: (1 - share) * run.budgetSteps, finishStep: run.budgetSteps }],
})

const randomTimes = 17
const randomRow: TimeRow = {
  name: 'random time',
  choicesOf: (_, run) =>
    Array.from({ length: randomTimes }, (_, index) => ({
      switchStep: (0.1 + (0.8 * index) / (randomTimes - 1)) * run.budgetSteps,
      finishStep: run.budgetSteps,
    })),
}

export const plainTimeRows: readonly TimeRow[] = [
  folded(tunerRow, everything),
  folded('ours, without gradient noise', { ...everything, gradientNoise: false }),
  folded('ours, without held-out data', { ...everything, heldOut: false }),
  ...fixedAnneals.map(fixedRow),
  randomRow,
  { name: 'never anneal', choicesOf: () => ['never'] },
]

/** The mean test score over a row's choices, for each seed. */
export function scoresOf(row: TimeRow, point: TimePoint): Score[] {
  return point.runs.runs.map((run) => {
    const scores = row.choicesOf(point, run).map((choice) => scoreOf(run, choice))
    return {
      loss: meanOf(scores.map(({ loss }) => loss)),
      accuracy: meanOf(scores.map(({ accuracy }) => accuracy)),
    }
  })
}
