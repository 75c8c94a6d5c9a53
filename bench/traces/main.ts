// `npm run bench -- traces`: trains the task matrix and keeps the traces. Hours on two cores; each run is saved when
// it is done, and those that are there already are left out unless `--again` is given.

import { type BenchTask, benchTask, benchTasks } from '../tasks.ts'
import { headerOf, tracedRun } from './generate.ts'
import { addRuns, loadTraces } from './store.ts'

export function listOption(args: readonly string[], name: string): string[] | undefined {
  const at = args.indexOf(name)
  return at < 0 ? undefined : (args[at + 1] ?? '').split(',').filter((part) => part !== '')
}

/** @param args `--task a,b`, `--rates .1,.3`, `--seeds 1,2`, `--again`. */
export async function benchTraces(args: readonly string[]): Promise<void> {
  const names = listOption(args, '--task') ?? benchTasks.map(({ name }) => name)
  for (const task of names.map(benchTask)) await traceTask(task, args)
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
      const best = Math.min(...run.checkpoints.flatMap(({ anneals }) => anneals.map(({ test }) => test.loss)))
      const end = run.divergedAtStep === null ? '' : `, diverged at step ${run.divergedAtStep}`
      console.log(
        `${task.name} rate ${rate} seed ${seed}: best test loss ${best.toFixed(4)}${end} (${seconds} s)`,
      )
    }
}
