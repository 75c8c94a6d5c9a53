// Several servers on one PostgreSQL, as processes behind a proxy that knows nothing: each request goes to any of them. Jobs
// report without a pause while one server after another is killed with SIGKILL and started anew; how long a run then waits for its
// next batch to be taken, and at the end whether anything was lost, doubled or decided otherwise. `--kills N`; `--load N` batches
// a server show instead what two servers take of the processor, beside one. Needs PostgreSQL.

import pg from 'pg'
import type { Decision } from '../protocol/vocabulary.ts'
import { replayRun } from '../server/cli/replay.ts'
import { realTuner } from '../server/runs/realTuner.ts'
import { openPostgresStorage } from '../server/storage/postgres/postgresStorage.ts'
import { type ClusterServer, callServer, startClusterServer } from '../server/testing/cluster.ts'
import { howToInstall, type PostgresServer, startPostgres } from '../server/testing/postgresServer.ts'
import { random as uniform } from '../tuner/testing/random.ts'
import { optionOf } from './options.ts'
import { usage } from './serverProcess.ts'

const servers = 2
const jobs = 6
const batchSteps = 100
const loadSteps = 1_000
/** So many that they fall to the servers about evenly. */
const runsPerServer = 24
/** To each server, before what is measured: until then code is still being compiled. */
const warmUpBatches = 960
/** Pauses between a batch that was taken and the next, as of a job at work. */
const pauseMilliseconds = 15
const retryMilliseconds = 10
/** A run that is not served within this has failed. */
const patienceMilliseconds = 20_000
/** From a server's start to the next kill, at least: time enough for the others to know it. */
const betweenKillsMilliseconds = 500

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
const random = uniform(1)
const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!

function batchOf(sequence: number, steps = batchSteps) {
  const step = Array.from({ length: steps }, (_, i) => (sequence - 1) * steps + i)
  return {
    clientId: 'job',
    sequence,
    steps: {
      step,
      loss: step.map((at) => 2 / (1 + at / 1_000) + 0.05 * Math.sin(at * 1.7)),
      learningRate: step.map(() => 0.1),
      gradientNormSquared: step.map((at) => 1 + (at % 7) / 10),
    },
    probes: [
      {
        kind: 'line',
        step: sequence * steps,
        seconds: 0,
        criticalLearningRate: null,
        curvature: null,
      },
    ],
  }
}

type Job = {
  readonly runId: string
  sequence: number
  /** When its last batch was taken. */
  takenAt: number
  duplicates: number
  refusals: number
}

class Cluster {
  readonly live: ClusterServer[] = []
  private readonly url: string
  private isEnding = false
  readonly told = new Map<string, string>()
  readonly faults: string[] = []

  constructor(url: string) {
    this.url = url
  }

  async fill(): Promise<void> {
    while (this.live.length < servers)
      this.live.push(await startClusterServer(this.url, { logLevel: 'error' }))
  }

  async kill(): Promise<void> {
    const victim = oneOf(this.live)
    this.live.splice(this.live.indexOf(victim), 1)
    await victim.end()
  }

  end(): void {
    this.isEnding = true
  }

  /** A job, until the end. */
  async run(job: Job): Promise<void> {
    while (!this.isEnding) {
      job.sequence++
      for (const sentAt = performance.now(); ; ) {
        const answer = await callServer(
          oneOf(this.live),
          'POST',
          `/api/v1/runs/${job.runId}/telemetry`,
          batchOf(job.sequence),
        ).catch(() => undefined)
        if (answer?.status === 200) {
          if (answer.body.duplicate) job.duplicates++
          if (answer.body.nextSequence !== job.sequence + 1)
            this.faults.push(`${job.runId}: ${job.sequence} was answered with ${answer.body.nextSequence}`)
          break
        }
        if (answer !== undefined && answer.status < 500)
          this.faults.push(`${job.runId}: ${job.sequence} was refused: ${JSON.stringify(answer.body)}`)
        if (performance.now() - sentAt > patienceMilliseconds)
          throw new Error(
            `${job.runId}: batch ${job.sequence} was not taken in time: ${JSON.stringify(answer?.body)}`,
          )
        job.refusals++
        await sleep(retryMilliseconds)
      }
      job.takenAt = performance.now()
      await sleep(pauseMilliseconds)
    }
  }

  /** Decisions, as somebody is told them, at any server. */
  async look(runId: string): Promise<void> {
    const path = `/api/v1/runs/${runId}/decisions?limit=500`
    const answer = await callServer(oneOf(this.live), 'GET', path).catch(() => undefined)
    if (answer?.status !== 200) return
    for (const decision of answer.body.decisions as Decision[]) {
      const key = `${runId}/${decision.number}`
      const text = JSON.stringify(decision)
      const before = this.told.get(key)
      if (before !== undefined && before !== text)
        this.faults.push(`${key} was told as ${before}, then as ${text}`)
      this.told.set(key, text)
    }
  }
}

/** What is stored in the end, against what was answered. */
async function check(url: string, cluster: Cluster, all: readonly Job[]): Promise<void> {
  const storage = await openPostgresStorage({ url })
  const client = new pg.Client(url)
  await client.connect()
  for (const { runId, sequence } of all) {
    const sql = `SELECT count(*)::integer AS count, max(sequence)::integer AS last, sum(last - after)::integer AS taken
      FROM batches JOIN runs ON key = run WHERE id = $1`
    const found = (await client.query(sql, [runId])).rows[0]
    const record = await storage.run(runId)
    if (found.count !== sequence || found.last !== sequence || record?.observationCount !== found.taken + 1)
      cluster.faults.push(`${runId}: ${sequence} batches were answered, stored are ${JSON.stringify(found)}`)
    const replay = await replayRun(storage, realTuner, runId)
    if (!replay.identical)
      cluster.faults.push(`${runId}: the log gives other decisions: ${JSON.stringify(replay)}`)
    for (const [key, text] of cluster.told) {
      const [of, number] = key.split('/')
      if (of !== runId) continue
      const stored = await storage.decision(runId, Number(number))
      if (JSON.stringify(JSON.parse(stored?.body ?? 'null')) !== text)
        cluster.faults.push(`${key} was told as ${text}, and is ${stored?.body}`)
    }
  }
  await client.end()
  await storage.close()
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN

async function newDatabase({ url }: PostgresServer, name: string): Promise<string> {
  const admin = new pg.Client(`${url}/postgres`)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`)
  await admin.end()
  return `${url}/${name}`
}

/** @param args `--kills N`, or `--load N` */
export async function benchReplicas(args: readonly string[]): Promise<void> {
  const postgres = await startPostgres()
  if (postgres === undefined) throw new Error(howToInstall)
  const load = Number(optionOf(args, '--load', '0'))
  try {
    if (load > 0) for (const count of [1, 2, 1, 2]) await underLoad(postgres, count, load)
    else await killed(await newDatabase(postgres, 'bench'), Number(optionOf(args, '--kills', '50')))
  } finally {
    await postgres.stop()
  }
}

let databases = 0

/**
 * As many batches of 1,000 steps for each server, into one and into two: what their processors take for a step. (The same
 * load for both would compare one that has compiled its code with two that are half as far.)
 */
async function underLoad(postgres: PostgresServer, count: number, batches: number): Promise<void> {
  const url = await newDatabase(postgres, `load${++databases}`)
  const servers = await Promise.all(Array.from({ length: count }, () => startClusterServer(url)))
  await sleep(betweenKillsMilliseconds)
  const runIds = Array.from({ length: runsPerServer * count }, (_, i) => `job-${i}`)
  for (const runId of runIds)
    await callServer(servers[0]!, 'POST', '/api/v1/runs', { runId, budgetSteps: 10_000_000 })
  const taken = () => servers.map(({ process }) => usage({ child: process }).cpuMicroseconds)
  const warmUp = Math.ceil(warmUpBatches / runsPerServer)
  const perRun = Math.ceil(batches / runsPerServer)
  const send = (from: number, to: number) =>
    Promise.all(
      runIds.map(async (runId) => {
        for (let sequence = from; sequence <= to; sequence++) {
          const path = `/api/v1/runs/${runId}/telemetry`
          const { status } = await callServer(oneOf(servers), 'POST', path, batchOf(sequence, loadSteps))
          if (status !== 200) throw new Error(`${runId}: ${status}`)
        }
      }),
    )
  await send(1, warmUp)
  const before = taken()
  const began = performance.now()
  await send(warmUp + 1, warmUp + perRun)
  const seconds = (performance.now() - began) / 1_000
  const steps = perRun * runIds.length * loadSteps
  const micros = taken().map((after, i) => after - before[i]!)
  const perStep = micros.reduce((sum, one) => sum + one, 0) / steps
  const busiest = Math.max(...micros) / steps
  console.log(
    `${count} server${count === 1 ? ' ' : 's'}  ${(steps / seconds).toFixed(0)} steps/s  µs of processor a step: all ${perStep.toFixed(1)}, the busiest server ${busiest.toFixed(1)}`,
  )
  await Promise.all(servers.map((server) => server.end('SIGTERM')))
}

async function killed(url: string, kills: number): Promise<void> {
  const cluster = new Cluster(url)
  const waits: number[] = []
  try {
    await cluster.fill()
    const all: Job[] = []
    for (let i = 0; i < jobs; i++) {
      const runId = `job-${i}`
      const made = await callServer(oneOf(cluster.live), 'POST', '/api/v1/runs', {
        runId,
        budgetSteps: 10_000_000,
      })
      if (made.status !== 201) throw new Error(JSON.stringify(made.body))
      all.push({ runId, sequence: 0, takenAt: performance.now(), duplicates: 0, refusals: 0 })
    }
    const working = Promise.all(all.map((job) => cluster.run(job)))
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(betweenKillsMilliseconds)
      const killedAt = performance.now()
      await cluster.kill()
      while (all.some(({ takenAt }) => takenAt < killedAt)) await Promise.race([sleep(2), working])
      for (const { takenAt } of all) waits.push(takenAt - killedAt)
      await cluster.look(oneOf(all).runId)
      await cluster.fill()
      if (kill % 50 === 0) console.log(`${kill} kills, ${cluster.faults.length} faults`)
    }
    cluster.end()
    await working
    await Promise.all(cluster.live.map((server) => server.end('SIGTERM')))
    await check(url, cluster, all)
    const sum = (of: (job: Job) => number) => all.reduce((total, job) => total + of(job), 0)
    for (const [name, value] of [
      ['kills', kills],
      ['batches', sum(({ sequence }) => sequence)],
      ['answered as repeats', sum(({ duplicates }) => duplicates)],
      ['sent again', sum(({ refusals }) => refusals)],
      ['decisions told', cluster.told.size],
      ['next batch ms p50', quantile(waits, 0.5).toFixed(0)],
      ['next batch ms p99', quantile(waits, 0.99).toFixed(0)],
      ['next batch ms max', Math.max(...waits).toFixed(0)],
      ['lost, doubled, altered', cluster.faults.length],
    ])
      console.log(`${String(name).padEnd(24)} ${value}`)
    for (const fault of cluster.faults.slice(0, 10)) console.log(`  ${fault}`)
    process.exitCode = cluster.faults.length === 0 ? 0 : 1
  } finally {
    cluster.end()
    await Promise.all(cluster.live.map((server) => server.end()))
  }
}
