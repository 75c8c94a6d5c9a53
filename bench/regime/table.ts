// The results of the regime benchmark as markdown and as the JSON that other programs read.

import { table } from '../paper/table.ts'
import type { ControlResult } from './controls.ts'
import type { LabelSet } from './label.ts'
import type { RegimeResults } from './results.ts'
import type { Area, Bounds } from './roc.ts'

const three = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : 'not defined')
const withBounds = ({ area, low, high }: Area): string => `${three(area)} (${three(low)} to ${three(high)})`
const withSign = ({ value, low, high }: Bounds): string => `${three(value)} (${three(low)} to ${three(high)})`
const setNames: Readonly<Record<LabelSet, string>> = {
  train: 'fork, training loss',
  heldOut: 'fork, held-out loss',
  annealed: 'anneal, training loss',
}
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

export function regimeMarkdown(results: RegimeResults, controls: readonly ControlResult[]): string {
  const { counts, rows, reliability } = results
  const tasks = [...new Set(counts.map(({ task }) => task))]
  const kinds = ['large-step', 'small-step', 'between', 'no label', 'regime unknown'] as const
  return [
    '**Labels** (checkpoints at which the tuner knows the regime, and those at which it does not)',
    '',
    table(
      ['task', 'label by', ...kinds],
      counts.map(({ task, set, counts: own }) => [
        task,
        setNames[set],
        ...kinds.map((kind) => String(own[kind])),
      ]),
    ),
    '',
    '**ROC area**, each task by coefficients fitted on the others (95 % by bootstrap over runs)',
    '',
    table(
      ['inputs', 'all', 'without runs that learned nothing', ...tasks, 'log loss', 'above taken (95 %)'],
      rows.map((row) => [
        row.name,
        withBounds(row.all),
        three(row.alive.area),
        ...tasks.map((task) => three(row.tasks.get(task)?.area ?? Number.NaN)),
        three(row.logLoss),
        row.logLossAbove === undefined ? '' : withSign(row.logLossAbove),
      ]),
    ),
    '',
    '**Reliability** of the taken inputs, each task left out of its fit',
    '',
    table(
      ['index', 'points', 'mean index', 'large-step (95 %)'],
      reliability.map(({ from, to, points, meanIndex, shareLarge, low, high }) => [
        `${from.toFixed(1)} to ${to.toFixed(1)}`,
        String(points),
        meanIndex.toFixed(2),
        `${percent(shareLarge)} (${percent(low)} to ${percent(high)})`,
      ]),
    ),
    '',
    '**Controls**: probes from the eighth on, and what the index called them',
    '',
    controlsTable(controls),
    '',
    '**The fit on all tasks** (belongs into `tuner/signals/regime.ts`)',
    '',
    fitText(results),
  ].join('\n')
}

function controlsTable(controls: readonly ControlResult[]): string {
  return table(
    ['run', 'rate', 'probes', 'large-step', 'small-step', 'unstable', 'unknown', 'wrong', 'forks say'],
    controls.map(({ name, rate, probes, named, wrongShare, labels }) => [
      name,
      String(Number(rate.toPrecision(3))),
      String(probes),
      ...(['large-step', 'small-step', 'unstable', 'unknown'] as const).map((regime) =>
        String(named[regime]),
      ),
      percent(wrongShare),
      labels.join(', '),
    ]),
  )
}

function fitText({ fit, gapOverGain }: RegimeResults): string {
  const short = (value: number) => Number(value.toPrecision(3))
  const [[first, both], [, second]] = fit.covariance as [[number, number], [number, number]]
  return [
    '```ts',
    `  intercept: ${short(fit.intercept)},`,
    `  coefficient: ${short(fit.coefficients[0]!)},`,
    `  centre: ${short(fit.centres[0]!)},`,
    `  covariance: { intercept: ${short(first)}, both: ${short(both)}, coefficient: ${short(second)} },`,
    `// D/L over G/L, median: ${short(gapOverGain)}`,
    '```',
  ].join('\n')
}

export function regimeJson(
  { counts, rows, reliability, fit }: RegimeResults,
  controls: readonly ControlResult[],
) {
  return {
    counts,
    rows: rows.map(({ tasks, ...row }) => ({ ...row, tasks: Object.fromEntries(tasks) })),
    reliability,
    fit,
    controls,
  }
}
