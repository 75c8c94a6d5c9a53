// A server that is worked for a long time, as a team would: jobs that begin, report and end, pages that follow them, people who
// look at lists, charts and decisions, deletions and exports. What does not show in a minute would show here: memory that grows,
// answers that become slow, files that stay. At the end the server is killed, and what lies on the disk is held against what was
// answered. `--minutes N` (60), `--pace N` times as much work (1).

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, quantile } from 'simple-statistics'
import { io, type Socket } from 'socket.io-client'
import { replayRun } from '../server/cli/replay.ts'
import { realTuner } from '../server/runs/realTuner.ts'
import { openSqliteStorage } from '../server/storage/sqlite/sqliteStorage.ts'
import { callServer } from '../server/testing/cluster.ts'
import { random as uniform } from '../tuner/testing/random.ts'
import { optionOf } from './options.ts'
import { startServer, usage } from './serverProcess.ts'

const jobs = 8
const batchSteps = 50
const batchMilliseconds = 500
/** Of a run, until it ends and another begins. */
const batchesMin = 100
const batchesSpread = 400
const lookMilliseconds = 1_000
const rows = 10
/** Set before the first run: of the last tenth against the third, when what is kept for speed has filled up. */
const growthMax = 1.15
const p99MillisecondsMax = 100

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
const random = uniform(1)
const whole = (below: number) => Math.floor(random() * below)
const api = '/api/v1'

function batchOf(sequence: number, slow: number) {
  const step = Array.from({ length: batchSteps }, (_, i) => (sequence - 1) * batchSteps + i)
  const noisy = (level: number) =>
    step.map((at) => Math.fround((level * (1 + 0.1 * random())) / (1 + at / slow)))
  return {
    clientId: 'job',
    sequence,
    steps: {
      step,
      loss: noisy(2),
      learningRate: step.map(() => 0.1),
      momentum: step.map(() => 0.9),
      batchSize: step.map(() => 128),
      gradientNormSquared: noisy(4),
      weightNormSquared: noisy(100),
      metrics: { accuracy: noisy(0.5), 'tokens/s': noisy(1e5) },
    },
    probes: [
      { kind: 'line', step: sequence * batchSteps, seconds: 0, criticalLearningRate: null, curvature: null },
    ],
  }
}

/** What was measured since the last row. */
type Window = { posts: number[]; reads: number[]; refused: number }

class Work {
  readonly faults: string[] = []
  /** What each run that is there must have: its last batch that was answered. */
  readonly answered = new Map<string, number>()
  window: Window = { posts: [], reads: [], refused: 0 }
  private readonly server: { readonly url: string }
  private readonly ended: string[] = []
  private isOver = false
  private count = 0

  constructor(server: { readonly url: string }) {
    this.server = server
  }

  stop(): void {
    this.isOver = true
  }

  /** Runs, one after another. */
  async job(pause: number): Promise<void> {
    while (!this.isOver) {
      const runId = `run-${++this.count}`
      const batches = batchesMin + whole(batchesSpread)
      const budgetSteps = batches * batchSteps
      await this.call('POST', `${api}/runs`, { runId, budgetSteps, project: `p${whole(3)}`, tags: ['soak'] })
      this.answered.set(runId, 0)
      for (let sequence = 1; sequence <= batches && !this.isOver; sequence++) {
        const sentAt = performance.now()
        const path = `${api}/runs/${runId}/telemetry`
        const answer = await this.call('POST', path, batchOf(sequence, budgetSteps / 4))
        this.window.posts.push(performance.now() - sentAt)
        if (answer.status !== 200)
          this.faults.push(`${runId}, batch ${sequence}: ${JSON.stringify(answer.body)}`)
        else this.answered.set(runId, sequence)
        await sleep(Math.max(0, pause - (performance.now() - sentAt)))
      }
      this.ended.push(runId)
      await this.tidy()
    }
  }

  /** Somebody at the page: follows a run, leaves it, follows another. */
  async follow(): Promise<void> {
    while (!this.isOver) {
      const socket: Socket = io(`${this.server.url}/live`, { transports: ['websocket'] })
      for (let runs = 0; runs < 10 && !this.isOver; runs++) {
        const runId = this.anyRun()
        const request = { runId, afterDecision: 0, afterStep: 0, points: 1_000 }
        await socket
          .timeout(10_000)
          .emitWithAck('subscribe', request)
          .catch(() => this.window.refused++)
        await sleep(3_000)
        socket.emit('unsubscribe', { runId })
      }
      socket.close()
    }
  }

  /** Somebody who looks at this and that. */
  async look(pause: number): Promise<void> {
    while (!this.isOver) {
      const run = `${api}/runs/${this.anyRun()}`
      const from = whole(5_000)
      const paths = [
        `${run}/series?points=500`,
        `${run}/series?from=${from}&to=${from + 300}&points=300`,
        `${run}/decisions?limit=100`,
        `${run}/schedule`,
        `${api}/runs?limit=50&sort=loss`,
        `${api}/runs?q=run-${whole(10)}&limit=50`,
        run,
        '/metrics',
      ]
      const sentAt = performance.now()
      const response = await fetch(this.server.url + paths[whole(paths.length)]!)
      await response.arrayBuffer()
      this.window.reads.push(performance.now() - sentAt)
      // A run may have been deleted since it was chosen; a busy server says so.
      if (response.status === 503) this.window.refused++
      else if (response.status !== 200 && response.status !== 404)
        this.faults.push(`${response.url}: ${response.status}`)
      await sleep(pause)
    }
  }

  /** Of the runs that ended some are exported, and old ones deleted. */
  private async tidy(): Promise<void> {
    if (this.ended.length <= 3 * jobs) return
    const runId = this.ended.shift()!
    const answer = await fetch(`${this.server.url}${api}/runs/${runId}/export`)
    if (!(await answer.text()).endsWith('\n')) this.faults.push(`${runId}: its export was cut`)
    await this.call('DELETE', `${api}/runs/${runId}`)
    this.answered.delete(runId)
  }

  private anyRun(): string {
    const all = [...this.answered.keys()]
    return all[whole(all.length)] ?? 'none'
  }

  private call(method: string, path: string, body?: unknown) {
    return callServer(this.server, method, path, body)
  }
}

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

/** What lies on the disk after a kill, against what was answered. */
async function check(folder: string, { answered, faults }: Work): Promise<void> {
  const storage = openSqliteStorage({ file: join(folder, 'twostep.db') })
  for (const [runId, sequence] of answered) {
    const last = await storage.lastSequence(runId, 'job')
    if (last < sequence || last > sequence + 1)
      faults.push(`${runId}: ${sequence} batches were answered, ${last} are there`)
    const replay = await replayRun(storage, realTuner, runId)
    if (!replay.identical) faults.push(`${runId}: the log gives other decisions`)
  }
  await storage.close()
}

const at = (values: readonly number[], share: number): number =>
  values.length === 0 ? Number.NaN : quantile([...values], share)

export async function benchSoak(args: readonly string[]): Promise<void> {
  const minutes = Number(optionOf(args, '--minutes', '60'))
  const pace = Number(optionOf(args, '--pace', '1'))
  const folder = mkdtempSync(join(tmpdir(), 'twostep-soak-'))
  const server = await startServer(folder)
  const work = new Work(server)
  const memory: number[] = []
  const slowest: number[] = []
  try {
    const working = Promise.all([
      ...Array.from({ length: jobs }, () => work.job(batchMilliseconds / pace)),
      ...[1, 2].map(() => work.follow()),
      ...[1, 2].map(() => work.look(lookMilliseconds / pace)),
    ])
    console.log('minute  batches  batch ms p50, p99  read ms p50, p99  refused  RSS MB  disk MB')
    for (let row = 1; row <= rows; row++) {
      const rss: number[] = []
      const until = performance.now() + (minutes * 60_000) / rows
      while (performance.now() < until) {
        await Promise.race([sleep(Math.min(5_000, until - performance.now())), working])
        rss.push(usage(server).rssMb)
      }
      const { posts, reads, refused } = work.window
      work.window = { posts: [], reads: [], refused: 0 }
      memory.push(median(rss))
      slowest.push(at(posts, 0.99))
      const both = (values: readonly number[]) =>
        `${at(values, 0.5).toFixed(1)}, ${at(values, 0.99).toFixed(0)}`
      console.log(
        [
          ((row * minutes) / rows).toFixed(0).padStart(6),
          String(posts.length).padStart(8),
          both(posts).padStart(18),
          both(reads).padStart(17),
          String(refused).padStart(8),
          median(rss).toFixed(0).padStart(7),
          (bytesIn(folder) / 2 ** 20).toFixed(0).padStart(8),
        ].join(' '),
      )
    }
    work.stop()
    server.child.removeAllListeners('exit')
    const isGone = new Promise((resolve) => server.child.once('exit', resolve))
    await Promise.race([working, sleep(5_000)])
    server.child.kill('SIGKILL')
    await isGone
    await check(folder, work)
    const growth = memory.at(-1)! / memory[2]!
    console.log(`memory, last tenth / third   ${growth.toFixed(2)} (at most ${growthMax})`)
    console.log(
      `batch ms p99, worst tenth    ${Math.max(...slowest).toFixed(0)} (at most ${p99MillisecondsMax})`,
    )
    console.log(`lost, doubled, altered       ${work.faults.length}`)
    for (const fault of work.faults.slice(0, 10)) console.log(`  ${fault}`)
    const isFine =
      growth <= growthMax && Math.max(...slowest) <= p99MillisecondsMax && work.faults.length === 0
    process.exitCode = isFine ? 0 : 1
  } finally {
    server.child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
