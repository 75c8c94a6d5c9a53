// Real runs that the tuner has decided: the traces, folded once more, and those of ours that the judge's record keeps. Each
// with what is known of its task: do more steps still lower the loss of the annealed weights?

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { everything } from '../decisions/replay.ts'
import { tunerChoice } from '../decisions/timeRows.ts'
import {
  byRate,
  type Choice,
  longestOf,
  meanOf,
  type RateRuns,
  scoreOf,
  trainedChoices,
} from '../decisions/truth.ts'
import type { BenchTask } from '../tasks.ts'
import { loadTraces, repositoryRoot, tracedTasks } from '../traces/store.ts'
import { earlyShare } from './runs.ts'

export type Truth = 'healthy' | 'overfitting' | 'undecided'

export type RealRun = {
  readonly source: 'traces' | 'judge'
  readonly task: string
  /** Rate and seed, or row, length and seed. */
  readonly name: string
  readonly truth: Truth
  readonly isCut: boolean
  /** Steps at the end as a share of the budget. */
  readonly endShare: number
  /** ln of the loss over that of the best finish at the end of the budget (traces), or of the same task's "five lines". */
  readonly above: number | null
}

/** What more steps must take off to count, on traces. */
const tracedGain = 0.01
/** … from the judge's short budgets to its long ones: as much says that they pay at both, less than the other at neither. */
const judgedGain = 0.03
const judgedNone = 0.01

const lossOf = ({ runs }: RateRuns, choice: Choice): number =>
  meanOf(runs.map((run) => scoreOf(run, choice).loss))

/** Lowest loss, mean over seeds, of the trained choices that end with the budget, and of those that end early. */
function endsOf(rate: RateRuns): { readonly full: number; readonly early: number } {
  const [{ budgetSteps }] = rate.runs as [RateRuns['runs'][number]]
  const choices = trainedChoices(longestOf(rate.runs)).filter((choice) => choice !== 'never')
  const lowest = (isMeant: (finishStep: number) => boolean) =>
    Math.min(...choices.filter(({ finishStep }) => isMeant(finishStep)).map((choice) => lossOf(rate, choice)))
  return {
    full: lowest((finishStep) => finishStep >= budgetSteps),
    early: lowest((finishStep) => finishStep <= earlyShare * budgetSteps),
  }
}

function truthOf({ full, early }: { readonly full: number; readonly early: number }): Truth {
  if (full <= (1 - tracedGain) * early) return 'healthy'
  return early <= (1 - tracedGain) * full ? 'overfitting' : 'undecided'
}

function tracedRuns(task: BenchTask, rate: RateRuns): RealRun[] {
  const ends = endsOf(rate)
  return rate.runs.map((run): RealRun => {
    const choice = tunerChoice(task, run, everything)
    const isCut = choice !== 'never' && choice.finishStep < run.budgetSteps
    return {
      source: 'traces',
      task: task.name,
      name: `${run.rate}, seed ${run.seed}`,
      truth: truthOf(ends),
      isCut,
      endShare: choice === 'never' ? 1 : choice.finishStep / run.budgetSteps,
      above: Math.log(scoreOf(run, choice).loss / ends.full),
    }
  })
}

type Judged = {
  readonly task: string
  readonly row: string
  readonly seed: number
  readonly length: 'short' | 'long'
  readonly steps?: number
  readonly budget?: number
  readonly test: number
  readonly decisions?: readonly (readonly [step: number, kind: string, reason: string])[]
}

const judgeFolder = () => join(repositoryRoot(), 'bench', 'records', '2026-11-28-autopilot')
/** Only where something is held out can a sign be seen. */
const isJudged = ({ row }: Judged): boolean => row === 'ours' || row.startsWith('ours, rate')
const signs = ['anneal-memorising', 'anneal-overfitting', 'cut-rise']

export function judgedRuns(folder = judgeFolder()): RealRun[] {
  const rows = ['short', 'long'].flatMap((name) =>
    readFileSync(join(folder, `${name}.ndjson`), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Judged),
  )
  const fiveLines = (task: string, length: string): number =>
    meanOf(
      rows
        .filter((row) => row.row === 'five lines' && row.task === task && row.length === length)
        .map(({ test }) => Math.log(test)),
    )
  return rows.filter(isJudged).map((row): RealRun => {
    const { task, length, steps, budget, decisions = [], test, seed } = row
    const gain = fiveLines(task, 'short') - fiveLines(task, 'long')
    const endShare = (steps ?? 0) / (budget ?? 0)
    return {
      source: 'judge',
      task,
      name: `${row.row}, ${length}, seed ${seed}`,
      truth: gain >= judgedGain ? 'healthy' : gain < judgedNone ? 'overfitting' : 'undecided',
      isCut: endShare < 1 || decisions.some(([, , reason]) => signs.includes(reason)),
      endShare,
      above: Math.log(test) - fiveLines(task, length),
    }
  })
}

export function realRuns(): RealRun[] {
  const traced = tracedTasks().flatMap((name) => {
    const { header, runs } = loadTraces(name)!
    return byRate(runs).flatMap((rate) => tracedRuns(header.task, rate))
  })
  return [...traced, ...judgedRuns()]
}
