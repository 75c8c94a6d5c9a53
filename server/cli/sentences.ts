// What the command line prints, as pure functions of values.

import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'

/** Four significant digits, without trailing noise; a dash for what is not known. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)))
}

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`

export const thousands = (value: number): string => value.toLocaleString('en-US')

/** Columns padded to their widest cell, two spaces between. */
export function table(rows: readonly (readonly string[])[]): string {
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
    ['RUN', 'NAME', 'STATE', 'STEP', 'PHASE', 'LOSS', 'RATE'],
    ...runs.map((run) => [
      run.id,
      run.options.name,
      run.state,
      run.budgetSteps === null ? thousands(run.step) : `${thousands(run.step)}/${thousands(run.budgetSteps)}`,
      run.phase,
      number(run.loss),
      number(run.learningRate),
    ]),
  ]
}

export const decisionLine = (decision: Decision): string =>
  `#${decision.number} step ${thousands(decision.step)} ${decision.kind}: ${decision.summary}`

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
        : `#${first.number}–${last.number} ${count} holds, steps ${thousands(first.step)} to ${thousands(last.step)}: ${last.summary}`
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
  const of = budgetSteps === null ? '' : ` of ${thousands(budgetSteps)}`
  return `${bar}step ${thousands(step)}${of}  loss ${number(loss)}  rate ${number(learningRate)}  ${phase}`
}
