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

const excess = ({ ended }: SimulatedRun): number => ended.loss / ended.lowest - 1

function groupTable(group: Group, runs: readonly SimulatedRun[]): string {
  const rowOf = (name: string, own: readonly SimulatedRun[]): string => {
    const cut = own.filter(({ isCut }) => isCut)
    const early = own.filter(({ isEarly }) => isEarly)
    const lost = [meanOf(own.map(excess)), Math.max(...own.map(excess))].map(percent).join(', ')
    const ends =
      cut.length === 0
        ? ''
        : percent(meanOf(cut.map(({ ended, setting }) => ended.endStep / setting.lengthSteps)))
    return `| ${name} | ${counted(cut.length, own.length)} | ${ends} | ${counted(early.length, own.length)} | ${lost} |`
  }
  const by = (title: string, key: (run: SimulatedRun) => string | number) =>
    [...new Set(runs.map(key))].map((value) =>
      rowOf(
        `${title}${value}`,
        runs.filter((run) => key(run) === value),
      ),
    )
  return [
    `**Simulated, ${group}**`,
    '',
    '| runs | cut | they end at | end by 60 % | result above the lowest: mean, worst |',
    '| --- | --- | --- | --- | --- |',
    rowOf('all', runs),
    ...by('', ({ course }) => course),
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
