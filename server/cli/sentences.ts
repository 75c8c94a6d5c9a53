// What the command line prints, as pure functions of values.

import { formatNumber, formatPlural, formatRate, formatStep } from '../../protocol/numbers.ts'
import { endOfBudget } from '../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { onOneLine } from '../controls.ts'

/** A value in one of the number formats; a dash for what is not known. */
export const known = (format: (value: number) => string, value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : format(value)

/** Columns padded to their widest cell, two spaces between; names and reasons stay in theirs, whatever is in them. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(onOneLine))
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function runRows(runs: readonly RunSummary[]): string[][] {
  return [
    ['RUN', 'NAME', 'STATE', 'STEP', 'PHASE', 'LOSS', 'HELD-OUT', 'RATE'],
    ...runs.map((run) => [
      run.id,
      run.options.name,
      run.state,
      run.budgetSteps === null
        ? formatStep(run.step)
        : `${formatStep(run.step)}/${formatStep(endOfBudget(run.phases[0]?.fromStep ?? 0, run.budgetSteps))}`,
      run.phase,
      known(formatNumber, run.loss),
      known(formatNumber, run.heldOut?.lossBest),
      known(formatRate, run.learningRate),
    ]),
  ]
}

export const decisionLine = (decision: Decision): string =>
  onOneLine(`#${decision.number} step ${formatStep(decision.step)} ${decision.kind}: ${decision.summary}`)

/** Decisions as lines; holds in a row become one. */
export function foldHolds(): { add(decision: Decision): string[]; end(): string[] } {
  let first: Decision | undefined
  let last: Decision | undefined
  let count = 0
  const end = (): string[] => {
    if (first === undefined || last === undefined) return []
    const line =
      count === 1
        ? decisionLine(first)
        : onOneLine(
            `#${first.number}–${last.number} ${formatPlural(count, 'hold')}, steps ${formatStep(first.step)} to ${formatStep(last.step)}: ${last.summary}`,
          )
    first = undefined
    last = undefined
    count = 0
    return [line]
  }
  return {
    end,
    add: (decision) => {
      if (decision.kind !== 'hold') return [...end(), decisionLine(decision)]
      first ??= decision
      last = decision
      count++
      return []
    },
  }
}

export type Progress = {
  readonly step: number
  readonly budgetSteps: number | null
  readonly loss: number | null
  readonly learningRate: number | null
  readonly phase: string
}

const barCharacters = 24

/** One line of progress: bar, step, loss, rate, phase. */
export function progressLine({ step, budgetSteps, loss, learningRate, phase }: Progress): string {
  const share = budgetSteps === null ? null : Math.min(1, step / budgetSteps)
  const filled = Math.round((share ?? 0) * barCharacters)
  const bar =
    share === null
      ? ''
      : `[${'='.repeat(filled)}${' '.repeat(barCharacters - filled)}] ${Math.floor(100 * share)} %  `
  const of = budgetSteps === null ? '' : ` of ${formatStep(budgetSteps)}`
  return `${bar}step ${formatStep(step)}${of}  loss ${known(formatNumber, loss)}  rate ${known(formatRate, learningRate)}  ${phase}`
}
