// `npm run bench -- regime`: the regime index against the ground truth by fork, from the traces in the repository and the runs
// that anneal (anneals.ts), without training. Prints tables as markdown, or with `--json` writes bench/results/regime.json.
// `--controls` trains the runs of known regime again first, `--anneals` those that anneal.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listOption } from '../options.ts'
import type { TaskTraces } from '../traces/format.ts'
import { loadTraces, repositoryRoot, tracedTasks } from '../traces/store.ts'
import { loadAnneals, trainAnneals } from './anneals.ts'
import { loadControls, saveControls, trainedControls } from './controls.ts'
import { resultsOf } from './results.ts'
import { regimeJson, regimeMarkdown } from './table.ts'

/** @throws RangeError for a task without traces. */
function tracesOf(task: string): TaskTraces {
  const traces = loadTraces(task)
  if (traces !== undefined) return traces
  throw new RangeError(`task must be one of ${tracedTasks().join(', ')}, got ${task}`)
}

/** @param args `--json`, `--controls`, `--anneals`, `--task a,b` for some of the traced tasks (at least two). */
export async function benchRegime(args: readonly string[]): Promise<void> {
  if (args.includes('--anneals')) await trainAnneals()
  if (args.includes('--controls')) saveControls(await trainedControls())
  const tasks = listOption(args, '--task') ?? tracedTasks()
  const all = [resultsOf(tasks.map(tracesOf)), resultsOf(loadAnneals()), loadControls()] as const
  if (!args.includes('--json')) return console.log(regimeMarkdown(...all))
  const folder = join(repositoryRoot(), 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'regime.json')
  writeFileSync(file, `${JSON.stringify(regimeJson(...all), null, 1)}\n`)
  console.log(file)
}
