// Whether readers can stop writers: a run of many own metrics, readers that ask for one of its signals in loops, and beside
// them what a job and a watchman meet: how long a post of telemetry and a look at /healthz take, each on a connection of
// its own. Prints a line of JSON for each number of readers; `--readers 0,20` says which.

import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type ServerProcess, startServer, stop } from '../serverProcess.ts'
import type { Answers, Loops } from './loops.ts'

const metrics = 200
const storedSteps = 16_000
const batchSteps = 1_000
const postSteps = 20
const pauseMilliseconds = 25
const measuredMilliseconds = 8_000
/** What is not answered by then counts as answered then, and nothing is asked after it. */
const patienceMilliseconds = 10_000

type Times = { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number }
type Figures = {
  readonly readers: number
  readonly reads: Answers
  readonly postMs: Times
  readonly healthMs: Times
}

function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? -1)
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** The body of a batch; the values have as many digits as a job's. */
function batch(sequence: number, from: number, count: number): string {
  const step = Array.from({ length: count }, (_, i) => from + i)
  const column = (k: number) => step.map((at) => Math.sin(at * 12.9898 + k) / (1 + k))
  const own = Object.fromEntries(Array.from({ length: metrics }, (_, k) => [`m${k}`, column(k)]))
  const steps = { step, loss: column(0).map(Math.abs), learningRate: step.map(() => 0.1), metrics: own }
  return JSON.stringify({ clientId: 'job', sequence, steps })
}

/** Milliseconds until the whole answer is there, at most as many as there is patience. */
function timed(url: string, agent: Agent, body?: string): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const method = body === undefined ? 'GET' : 'POST'
    const call = request(url, { method, agent, headers }, (response) => {
      response.on('end', () => {
        if (response.statusCode !== 200 && response.statusCode !== 201)
          reject(new Error(`${method} ${url} was answered ${response.statusCode}`))
        else resolve(performance.now() - startedAt)
      })
      response.resume()
    })
    const impatient = setTimeout(() => {
      call.destroy()
      resolve(patienceMilliseconds)
    }, patienceMilliseconds)
    call.on('close', () => clearTimeout(impatient))
    call.on('error', reject)
    call.end(body)
  })
}

async function measure(server: ServerProcess, readers: number, next: () => string): Promise<Figures> {
  const api = `${server.url}/api/v1/runs/m`
  const url = `${api}/series?signals=loss&from=0&to=${storedSteps - 1}&points=4000`
  const workerData: Loops = { url, readers }
  const worker = new Worker(new URL('./loops.js', import.meta.url), { workerData })
  const reads = new Promise<Answers>((resolve) => worker.once('message', resolve))
  await wait(1_000)
  const end = performance.now() + measuredMilliseconds
  const often = async (one: () => Promise<number>): Promise<number[]> => {
    const times: number[] = []
    while (performance.now() < end) {
      const time = await one()
      times.push(time)
      if (time >= patienceMilliseconds) break
      await wait(pauseMilliseconds)
    }
    return times
  }
  const [jobs, watchmen] = [new Agent({ keepAlive: true }), new Agent()]
  const [posts, looks] = await Promise.all([
    often(() => timed(`${api}/telemetry`, jobs, next())),
    often(() => timed(`${server.url}/healthz`, watchmen)),
  ])
  worker.postMessage('end')
  const answers = await reads
  await worker.terminate()
  jobs.destroy()
  return { readers, reads: answers, postMs: timesOf(posts), healthMs: timesOf(looks) }
}

/** @param args `--readers 0,6,20,70`; a number that stops the server ends the bench. */
export async function benchReaders(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--readers')
  const counts = (at === -1 ? '0,6,20,70' : args[at + 1]!).split(',').map(Number)
  const folder = mkdtempSync(join(tmpdir(), 'twostep-readers-'))
  const server = await startServer(folder)
  try {
    const agent = new Agent({ keepAlive: true })
    const create = JSON.stringify({ runId: 'm', budgetSteps: 10_000_000 })
    await timed(`${server.url}/api/v1/runs`, agent, create)
    let sequence = 0
    let step = 0
    const next = (count: number) => {
      const body = batch(++sequence, step, count)
      step += count
      return body
    }
    while (step < storedSteps) await timed(`${server.url}/api/v1/runs/m/telemetry`, agent, next(batchSteps))
    agent.destroy()
    for (const readers of counts)
      console.log(JSON.stringify(await measure(server, readers, () => next(postSteps))))
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true })
  }
}
