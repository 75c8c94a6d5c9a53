// How fast the server takes telemetry in: a real server process on loopback, batches of 1,000 steps with every
// column over HTTP, each answered only when it is durable; beside it, in the same run, the bare insert of the
// same rows into a SQLite table with real columns, in transactions of 1,000 with the same durability. Also from
// post to socket (a page's view), from start to ready, memory, and other loggers (loggers.py) where Python has them. `--json` prints one line of figures.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { io } from 'socket.io-client'
import { type SampleColumns, type SubscribeAnswer, sampleColumnNames } from '../protocol/vocabulary.ts'
import { loadDriver } from '../server/storage/sqlite/driver.ts'
import { type ServerProcess, startServer, stop, usage } from './serverProcess.ts'

const batchSteps = 1_000
const warmUpBatches = 20
const trackioSteps = 20_000
const tensorBoardSteps = 5_000

export type IngestOptions = {
  readonly batches: number
  /** Posts whose way to a subscribed socket is timed. */
  readonly livePosts: number
  /** An empty database in place of a file. */
  readonly storageUrl?: string
}

export type IngestFigures = {
  readonly node: string
  readonly storage: string
  readonly batches: number
  readonly stepsPerSecond: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  readonly latencyMsMax: number
  readonly bareInsertStepsPerSecond: number
  /** Bare insert over ours: how many times slower than the least that must be done. */
  readonly timesBareInsert: number
  readonly postToSocketMsP50: number
  readonly postToSocketMsP99: number
  readonly startMsP50: number
  readonly rssIdleMb: number
  readonly rssAfterMb: number
  readonly cpuMicrosecondsPerStep: number
  /** The same number of scalars a step into other loggers, and how many times faster we are; null = not installed. */
  readonly trackioStepsPerSecond: number | null
  readonly timesTrackio: number | null
  readonly tensorBoardStepsPerSecond: number | null
  readonly timesTensorBoard: number | null
}

type Batch = { readonly columns: SampleColumns; readonly body: string }

/** Columns of a plausible run: a falling loss with noise, every signal reported. */
function batchOf(sequence: number): Batch {
  const first = (sequence - 1) * batchSteps
  const step = Array.from({ length: batchSteps }, (_, i) => first + i)
  let seed = sequence * 2_654_435_761
  const noise = () => {
    seed = (Math.imul(seed ^ (seed >>> 15), 1 | seed) + 0x6d2b79f5) | 0
    return ((seed >>> 0) / 4_294_967_296 - 0.5) * 0.1
  }
  const columns = Object.fromEntries(
    sampleColumnNames.map((name, i) => [name, step.map((at) => (1 + i + noise()) / (1 + at / 5_000))]),
  )
  const fixed = {
    ...columns,
    learningRate: step.map(() => 0.1),
    momentum: step.map(() => 0.9),
    batchSize: step.map(() => 128),
    microBatchSize: step.map(() => 32),
    clipped: step.map(() => 0),
    skipped: step.map(() => 0),
  }
  const steps: SampleColumns = { step, ...fixed }
  return { columns: steps, body: JSON.stringify({ clientId: 'bench', sequence, steps }) }
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN

const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function post(url: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        response.statusCode === 200 || response.statusCode === 201
          ? resolve(JSON.parse(text))
          : reject(new Error(`${response.statusCode}: ${text}`)),
      )
    })
    call.on('error', reject)
    call.end(body)
  })
}

async function ingest(server: ServerProcess, batches: readonly Batch[]) {
  const api = `${server.url}/api/v1/runs`
  await post(api, JSON.stringify({ runId: 'bench', budgetSteps: 10_000_000 }))
  const latencies: number[] = []
  let cpuBefore = 0
  let startedAt = 0
  for (const [i, { body }] of batches.entries()) {
    if (i === warmUpBatches) {
      startedAt = performance.now()
      cpuBefore = usage(server).cpuMicroseconds
    }
    const sentAt = performance.now()
    await post(`${api}/bench/telemetry`, body)
    if (i >= warmUpBatches) latencies.push(performance.now() - sentAt)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const steps = latencies.length * batchSteps
  const cpu = (usage(server).cpuMicroseconds - cpuBefore) / steps
  return { latencies, stepsPerSecond: steps / seconds, cpuMicrosecondsPerStep: cpu }
}

/** The least that must be done: the same numbers as rows of a table, as durable. */
function bareInsert(folder: string, batches: readonly Batch[]): number {
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(join(folder, 'bare.db'))
  database.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const names = ['step', ...sampleColumnNames]
  database.exec(`CREATE TABLE samples (${names.map((name) => `${name} REAL`).join(', ')})`)
  const insert = database.prepare(`INSERT INTO samples VALUES (${names.map(() => '?').join(', ')})`)
  let startedAt = 0
  for (const [i, { columns }] of batches.entries()) {
    if (i === warmUpBatches) startedAt = performance.now()
    database.exec('BEGIN')
    for (let row = 0; row < columns.step.length; row++)
      insert.run(columns.step[row]!, ...sampleColumnNames.map((name) => columns[name]![row]!))
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - startedAt) / 1_000
  database.close()
  return ((batches.length - warmUpBatches) * batchSteps) / seconds
}

/** Milliseconds from sending a small batch to its samples at a subscribed socket, at a job's usual pace. */
async function postToSocket(server: ServerProcess, posts: number): Promise<number[]> {
  const api = `${server.url}/api/v1/runs`
  await post(api, JSON.stringify({ runId: 'live' }))
  const socket = io(`${server.url}/live`, { transports: ['websocket'] })
  const request = { runId: 'live', afterDecision: 0, afterStep: 0, points: 1_000 }
  const answer = (await socket.emitWithAck('subscribe', request)) as SubscribeAnswer
  if (!answer.ok) throw new Error(answer.problem.detail)
  const times: number[] = []
  for (let i = 0; i < posts; i++) {
    const arrived = new Promise<number>((resolve) => socket.once('samples', () => resolve(performance.now())))
    const steps = { step: [i], loss: [1 / (1 + i)] }
    const sentAt = performance.now()
    await post(`${api}/live/telemetry`, JSON.stringify({ clientId: 'c', sequence: i + 1, steps }))
    times.push((await arrived) - sentAt)
  }
  socket.close()
  return times
}

const loggersPath = fileURLToPath(new URL('../../bench/loggers.py', import.meta.url))

/** Steps a second into another logger; null where this Python does not have it. */
function loggerStepsPerSecond(name: 'trackio' | 'tensorboard', steps: number): number | null {
  const python = process.env.PYTHON ?? 'python3'
  const words = [loggersPath, name, String(steps), String(sampleColumnNames.length)]
  const { stdout, status } = spawnSync(python, words, { encoding: 'utf8' })
  if (status === 0) return (JSON.parse(stdout) as { stepsPerSecond: number }).stepsPerSecond
  console.error(
    `${python} did not log with ${name}: python3 -m venv V && V/bin/pip install trackio tensorboardX,`,
  )
  console.error('then PYTHON=V/bin/python npm run bench -- ingest')
  return null
}

const times = (ours: number, other: number | null) => (other === null ? null : round(ours / other))

/** Runs the bench; about ten seconds at the default size. */
export async function ingestBench({
  batches: count,
  livePosts,
  storageUrl,
}: IngestOptions): Promise<IngestFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  try {
    const starts: number[] = []
    for (let i = 0; i < 3; i++) {
      const early = await startServer(join(folder, `start-${i}`))
      starts.push(early.startMs)
      await stop(early)
    }
    const server = await startServer(join(folder, 'data'), storageUrl)
    const idle = usage(server).rssMb
    const state = (await (await fetch(`${server.url}/readyz`)).json()) as { storage: string }
    const batches = Array.from({ length: warmUpBatches + count }, (_, i) => batchOf(i + 1))
    const bare = bareInsert(folder, batches)
    const { latencies, stepsPerSecond, cpuMicrosecondsPerStep } = await ingest(server, batches)
    const after = usage(server).rssMb
    const live = await postToSocket(server, livePosts)
    await stop(server)
    const trackio = loggerStepsPerSecond('trackio', trackioSteps)
    const tensorBoard = loggerStepsPerSecond('tensorboard', tensorBoardSteps)
    return {
      node: process.versions.node,
      storage: state.storage,
      batches: count,
      stepsPerSecond: Math.round(stepsPerSecond),
      latencyMsP50: round(quantile(latencies, 0.5)),
      latencyMsP99: round(quantile(latencies, 0.99)),
      latencyMsMax: round(Math.max(...latencies)),
      bareInsertStepsPerSecond: Math.round(bare),
      timesBareInsert: round(bare / stepsPerSecond),
      postToSocketMsP50: round(quantile(live, 0.5)),
      postToSocketMsP99: round(quantile(live, 0.99)),
      startMsP50: Math.round(quantile(starts, 0.5)),
      rssIdleMb: Math.round(idle),
      rssAfterMb: Math.round(after),
      cpuMicrosecondsPerStep: round(cpuMicrosecondsPerStep, 1),
      trackioStepsPerSecond: trackio,
      timesTrackio: times(stepsPerSecond, trackio),
      tensorBoardStepsPerSecond: tensorBoard,
      timesTensorBoard: times(stepsPerSecond, tensorBoard),
    }
  } finally {
    agent.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

const goals: { readonly [K in keyof IngestFigures]?: readonly ['≥' | '<', number] } = {
  stepsPerSecond: ['≥', 200_000],
  latencyMsP99: ['<', 50],
  postToSocketMsP99: ['<', 300],
  startMsP50: ['<', 1_000],
  rssIdleMb: ['<', 120],
}

/** @param args `--json` prints the figures as one line, `--storage URL` measures an empty PostgreSQL. */
export async function benchIngest(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--storage')
  const storageUrl = at === -1 ? undefined : args[at + 1]
  const figures = await ingestBench({
    batches: 300,
    livePosts: 60,
    ...(storageUrl === undefined ? {} : { storageUrl }),
  })
  if (args.includes('--json')) {
    console.log(JSON.stringify(figures))
    return
  }
  for (const [name, value] of Object.entries(figures)) {
    const goal = goals[name as keyof IngestFigures]
    console.log(`${name.padEnd(26)} ${value}${goal === undefined ? '' : `   (goal ${goal[0]} ${goal[1]})`}`)
  }
}
