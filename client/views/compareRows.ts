// The table of a comparison: what the runs are set to and what they reached, as words, with which of them differ and
// which are best. Pure.

import { formatNumber, formatPercent, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { elapsedOf } from '../charts/phases.ts'
import { formatKnown } from './format.ts'
import { type Column, columns } from './runColumns.ts'
import { phaseTitle, stateTitle } from './words.ts'

export type CompareRow = {
  readonly title: string
  /** One of each run. */
  readonly cells: readonly string[]
  readonly differs: boolean
  /** Whether a cell holds the best value of the row, where there is one. */
  readonly best: readonly boolean[]
}

type Value = string | number | boolean | null | undefined
type Row = {
  readonly title: string
  readonly of: (run: RunSummary) => Value
  readonly write?: (value: number) => string
  readonly better?: 'lower' | 'higher' | null
}

function rowOf(
  { title, of, write = formatNumber, better = null }: Row,
  runs: readonly RunSummary[],
): CompareRow {
  const values = runs.map(of)
  const cells = values.map((value) =>
    typeof value === 'number' ? write(value) : value === '' ? '–' : formatKnownText(value),
  )
  const numbers = values.filter((value): value is number => typeof value === 'number')
  const best = better === 'lower' ? Math.min(...numbers) : Math.max(...numbers)
  const isTelling = better !== null && numbers.length > 1 && new Set(numbers).size > 1
  return {
    title,
    cells,
    differs: new Set(cells).size > 1,
    best: values.map((value) => isTelling && value === best),
  }
}

const formatKnownText = (value: Value): string =>
  value === null || value === undefined
    ? formatKnown(null)
    : typeof value === 'boolean'
      ? value
        ? 'yes'
        : 'no'
      : String(value)

const none = (value: number | null, word: string, write = formatStep) =>
  value === null ? word : write(value)

const settings: readonly Row[] = [
  { title: 'Project', of: ({ options }) => options.project },
  { title: 'Tags', of: ({ options }) => options.tags.join(', ') },
  { title: 'Framework', of: ({ options }) => options.framework },
  { title: 'Optimizer', of: ({ options }) => options.optimizer.name },
  { title: 'Momentum', of: ({ options }) => options.optimizer.momentum },
  { title: 'Weight decay', of: ({ options }) => options.optimizer.weightDecay },
  { title: 'Mode', of: ({ mode }) => mode },
  { title: 'Budget', of: ({ budgetSteps }) => none(budgetSteps, 'none') },
  { title: 'Warm-up of its own', of: ({ options }) => none(options.warmupSteps, 'none') },
  { title: 'Given rate', of: ({ options }) => none(options.learningRate.initial, 'to be found', formatRate) },
  { title: 'Least rate', of: ({ options }) => none(options.learningRate.min, 'no bound', formatRate) },
  {
    title: 'Largest rate allowed',
    of: ({ options }) => none(options.learningRate.max, 'no bound', formatRate),
  },
]

const titles: Readonly<Record<string, string>> = {
  'Train loss': 'Training loss',
  'Held out': 'Held-out loss, last',
  'Best held out': 'Held-out loss, best',
  Accuracy: 'Held-out accuracy, last',
  'Best accuracy': 'Held-out accuracy, best',
}

const measured: readonly Row[] = columns
  .filter((column): column is Column & Required<Pick<Column, 'measure'>> => column.measure !== undefined)
  .map(({ title, measure }) => ({ title: titles[title] ?? title, ...measure }))

const results: readonly Row[] = [
  { title: 'State', of: ({ state }) => stateTitle[state] },
  { title: 'Phase', of: ({ phase }) => phaseTitle[phase] },
  { title: 'Steps taken', of: elapsedOf, write: formatStep },
  ...measured,
  {
    title: 'Held-out loss of the kept weights',
    of: ({ outcome }) => (outcome?.isHeldOut ? outcome.keptLoss : undefined),
    better: 'lower',
  },
  { title: 'Final loss promised', of: ({ forecast }) => forecast?.value },
  { title: 'Large step', of: ({ largeLearningRate }) => largeLearningRate, write: formatRate },
  { title: 'Switched at step', of: ({ switchStep }) => none(switchStep, 'not yet') },
  { title: 'Steps a second', of: ({ stepsPerSecond }) => stepsPerSecond, better: 'higher' },
  { title: 'Time that measuring takes', of: ({ probeShare }) => probeShare, write: formatPercent },
  { title: 'Decisions', of: ({ decisionCount }) => decisionCount, write: formatStep },
]

/** What the jobs told of themselves, each name once, in the order in which they came. */
function ownSettings(runs: readonly RunSummary[]): Row[] {
  const names = [...new Set(runs.flatMap(({ options }) => Object.keys(options.settings)))]
  return names.map((name) => ({
    title: name,
    of: ({ options }) => {
      const value = Object.hasOwn(options.settings, name) ? options.settings[name] : undefined
      return value === undefined ? 'not told' : value === null ? 'null' : value
    },
    write: String,
  }))
}

export type CompareTable = {
  readonly settings: readonly CompareRow[]
  readonly results: readonly CompareRow[]
}

export function compareTable(runs: readonly RunSummary[]): CompareTable {
  const make = (rows: readonly Row[]) => rows.map((row) => rowOf(row, runs))
  return { settings: make([...settings, ...ownSettings(runs)]), results: make(results) }
}
