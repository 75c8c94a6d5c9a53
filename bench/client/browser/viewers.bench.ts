// What 20 viewers of a run cost its job: the same batches to one server, in turns without and with viewers; which of the two
// comes first changes from round to round. Each viewer is a socket that follows the run as a page does; they are a process of their own.

import { readFileSync } from 'node:fs'
import { median } from 'simple-statistics'
import { drawnSignals } from '../../../client/state/drawn.ts'
import { startProgram } from '../../../e2e/fixtures/program.ts'
import type { Server } from '../../../e2e/fixtures/service.ts'
import { HttpJob } from '../httpJob.ts'
import { test } from './part.ts'

const viewers = 20
const rounds = 10
const stepsPerTurn = 30_000
const batchSteps = 1_000
const microsecondsPerTick = 10_000

/** Processor time of a process so far, where /proc tells it (Linux). */
function processorMicroseconds({ child }: Server): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick
  } catch {
    return Number.NaN
  }
}

type Turn = { readonly seconds: number; readonly processorMicrosecondsPerStep: number }

test('20 viewers of a run', async ({ home, server, programs, keep }) => {
  const budgetSteps = 100 * stepsPerTurn * rounds
  const job = await HttpJob.start({ url: server.url, runId: 'watched', budgetSteps, batchSteps })
  const turn = async (): Promise<Turn> => {
    const [begun, before, first] = [performance.now(), processorMicroseconds(server), job.step]
    await job.reportUntil(first + stepsPerTurn)
    const seconds = (performance.now() - begun) / 1_000
    const spent = processorMicroseconds(server) - before
    return { seconds, processorMicrosecondsPerStep: spent / (job.step - first) }
  }
  const watch = async () => {
    const signals = drawnSignals({ signals: [], closed: [] }).join()
    const args = [server.url, 'watched', String(viewers), signals]
    const program = programs.add(startProgram('dist/bench/client/viewers.js', args, { folder: home }))
    await program.line(/^watching$/)
    return program
  }
  // The first steps of a run, with its search and most of its probes, are unlike those after them.
  await turn()
  const taken: { without: Turn; with: Turn }[] = []
  for (let round = 0; round < rounds; round++) {
    const isFirst = round % 2 === 0
    const before = isFirst ? await turn() : undefined
    const program = await watch()
    const watched = await turn()
    await program.kill('SIGKILL')
    taken.push({ without: before ?? (await turn()), with: watched })
  }
  const more = (of: (one: Turn) => number) =>
    100 * (median(taken.map((round) => of(round.with) / of(round.without))) - 1)
  const figures = {
    slowdownPercent: more(({ seconds }) => seconds),
    processorPercent: more(({ processorMicrosecondsPerStep }) => processorMicrosecondsPerStep),
  }
  keep('viewers', figures, { viewers, stepsPerTurn, rounds: taken })
})
