// `npm run bench -- decisions`: how good the decisions are, from the traces in the repository, without training. Prints
// the tables as markdown; `--json` writes bench/results/decisions.json instead, and both draw bench/results/decisions.svg.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadOutcomes } from '../traces/outcomes.ts'
import { loadTraces, repositoryRoot, tracedTasks } from '../traces/store.ts'
import { decisionsPicture } from './picture.ts'
import { resultsOf, type TaskData } from './results.ts'
import { rivalTimeRows } from './rivalTimes.ts'
import { decisionsJson, decisionsMarkdown } from './table.ts'

export function loadedTasks(folder?: string): TaskData[] {
  return tracedTasks(folder).map((task) => ({
    traces: loadTraces(task, folder)!,
    outcomes: loadOutcomes(task, folder),
  }))
}

/** @param args `--json`. */
export async function benchDecisions(args: readonly string[]): Promise<void> {
  const results = resultsOf(loadedTasks(), rivalTimeRows)
  const folder = join(repositoryRoot(), 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'decisions.svg'), decisionsPicture(results))
  if (!args.includes('--json')) return console.log(decisionsMarkdown(results))
  const file = join(folder, 'decisions.json')
  writeFileSync(file, `${JSON.stringify(decisionsJson(results), null, 1)}\n`)
  console.log(file)
}
