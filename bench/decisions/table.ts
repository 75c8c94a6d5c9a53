// The results as markdown and as the JSON that other programs read.

import { sensitivityOf, winnersOf } from './comparisons.ts'
import type { Results, Row } from './results.ts'
import { parts } from './results.ts'
import { meanOf } from './truth.ts'

const signed = (value: number, digits = 4): string => value.toFixed(digits)
const percent = (share: number | null): string => (share === null ? '' : `${(100 * share).toFixed(0)} %`)

const titles = {
  'end to end': 'End to end: regret of whole runs to the best rate × switch × finish of the grid',
  time: 'Time: regret to the best switch and finish at the same rate (the default and the best rate)',
  rate: 'Rate: regret of the chosen rate, annealed at its best, to the best of the grid',
} as const

function partTable(rows: readonly Row[], tasks: readonly string[]): string[] {
  const head = [
    'row',
    ...tasks,
    'mean (95 %)',
    'worst',
    'mean log ratio',
    'accuracy, points',
    'false: too early',
    'too late',
    'switches',
  ]
  return [
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...[...rows].sort((a, b) => a.regret.meanLoss - b.regret.meanLoss).map((row) => line(row, tasks)),
  ]
}

function line(
  { name, regret, falseSwitchRate, falseLateRate, switchCount, taskCount }: Row,
  tasks: readonly string[],
): string {
  const { meanLoss, meanLossInterval: interval, worstLoss, meanLogLoss, meanAccuracy } = regret
  const perTask = tasks.map((task) => {
    const found = regret.tasks.find((entry) => entry.task === task)
    return found === undefined ? '' : signed(found.loss)
  })
  const missing = taskCount === tasks.length ? '' : ` (${taskCount} of ${tasks.length} tasks)`
  const cells = [
    `${name}${missing}`,
    ...perTask,
    `${signed(meanLoss)} (${signed(interval.low)} to ${signed(interval.high)})`,
    signed(worstLoss),
    signed(meanLogLoss, 3),
    signed(meanAccuracy, 2),
    percent(falseSwitchRate),
    percent(falseLateRate),
    switchCount === 0 ? '' : String(switchCount),
  ]
  return `| ${cells.join(' | ')} |`
}

function winnersTable({ rows }: Results): string[] {
  const winners = winnersOf(rows, ['end to end', 'time'])
  const lines = winners.map(
    ({ part, task, rival, excess, interval }) =>
      `| ${part} | ${task} | ${rival} | ${signed(excess)} (${signed(interval.low)} to ${signed(interval.high)}) |`,
  )
  if (lines.length === 0) return []
  return [
    '',
    '**The best rival of each task, and what ours ends above it (test loss; negative: below)**',
    '',
    '| question | task | best rival | ours above it (95 %) |',
    '| --- | --- | --- | --- |',
    ...lines,
  ]
}

function sensitivityTable({ rows }: Results): string[] {
  const lines = sensitivityOf(rows).map(({ name, cost }) => {
    const points = cost.tasks.map(({ task, accuracy }) => `${task} ${signed(accuracy, 2)}`).join(', ')
    return `| ${name} | ${signed(cost.meanLoss)} | ${signed(cost.meanAccuracy, 2)} | ${points} |`
  })
  if (lines.length === 0) return []
  return [
    '',
    '**What the start costs against the default rate given**',
    '',
    '| start | test loss | accuracy, points | by task |',
    '| --- | --- | --- | --- |',
    ...lines,
  ]
}

export function decisionsMarkdown(results: Results): string {
  const tasks = results.tasks.map(({ task }) => task.name)
  const oracles = results.tasks.map(({ task, oracle: { rate, choice, scores } }) => {
    const when =
      choice === 'never'
        ? 'never annealed'
        : `switch at ${percent(choice.switchStep / task.budgetSteps)}, end at ${percent(choice.finishStep / task.budgetSteps)}`
    const loss = meanOf(scores.map((score) => score.loss))
    const accuracy = 100 * meanOf(scores.map((score) => score.accuracy))
    return `| ${task.name} | ${rate} | ${when} | ${loss.toFixed(4)} | ${accuracy.toFixed(2)} % |`
  })
  const tables = parts.flatMap((part) => {
    const rows = results.rows.filter((row) => row.part === part)
    return rows.length === 0 ? [] : ['', `**${titles[part]}**`, '', ...partTable(rows, tasks)]
  })
  const fits = results.fits.map(
    ({ name, chosen }) => `| ${name} | ${tasks.map((task) => chosen.get(task) ?? '').join(' | ')} |`,
  )
  return [
    '**The best of the grid, mean over seeds**',
    '',
    '| task | rate | when | test loss | accuracy |',
    '| --- | --- | --- | --- | --- |',
    ...oracles,
    ...tables,
    ...winnersTable(results),
    ...sensitivityTable(results),
    '',
    '**What was fitted on the other tasks**',
    '',
    `| row | ${tasks.join(' | ')} |`,
    `| --- | ${tasks.map(() => '---').join(' | ')} |`,
    ...fits,
  ].join('\n')
}

export function decisionsJson(results: Results): object {
  return {
    rows: results.rows.map(
      ({ part, name, regret, falseSwitchRate, falseLateRate, switchCount, taskCount }) => ({
        part,
        name,
        meanRegretLoss: regret.meanLoss,
        meanRegretLossInterval: [regret.meanLossInterval.low, regret.meanLossInterval.high],
        worstRegretLoss: regret.worstLoss,
        worstTask: regret.worstTask,
        meanRegretLogLoss: regret.meanLogLoss,
        meanRegretAccuracy: regret.meanAccuracy,
        falseSwitchRate,
        falseLateRate,
        switchCount,
        taskCount,
        tasks: regret.tasks,
      }),
    ),
    oracle: results.tasks.map(({ task, oracle }) => ({
      task: task.name,
      rate: oracle.rate,
      choice: oracle.choice,
      testLoss: meanOf(oracle.scores.map(({ loss }) => loss)),
      testAccuracy: meanOf(oracle.scores.map(({ accuracy }) => accuracy)),
    })),
    winners: winnersOf(results.rows, ['end to end', 'time']),
    sensitivity: sensitivityOf(results.rows).map(({ name, cost }) => ({ name, ...cost })),
    fits: results.fits.map(({ name, chosen }) => ({ name, ...Object.fromEntries(chosen) })),
  }
}
