// What the search for the large rate is worth: whole steered runs from a default rate, from rates ten times too high
// and too low, and from none, beside the same run without a race and beside fixed plans. One line of JSON per run.
//   npm run bench -- search --task mnist --seeds 1,2 --rows given,none,high,low,kept,linear,cosine

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plan } from '../protocol/vocabulary.ts'
import { largeRateOf, switchStepOf } from '../tuner/state.ts'
import { optionOf } from './options.ts'
import { searchCurves } from './searchCurves.ts'
import { plannedRun, steeredRun } from './steeredRun.ts'
import { type BenchTask, benchTask, jobOf } from './tasks.ts'

const rows = {
  given: (task: BenchTask) => ({ learningRate: task.defaultRate }),
  high: (task: BenchTask) => ({ learningRate: 10 * task.defaultRate }),
  low: (task: BenchTask) => ({ learningRate: task.defaultRate / 10 }),
  none: () => ({}),
  kept: (task: BenchTask) => ({ learningRate: task.defaultRate, keepsRate: true }),
} as const
const fixedRows = ['linear', 'cosine'] as const
type Row = keyof typeof rows | (typeof fixedRows)[number] | 'grid'

const fixedPlan = (shape: 'linear' | 'cosine', rate: number, budgetSteps: number): Plan => ({
  version: 1,
  segments: [{ fromStep: 0, toStep: budgetSteps, shape, from: rate, to: 0 }],
})

async function steeredRow(task: BenchTask, row: keyof typeof rows, seed: number) {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-search-'))
  try {
    const run = await steeredRun({ ...jobOf(task, { seed }), ...rows[row](task) }, folder)
    const { course, phases, seen } = run.state
    const { testLoss, testAccuracy, seconds } = run
    return {
      testLoss,
      testAccuracy,
      seconds: Math.round(seconds),
      rate: largeRateOf(course),
      largeFrom: phases.find(({ phase }) => phase === 'large')?.fromStep ?? 0,
      switchStep: switchStepOf(course),
      steps: seen.step,
      said: run.decisions
        .filter(({ rule, kind }) => rule.id === 'race' || kind === 'switch' || kind === 'guard')
        .map(({ summary }) => summary),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws RangeError for a task or row that does not exist. */
export async function benchSearch(args: readonly string[]): Promise<void> {
  const task = benchTask(optionOf(args, '--task', 'digits'))
  const seeds = optionOf(args, '--seeds', '1').split(',').map(Number)
  if (args.includes('--curves')) return searchCurves(task, seeds)
  const wanted = optionOf(args, '--rows', 'given,high,low,none,kept,linear,cosine').split(',') as Row[]
  for (const seed of seeds)
    for (const row of wanted) {
      const say = (result: object) => console.log(JSON.stringify({ task: task.name, seed, row, ...result }))
      if (row in rows) say(await steeredRow(task, row as keyof typeof rows, seed))
      else if (row === 'linear' || row === 'cosine')
        say(await plannedRun(jobOf(task, { seed }), fixedPlan(row, task.defaultRate, task.budgetSteps)))
      else if (row === 'grid')
        for (const rate of task.rateGrid)
          say({
            rate,
            ...(await plannedRun(jobOf(task, { seed }), fixedPlan('linear', rate, task.budgetSteps))),
          })
      else
        throw new RangeError(
          `row must be one of ${[...Object.keys(rows), ...fixedRows, 'grid'].join(', ')}, got ${row}`,
        )
    }
}
