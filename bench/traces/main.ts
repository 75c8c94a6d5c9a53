// `npm run bench -- traces`: trains the task matrix and keeps the traces. Hours on two cores; each run is saved when
// it is done, and those that are there already are left out unless `--again` is given. `--rows ours` or `rivals`
// trains the closed-loop rows instead.

import { listOption } from '../options.ts'
import { type BenchTask, benchTask, benchTasks } from '../tasks.ts'
import { type RivalRow, rivalOutcomes, rivalRows } from './closedLoop.ts'
import { headerOf, tracedRun } from './generate.ts'
import { type OurRow, ourOutcome, ourRows } from './ours.ts'
import { addOutcomes, loadOutcomes, type Outcome } from './outcomes.ts'
import { addRuns, loadTraces } from './store.ts'

/**
 * @param args `--task a,b`, `--seeds 1,2`, `--again`; `--rates .1,.3` for traces; `--rows ours|rivals` for closed
 * loops, with `--only "row"`, as often as wanted, for those whose name starts so.
 */
export async function benchTraces(args: readonly string[]): Promise<void> {
  const names = listOption(args, '--task') ?? benchTasks.map(({ name }) => name)
  const [rows] = listOption(args, '--rows') ?? []
  for (const task of names.map(benchTask)) {
    if (rows === 'ours')
      await closedLoops(task, args, ourRows, async (row, seed) => [await ourOutcome(task, row, seed)])
    else if (rows === 'rivals')
      await closedLoops(task, args, rivalRows, (row, seed) => rivalOutcomes(task, row, seed))
    else await traceTask(task, args)
  }
}

async function closedLoops<Row extends OurRow | RivalRow>(
  task: BenchTask,
  args: readonly string[],
  rows: readonly Row[],
  train: (row: Row, seed: number) => Promise<Outcome[]>,
): Promise<void> {
  const starts = args.flatMap((arg, index) => (arg === '--only' ? [args[index + 1] ?? ''] : []))
  const isWanted = (row: string) => starts.length === 0 || starts.some((start) => row.startsWith(start))
  const seeds = listOption(args, '--seeds')?.map(Number) ?? task.seeds
  for (const row of rows.filter((entry) => isWanted(entry.row)))
    for (const seed of seeds) {
      const isKnown = loadOutcomes(task.name).some((known) => known.row === row.row && known.seed === seed)
      if (isKnown && !args.includes('--again')) continue
      const started = performance.now()
      const outcomes = await train(row, seed)
      addOutcomes(task.name, outcomes)
      const [{ test, switchStep }] = outcomes as [Outcome]
      const seconds = ((performance.now() - started) / 1_000).toFixed(0)
      const score = `test loss ${test.loss.toFixed(4)}, accuracy ${(100 * test.accuracy).toFixed(2)} %`
      console.log(
        `${task.name} seed ${seed} ${row.row}: ${score}, switch ${switchStep ?? 'none'} (${seconds} s)`,
      )
    }
}

async function traceTask(task: BenchTask, args: readonly string[]): Promise<void> {
  const rates = listOption(args, '--rates')?.map(Number) ?? task.rateGrid
  const seeds = listOption(args, '--seeds')?.map(Number) ?? task.seeds
  for (const rate of rates)
    for (const seed of seeds) {
      const known = loadTraces(task.name)?.runs ?? []
      if (!args.includes('--again') && known.some((run) => run.rate === rate && run.seed === seed)) continue
      const started = performance.now()
      const run = await tracedRun(task, { rate, seed })
      addRuns(headerOf(task), [run])
      const seconds = ((performance.now() - started) / 1_000).toFixed(0)
      const losses = run.checkpoints.flatMap(({ anneals }) => anneals.map(({ test }) => test.loss))
      const best = Math.min(...losses)
      const end = run.divergedAtStep === null ? '' : `, diverged at step ${run.divergedAtStep}`
      console.log(
        `${task.name} rate ${rate} seed ${seed}: best test loss ${best.toFixed(4)}${end} (${seconds} s)`,
      )
    }
}
