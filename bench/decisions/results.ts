// Everything that the decision benchmark computes, from the traces and outcomes in the repository.

import type { BenchTask } from '../tasks.ts'
import type { TaskTraces } from '../traces/format.ts'
import type { Outcome } from '../traces/outcomes.ts'
import { isFalseLate, isFalseSwitch } from './falseSwitch.ts'
import { fittedRows } from './fittedRows.ts'
import { rateRows } from './rateRows.ts'
import { type Regret, regretOf, type TaskScores } from './regret.ts'
import { fixedAnneals, plainTimeRows, scoresOf, type TimePoint, type TimeRow, timePoint } from './timeRows.ts'
import {
  type Best,
  byAccuracy,
  byRate,
  type Choice,
  meanOf,
  oracleOf,
  type RateRuns,
  referenceScores,
  scoreOf,
} from './truth.ts'

export type TaskData = { readonly traces: TaskTraces; readonly outcomes: readonly Outcome[] }

export const parts = ['end to end', 'time', 'rate'] as const
export type Part = (typeof parts)[number]

export type Row = {
  readonly part: Part
  readonly name: string
  readonly regret: Regret
  /** What the regret was made of, task by task. */
  readonly scores: readonly TaskScores[]
  /** Share of switches that were false, too early or too late; null where the row has no switch of its own. */
  readonly falseSwitchRate: number | null
  readonly falseLateRate: number | null
  readonly switchCount: number
  /** Tasks with scores for every seed. */
  readonly taskCount: number
}

/** One row's choices on one task at one rate, for the picture. */
export type Marked = {
  readonly row: string
  readonly task: string
  readonly rate: number
  readonly choices: readonly Choice[]
}

export type Results = {
  readonly tasks: readonly {
    readonly task: BenchTask
    /** By loss; the other by accuracy. */
    readonly oracle: Best
    readonly inAccuracy: Best
    readonly rates: readonly RateRuns[]
  }[]
  readonly rows: readonly Row[]
  readonly marks: readonly Marked[]
  /** What each fitted row took for each task, fitted on the others. */
  readonly fits: readonly { readonly name: string; readonly chosen: ReadonlyMap<string, string> }[]
}

type Prepared = Results['tasks'][number] & { readonly outcomes: readonly Outcome[] }

/** Only rates that every seed has been trained at are used. */
function prepared({ traces, outcomes }: TaskData): Prepared {
  const { task } = traces.header
  const rates = byRate(traces.runs).filter(({ runs }) => runs.length === task.seeds.length)
  return { task, rates, oracle: oracleOf(rates), inAccuracy: oracleOf(rates, byAccuracy), outcomes }
}

/** The default rate and, where it is another, the oracle's. */
function pointsOf({ task, rates, oracle }: Prepared): TimePoint[] {
  const scored = rates.filter(({ rate }) => rate === task.defaultRate || rate === oracle.rate)
  return scored.map((runs) => timePoint(task, runs))
}

export function resultsOf(data: readonly TaskData[], extraTimeRows: readonly TimeRow[] = []): Results {
  const tasks = data.map(prepared)
  const points = tasks.flatMap(pointsOf)
  const fitted = fittedRows(points)
  const timeRows = [...plainTimeRows, ...fitted.map(({ row }) => row), ...extraTimeRows]
  const marks = timeRows.flatMap((row) =>
    points.map((point) => ({
      row: row.name,
      task: point.task.name,
      rate: point.runs.rate,
      choices: point.runs.runs.flatMap((run) => row.choicesOf(point, run)),
    })),
  )
  return {
    tasks,
    marks,
    fits: fitted.map(({ row, chosen }) => ({ name: row.name, chosen })),
    rows: [
      ...endRows(tasks),
      ...tracedEndRows(tasks),
      ...timeRows.map((row) => timeRowOf(row, points, marks)),
      ...allRateRows(tasks),
    ],
  }
}

/** Points of one task count as one task: their seeds are pooled. */
function timeRowOf(row: TimeRow, points: readonly TimePoint[], marks: readonly Marked[]): Row {
  const names = [...new Set(points.map(({ task }) => task.name))]
  const entries = names.map((task): TaskScores => {
    const own = points.filter((point) => point.task.name === task)
    return {
      task,
      scores: own.flatMap((point) => scoresOf(row, point)),
      oracle: own.flatMap(({ reference }) => reference),
    }
  })
  const verdicts = marks
    .filter((mark) => mark.row === row.name)
    .flatMap(({ task, rate, choices }) => {
      const { runs } = points.find((point) => point.task.name === task && point.runs.rate === rate)!
      return choices.map((choice) => verdictOf(runs, choice))
    })
  return {
    part: 'time',
    name: row.name,
    regret: regretOf(entries),
    scores: entries,
    ...verdictRates(verdicts),
    taskCount: names.length,
  }
}

type Verdict = { readonly isEarly: boolean; readonly isLate: boolean }

const verdictOf = (rate: RateRuns, choice: Choice): Verdict => ({
  isEarly: isFalseSwitch(rate, choice),
  isLate: isFalseLate(rate, choice),
})

const shareOf = (verdicts: readonly boolean[]): number | null =>
  verdicts.length === 0 ? null : meanOf(verdicts.map(Number))

const verdictRates = (verdicts: readonly Verdict[]) => ({
  falseSwitchRate: shareOf(verdicts.map(({ isEarly }) => isEarly)),
  falseLateRate: shareOf(verdicts.map(({ isLate }) => isLate)),
  switchCount: verdicts.length,
})

const referenceOf = ({ oracle, inAccuracy }: Prepared) => referenceScores(oracle, inAccuracy)

function allRateRows(tasks: readonly Prepared[]): Row[] {
  const rows = tasks.map((task) => ({
    task,
    rows: rateRows(task.task, task.rates, task.outcomes),
  }))
  const names = [...new Set(rows.flatMap((entry) => entry.rows.map(({ name }) => name)))]
  return names.map((name): Row => {
    const entries = rows.flatMap(({ task, rows: own }): TaskScores[] => {
      const scores = own.find((row) => row.name === name)?.scores
      return scores === undefined ? [] : [{ task: task.task.name, scores, oracle: referenceOf(task) }]
    })
    return {
      part: 'rate',
      name,
      regret: regretOf(entries),
      scores: entries,
      ...verdictRates([]),
      taskCount: entries.length,
    }
  })
}

/** Whole runs that the traces hold already: the default rate, never annealed or from a fixed share on. */
function tracedEndRows(tasks: readonly Prepared[]): Row[] {
  const fixedShare = (share: number) => (budgetSteps: number) => ({
    switchStep: (1 - share) * budgetSteps,
    finishStep: budgetSteps,
  })
  const rows: [string, (budgetSteps: number) => Choice][] = [
    ['constant', () => 'never'],
    ...fixedAnneals.map((share): [string, (budgetSteps: number) => Choice] => [
      `fixed ${Math.round(100 * share)} % anneal`,
      fixedShare(share),
    ]),
  ]
  return rows.map(([name, choiceOf]): Row => {
    const entries = tasks.flatMap((prepared): TaskScores[] => {
      const { task, rates } = prepared
      const own = rates.find(({ rate }) => rate === task.defaultRate)
      if (own === undefined) return []
      const scores = own.runs.map((run) => scoreOf(run, choiceOf(task.budgetSteps)))
      return [{ task: task.name, scores, oracle: referenceOf(prepared) }]
    })
    const regret = regretOf(entries)
    return {
      part: 'end to end',
      name,
      regret,
      scores: entries,
      ...verdictRates([]),
      taskCount: entries.length,
    }
  })
}

function endRows(tasks: readonly Prepared[]): Row[] {
  const names = [...new Set(tasks.flatMap(({ outcomes }) => outcomes.map(({ row }) => row)))]
  return names.flatMap((name): Row[] => {
    const entries: TaskScores[] = []
    const verdicts: Verdict[] = []
    for (const prepared of tasks) {
      const own = outcomesOf(prepared, name)
      if (own === undefined) continue
      const { task } = prepared
      entries.push({ task: task.name, scores: own.map(({ test }) => test), oracle: referenceOf(prepared) })
      verdicts.push(...own.flatMap((outcome) => endVerdict(prepared, outcome)))
    }
    if (entries.length === 0) return []
    return [
      {
        part: 'end to end',
        name,
        regret: regretOf(entries),
        scores: entries,
        ...verdictRates(verdicts),
        taskCount: entries.length,
      },
    ]
  })
}

/** One outcome per seed, or undefined where one is missing. */
function outcomesOf({ task, outcomes }: Prepared, row: string): Outcome[] | undefined {
  const own = task.seeds.map((seed) =>
    outcomes.find((outcome) => outcome.row === row && outcome.seed === seed),
  )
  return own.every((outcome) => outcome !== undefined) ? (own as Outcome[]) : undefined
}

/** A closed loop's switch, judged at the grid's nearest rate; nothing where it has none. */
function endVerdict({ rates, task }: Prepared, outcome: Outcome): Verdict[] {
  const { largeRate, switchStep, steps, tunerVersion } = outcome
  if (tunerVersion === null || largeRate === null || switchStep === null) return []
  const distance = ({ rate }: RateRuns) => Math.abs(Math.log(rate / largeRate))
  const nearest = rates.reduce((a, b) => (distance(b) < distance(a) ? b : a))
  return [verdictOf(nearest, { switchStep, finishStep: Math.min(steps, task.budgetSteps) })]
}
