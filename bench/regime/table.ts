// The results of the regime benchmark as markdown and as the JSON that other programs read.

import { table } from '../paper/table.ts'
import type { ControlResult } from './controls.ts'
import type { LabelSet } from './label.ts'
import type { RegimeResults } from './results.ts'
import type { Area } from './roc.ts'

const three = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : 'not defined')
const withBounds = ({ area, low, high }: Area): string => `${three(area)} (${three(low)} to ${three(high)})`
const setNames: Readonly<Record<LabelSet, string>> = {
  train: 'fork, training loss',
  heldOut: 'fork, held-out loss',
  annealed: 'anneal, training loss',
}
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const names = ['large-step', 'small-step', 'unstable', 'unknown'] as const

export function regimeMarkdown(
  constant: RegimeResults,
  annealed: RegimeResults,
  controls: readonly ControlResult[],
): string {
  return [
    '**ROC area** at a constant rate (95 % by bootstrap over runs)',
    '',
    rowsTable(constant),
    '',
    '**Names** of checkpoints at a constant rate, by label',
    '',
    namesTable(constant),
    '',
    knownText(constant),
    '',
    transitionsText(constant),
    '',
    '**Runs that anneal**: ROC area, forks before and inside the anneal',
    '',
    rowsTable({ ...annealed, rows: annealed.rows.slice(0, 3) }),
    '',
    namesTable({ ...annealed, named: annealed.named.filter(({ set }) => set !== 'annealed') }),
    '',
    transitionsText(annealed),
    crossingsText(annealed),
    '',
    '**Controls**: probes from the fourth on, and what they were called',
    '',
    controlsTable(controls),
    '',
    `D/L over G/L, median: ${constant.gapOverGain.toPrecision(3)}`,
  ].join('\n')
}

function rowsTable({ rows }: RegimeResults): string {
  const tasks = [...rows[0]!.tasks.keys()]
  return table(
    ['number', 'all', 'without text', 'without runs that learned nothing', ...tasks],
    rows.map((row) => [
      row.name,
      withBounds(row.all),
      withBounds(row.withoutText),
      three(row.alive.area),
      ...tasks.map((task) => three(row.tasks.get(task)?.area ?? Number.NaN)),
    ]),
  )
}

const namesTable = ({ named }: RegimeResults): string =>
  table(
    ['label by', 'label', ...names.map((name) => `called ${name}`)],
    named.map(({ set, label, counts }) => [
      setNames[set],
      label,
      ...names.map((name) => String(counts[name])),
    ]),
  )

const knownText = ({ known }: RegimeResults): string =>
  `Index known at a tenth of the budget in ${percent(known.atTenth)} of the runs (median share: ${known.fromShare.toFixed(3)}); interval before .75 of it: median width ${known.width.toFixed(2)}, .3 or less in ${percent(known.narrow)}.`

const transitionsText = ({ transitions: { runs, first, later, falseOnes, judged } }: RegimeResults): string =>
  `Of ${runs} runs ${first} had a name; ${later} later transitions. Of ${judged} names that a fork can judge ${falseOnes} were false (${percent(falseOnes / judged)}).`

const crossingsText = ({ crossings: { said, crossed, recorded } }: RegimeResults): string =>
  `Forks say large-step before and small-step at the end in ${said} runs; the index crosses ½ in ${crossed} of them, and ${recorded} end named small-step.`

const controlsTable = (controls: readonly ControlResult[]): string =>
  table(
    ['run', 'rate', 'probes', ...names, 'wrong', 'forks say'],
    controls.map(({ name, rate, probes, named, wrongShare, labels }) => [
      name,
      String(Number(rate.toPrecision(3))),
      String(probes),
      ...names.map((regime) => String(named[regime])),
      percent(wrongShare),
      labels.join(', '),
    ]),
  )

const jsonOf = ({ rows, ...results }: RegimeResults) => ({
  ...results,
  rows: rows.map(({ tasks, ...row }) => ({ ...row, tasks: Object.fromEntries(tasks) })),
})

export const regimeJson = (
  constant: RegimeResults,
  annealed: RegimeResults,
  controls: readonly ControlResult[],
) => ({ constant: jsonOf(constant), annealed: jsonOf(annealed), controls })
