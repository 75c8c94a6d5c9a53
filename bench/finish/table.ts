// The tables of the finish: how many runs are cut, with a bound, by group and by course; what overfitting ones lose.

import { binomialBounds } from './bounds.ts'
import type { RealRun, Truth } from './real.ts'
import { type Group, groups, type SimulatedRun } from './runs.ts'

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** "2 of 320 (0.1 to 2.2 %)". */
export function counted(hits: number, of: number): string {
  if (of === 0) return 'none'
  const { low, high } = binomialBounds(hits, of)
  return hits === 0
    ? `0 of ${of} (up to ${percent(high)})`
    : `${hits} of ${of} (${percent(low)} to ${percent(high)})`
}

const above = (runs: readonly SimulatedRun[], reference: 'lowest' | 'toEnd'): string => {
  if (runs.length === 0) return ''
  const excesses = runs.map(({ ended }) => ended.loss / ended[reference] - 1)
  return `${percent(meanOf(excesses))}, ${percent(Math.max(...excesses))}`
}

function simulatedRow(name: string, runs: readonly SimulatedRun[]): string {
  const cut = runs.filter((run) => run.isCut)
  const early = runs.filter(({ isEarly }) => isEarly)
  const ends = cut.map(({ ended, setting }) => ended.endStep / setting.lengthSteps)
  const cells = [
    name,
    counted(cut.length, runs.length),
    cut.length === 0 ? '' : percent(meanOf(ends)),
    above(cut, 'toEnd'),
    counted(early.length, runs.length),
    above(runs, 'lowest'),
  ]
  return `| ${cells.join(' | ')} |`
}

function groupTable(group: Group, runs: readonly SimulatedRun[]): string {
  const by = (title: string, key: (run: SimulatedRun) => string | number) =>
    [...new Set(runs.map(key))].map((value) =>
      simulatedRow(
        `${title}${value}`,
        runs.filter((run) => key(run) === value),
      ),
    )
  return [
    `**Simulated, ${group}**`,
    '',
    '| runs | cut | they end at | above a run to the end: mean, worst | end by 60 % | all, above the lowest: mean, worst |',
    '| --- | --- | --- | --- | --- | --- |',
    simulatedRow('all', runs),
    ...by('', ({ course }) => course),
    ...by('', ({ setting }) => (setting.hasCheckpoints ? 'weights kept' : 'no weights kept')),
    ...by('', ({ setting }) => setting.validation),
    ...by('noise ', ({ setting }) => percent(setting.scatter)),
  ].join('\n')
}

export const simulatedTables = (runs: readonly SimulatedRun[]): string[] =>
  groups.map((group) =>
    groupTable(
      group,
      runs.filter((run) => run.group === group),
    ),
  )

const truths: readonly Truth[] = ['healthy', 'overfitting', 'undecided']

function realTable(runs: readonly RealRun[], source: RealRun['source']): string {
  const own = runs.filter((run) => run.source === source)
  const tasks = [...new Set(own.map(({ task }) => task))]
  const rowOf = (name: string, truth: Truth, of: readonly RealRun[]): string[] => {
    if (of.length === 0) return []
    const cut = of.filter(({ isCut }) => isCut)
    const lost = (some: readonly RealRun[]) =>
      some.length === 0 ? '' : percent(meanOf(some.map(({ above }) => above ?? 0)))
    const early = of.filter(({ endShare }) => endShare <= 0.6).length
    const uncut = of.filter(({ isCut }) => !isCut)
    return [
      `| ${name} | ${truth} | ${counted(cut.length, of.length)} | ${early} | ${lost(cut)} | ${lost(uncut)} |`,
    ]
  }
  return [
    `**Real, ${source}**`,
    '',
    `| task | truth | cut | end by 60 % | cut ones above ${source === 'traces' ? 'the best end with the budget' : 'five lines'} | others |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...truths.flatMap((truth) =>
      rowOf(
        'all',
        truth,
        own.filter((run) => run.truth === truth),
      ),
    ),
    ...tasks.flatMap((task) =>
      truths.flatMap((truth) =>
        rowOf(
          task,
          truth,
          own.filter((run) => run.task === task && run.truth === truth),
        ),
      ),
    ),
  ].join('\n')
}

export const realTables = (runs: readonly RealRun[]): string[] => [
  realTable(runs, 'traces'),
  realTable(runs, 'judge'),
]
