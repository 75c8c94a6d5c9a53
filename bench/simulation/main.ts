// `npm run sim -- SEED`: one simulated history, and what does not hold in it; `--seeds N` as many from there on, shared among
// processes. The same seed is the same history, on every machine.

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { optionOf } from '../options.ts'
import { type HistoryResult, runHistory } from './history.ts'

const defaultSeeds = 100
const workersMax = 4

type Totals = Record<string, number>

/** What is counted over histories. */
const countsOf = ({
  broken,
  steps,
  decisions,
  jobKills,
  lost,
  servers,
  server,
  network,
}: HistoryResult): Totals => ({
  histories: 1,
  failed: broken.length > 0 ? 1 : 0,
  steps,
  decisions,
  jobKills,
  stepsLostWithJobs: lost,
  serverStarts: server.starts,
  serverKills: server.kills,
  tornWrites: server.torn,
  fullDisks: server.full,
  historiesOfSeveral: servers > 1 ? 1 : 0,
  overtakenWrites: server.moved,
  requests: network.requests,
  requestsLost: network.lost,
  requestsRepeated: network.repeated,
  foreignAnswers: network.foreign,
})

const add = (totals: Totals, more: Totals) => {
  for (const [name, value] of Object.entries(more)) totals[name] = (totals[name] ?? 0) + value
}

function tell({ seed, broken, ...rest }: HistoryResult): void {
  console.log(`seed ${seed}: ${broken.length === 0 ? 'clean' : `${broken.length} things do not hold`}`)
  for (const sentence of broken.slice(0, 10)) console.log(`  ${sentence}`)
  console.log(`  ${JSON.stringify(rest)}`)
}

/** Every `stride`-th seed of a range. */
async function runAll(first: number, count: number, offset: number, stride: number): Promise<Totals> {
  const totals: Totals = {}
  for (let seed = first + offset; seed < first + count; seed += stride) {
    const result = await runHistory(seed)
    add(totals, countsOf(result))
    if (count === 1) tell(result)
    else if (result.broken.length > 0) {
      tell(result)
      console.log(`failed: npm run sim -- ${seed}`)
    }
  }
  return totals
}

/** One of several processes: all but its counts goes to the same output. */
function worker(args: readonly string[]): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, ['sim', ...args])
    let totals: Totals | undefined
    child.once('message', (message) => {
      totals = message as Totals
    })
    child.once('error', reject)
    child.once('exit', (status) => {
      if (totals !== undefined) resolve(totals)
      else reject(new Error(`a process of the simulation ended with status ${status}`))
    })
  })
}

/** @param args SEED, `--seeds N` */
export async function benchSimulation(args: readonly string[]): Promise<void> {
  const isGiven = args[0] !== undefined && /^\d+$/.test(args[0])
  const first = isGiven ? Number(args[0]) : 1
  const count = Number(optionOf(args, '--seeds', String(isGiven ? 1 : defaultSeeds)))
  const share = optionOf(args, '--share', '')
  if (share !== '') {
    const [offset = 0, stride = 1] = share.split('/').map(Number)
    process.send?.(await runAll(first, count, offset, stride))
    return
  }
  const workers = Math.min(workersMax, availableParallelism(), Math.ceil(count / 20))
  const totals: Totals = {}
  if (workers < 2) add(totals, await runAll(first, count, 0, 1))
  else {
    const all = Array.from({ length: workers }, (_, i) =>
      worker([String(first), '--seeds', String(count), '--share', `${i}/${workers}`]),
    )
    for (const more of await Promise.all(all)) add(totals, more)
  }
  const { histories = 0, failed = 0, ...rest } = totals
  for (const [name, value] of Object.entries(rest)) console.log(`${name.padEnd(20)} ${value}`)
  console.log(`${histories - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && histories === count ? 0 : 1
}
