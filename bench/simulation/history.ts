// One history from its seed: jobs on one server, a network and disks that fail, processes that are killed, clocks that are
// wrong, a person's hand; then quiet, in which everything that was accepted must arrive, and what must hold of it.

import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command, Decision } from '../../protocol/vocabulary.ts'
import type { Storage } from '../../server/storage/storage.ts'
import { type Random, random as uniform } from '../../tuner/testing/random.ts'
import { SimulatedCluster } from './cluster.ts'
import { checkRun } from './invariants.ts'
import { SimulatedJob } from './job.ts'
import { Network, noFaults } from './network.ts'
import { type Service, SimulatedServer } from './server.ts'
import { VirtualTime } from './virtualTime.ts'

export type HistoryResult = {
  readonly seed: number
  /** Sentences: what does not hold. */
  readonly broken: readonly string[]
  readonly virtualSeconds: number
  readonly steps: number
  readonly decisions: number
  readonly jobKills: number
  readonly lost: number
  readonly servers: number
  readonly server: Service['counts']
  readonly network: Network['counts']
}

/** Milliseconds between two strokes of fate, and how many there are. */
const strokeMilliseconds = 900
const strokes = 16
/** In quiet everything must have ended after so long. */
const quietMilliseconds = 4 * 3_600_000

/** Files in memory where the system has them: what is torn off here is torn off by us, and no disk need be waited for. */
function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

const integer = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1))
const oneOf = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!

function faultsOf(random: Random) {
  const kind = integer(random, 0, 3)
  if (kind === 0) return noFaults
  return {
    delay: oneOf(random, [5, 200, 3_000]),
    requestLost: kind * 0.08 * random(),
    answerLost: kind * 0.08 * random(),
    repeated: kind * 0.1 * random(),
    foreign: kind * 0.04 * random(),
  }
}

function jobOptions(random: Random, index: number) {
  const steps = integer(random, 60, 360)
  return {
    runId: `job-${index}`,
    problem: {
      dimensions: 6,
      curvatureMin: 0.01,
      curvatureMax: 1,
      traceSigma: oneOf(random, [1, 20, 60]),
      batchSize: 32,
      floor: 0.2,
      seed: integer(random, 1, 1_000),
      stepMilliseconds: oneOf(random, [10, 40, 150]),
      brokenFrom: random() < 0.08 ? integer(random, 20, steps) : null,
    },
    budgetSteps: random() < 0.8 ? steps : null,
    steps,
    learningRate: 10 ** (-3 + 2 * random()),
    mode: oneOf(random, ['auto', 'auto', 'auto', 'approve', 'off'] as const),
  }
}

function commandOf(random: Random, step: number): Command {
  const by = { reason: 'simulated', by: 'a person' }
  const kind = oneOf(random, ['override', 'hand-back', 'pause', 'resume', 'switch-now', 'set-mode'] as const)
  if (kind === 'override') return { kind, learningRate: 0.01 * (0.1 + random()), untilStep: step + 40, ...by }
  if (kind === 'set-mode') return { kind, mode: oneOf(random, ['auto', 'approve', 'off'] as const), ...by }
  return { kind, ...by }
}

/** Every third history is of several servers on one database. */
const serversOf = (seed: number): number => (seed % 3 === 0 ? 2 + ((seed / 3) % 2) : 1)

/** @param sabotage makes the server's storage one that does not keep its word */
export async function runHistory(
  seed: number,
  sabotage?: (storage: Storage) => Storage,
): Promise<HistoryResult> {
  const random = uniform(seed)
  const folder = mkdtempSync(join(memoryFolder(), `twostep-simulation-${seed}-`))
  const broken: string[] = []
  const note = (sentence: string) => void broken.push(sentence)
  const time = new VirtualTime()
  const told = new Map<string, Map<number, string>>()
  const options = {
    folder: join(folder, 'server'),
    time,
    random: uniform(integer(random, 0, 2 ** 31)),
    told: (runId: string, decision: Decision) => noteDecision(told, runId, decision, note),
    broken: note,
    sabotage,
  }
  const servers = serversOf(seed)
  mkdirSync(options.folder)
  const server = servers === 1 ? new SimulatedServer(options) : new SimulatedCluster(options, servers)
  const network = new Network(time, uniform(integer(random, 0, 2 ** 31)), server)
  const jobs = Array.from({ length: integer(random, 1, 3) }, (_, index) => {
    const options = jobOptions(random, index)
    return new SimulatedJob({
      ...options,
      folder: join(folder, 'job'),
      network,
      time,
      random: uniform(integer(random, 0, 2 ** 31)),
      broken: note,
    })
  })
  const handled = new Set<string>()
  try {
    if (random() < 0.8) await server.start()
    for (const job of jobs) time.after(2_000 * random(), () => job.start())
    for (let stroke = 0; stroke < strokes && jobs.some((job) => !job.isDone); stroke++) {
      await strike({ random, server, network, jobs, handled })
      await time.until(() => jobs.every((job) => job.isDone), strokeMilliseconds * 2 * random())
    }
    network.faults = noFaults
    server.wallError = 0
    server.endNextWrite(undefined)
    if (server.isUp) server.kill()
    await server.start()
    for (const job of jobs) {
      if (!job.isAlive) job.start()
      for (const kind of ['resume', 'hand-back'] as const)
        if (handled.has(job.runId)) await server.command(job.runId, { kind, reason: '', by: 'a person' })
    }
    if (!(await time.until(() => jobs.every((job) => job.isDone), quietMilliseconds)))
      note(
        `after ${quietMilliseconds / 3_600_000} quiet hours ${jobs.filter((job) => !job.isDone).map((job) => job.runId)} have not ended`,
      )
    let decisions = 0
    await server.examine(async (storage) => {
      for (const job of jobs) {
        decisions += told.get(job.runId)?.size ?? 0
        const { runId } = job
        await checkRun(storage, job, told.get(runId) ?? new Map(), handled.has(runId), note).catch((error) =>
          note(`${runId} cannot be read: ${error}`),
        )
      }
    })
    return {
      seed,
      broken,
      virtualSeconds: time.now / 1_000,
      steps: jobs.reduce((sum, job) => sum + job.losses.size, 0),
      decisions,
      jobKills: jobs.reduce((sum, job) => sum + job.kills, 0),
      lost: jobs.reduce((sum, job) => sum + job.losable.size, 0),
      servers,
      server: server.counts,
      network: network.counts,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function noteDecision(
  told: Map<string, Map<number, string>>,
  runId: string,
  decision: Decision,
  broken: (sentence: string) => void,
): void {
  const known = told.get(runId) ?? new Map<number, string>()
  told.set(runId, known)
  const text = JSON.stringify(decision)
  const before = known.get(decision.number)
  if (before !== undefined && before !== text)
    broken(`decision ${decision.number} of ${runId} was told as ${before} and then as ${text}`)
  known.set(decision.number, text)
}

type World = {
  readonly random: Random
  readonly server: Service
  readonly network: Network
  readonly jobs: readonly SimulatedJob[]
  readonly handled: Set<string>
}

/** Something happens, or nothing. */
async function strike({ random, server, network, jobs, handled }: World): Promise<void> {
  const job = oneOf(random, jobs)
  const stroke = oneOf(random, [
    ...['quiet', 'network', 'network', 'server', 'server', 'write', 'write', 'job', 'clock', 'person'],
  ] as const)
  if (stroke === 'network') network.faults = faultsOf(random)
  else if (stroke === 'clock') server.wallError = integer(random, -2, 2) * 3_600_000 * random()
  else if (stroke === 'write')
    server.endNextWrite(oneOf(random, ['torn', 'torn', 'stored', 'refused'] as const))
  else if (stroke === 'job') {
    if (job.isAlive) job.kill(random() < 0.3)
    else job.start()
  } else if (stroke === 'person') {
    // Whether it was heard or not: it may have been stored, and nobody told.
    handled.add(job.runId)
    await server.command(job.runId, commandOf(random, job.losses.size))
  } else if (stroke === 'server' && server.isUp) server.kill()
  if (!server.isUp && random() < 0.7) await server.start(random() < 0.2 ? integer(random, 2, 40) : undefined)
}
