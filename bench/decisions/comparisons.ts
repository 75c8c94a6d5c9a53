// Comparisons between rows: who is lowest on each task, and what a wrong start rate costs. Differences are paired by
// seed, with a 95 % interval by bootstrap over seeds.

import { bootstrapInterval, type Interval, type Regret, regretOf, type TaskScores } from './regret.ts'
import type { Part, Row } from './results.ts'

export const ownRow = 'ours'
/** Rows of ours, its ablations and variants among them, are no rivals. */
export const isOurs = (name: string): boolean =>
  name === ownRow || name.startsWith(`${ownRow},`) || name.startsWith('attempt:')

export type Winner = {
  readonly part: Part
  readonly task: string
  /** The rival with the lowest mean test loss, and what ours ends above it (negative: below). */
  readonly rival: string
  readonly excess: number
  readonly interval: Interval
}

export function winnersOf(rows: readonly Row[], parts: readonly Part[]): Winner[] {
  return parts.flatMap((part) => {
    const own = rows.find((row) => row.part === part && row.name === ownRow)
    const rivals = rows.filter((row) => row.part === part && !isOurs(row.name))
    return (own?.scores ?? []).flatMap((mine): Winner[] => {
      const found = rivals.flatMap((row) => {
        const theirs = row.scores.find(({ task }) => task === mine.task)
        const regret = row.regret.tasks.find(({ task }) => task === mine.task)
        return theirs === undefined || regret === undefined ? [] : [{ row, theirs, loss: regret.loss }]
      })
      if (found.length === 0) return []
      const best = found.reduce((a, b) => (b.loss < a.loss ? b : a))
      const excess = differences(mine, best.theirs)
      const mean = excess.reduce((sum, value) => sum + value, 0) / excess.length
      const interval = bootstrapInterval([excess])
      return [{ part, task: mine.task, rival: best.row.name, excess: mean, interval }]
    })
  })
}

const differences = (mine: TaskScores, theirs: TaskScores): number[] =>
  mine.scores.map(({ loss }, index) => loss - theirs.scores[index]!.loss)

export type Sensitivity = { readonly name: string; readonly cost: Regret }
export const wrongRates = [
  'ours, rate 10× too high',
  'ours, rate 10× too low',
  'ours, no rate given',
] as const

/** What each start costs against the default rate given; nothing where one of them was not trained. */
export function sensitivityOf(rows: readonly Row[]): Sensitivity[] {
  const own = rows.find((row) => row.part === 'end to end' && row.name === ownRow)
  return wrongRates.flatMap((name): Sensitivity[] => {
    const row = rows.find((entry) => entry.part === 'end to end' && entry.name === name)
    const entries = (row?.scores ?? []).flatMap(({ task, scores }): TaskScores[] => {
      const oracle = own?.scores.find((mine) => mine.task === task)?.scores
      return oracle === undefined ? [] : [{ task, scores, oracle }]
    })
    return entries.length === 0 ? [] : [{ name, cost: regretOf(entries) }]
  })
}
