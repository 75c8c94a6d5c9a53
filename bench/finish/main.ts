// `npm run bench -- finish`: how often a sign of memorising or of a rise ends a healthy run early, how often one that
// overfits, and what either costs: on simulated runs, on the traces, and in the judge's record. Thresholds and results:
// records/2026-11-28-finish. `--from N`: first seed; `--rounds N` of seeds; `--only simulated|real`; `--json` prints a line a run.

import { optionOf } from '../options.ts'
import { realRuns } from './real.ts'
import { groups, simulatedRuns } from './runs.ts'
import { realTables, simulatedTables } from './table.ts'

function wholeOption(args: readonly string[], name: string, otherwise: string): number {
  const value = Number(optionOf(args, name, otherwise))
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} must be a whole number from 1 on, got ${optionOf(args, name, otherwise)}`)
  return value
}

export async function benchFinish(args: readonly string[]): Promise<void> {
  const only = optionOf(args, '--only', '')
  const seeds = { firstSeed: wholeOption(args, '--from', '1'), rounds: wholeOption(args, '--rounds', '1') }
  const simulated = only === 'real' ? [] : groups.flatMap((group) => simulatedRuns(group, seeds))
  const real = only === 'simulated' ? [] : realRuns()
  if (args.includes('--json')) {
    for (const run of [...simulated, ...real]) console.log(JSON.stringify(run))
    return
  }
  const tables = [
    ...(simulated.length > 0 ? simulatedTables(simulated) : []),
    ...(real.length > 0 ? realTables(real) : []),
  ]
  console.log(tables.join('\n\n'))
}
