// Many runs at once: 10,000 runs, of which some report in turn, a batch of 20 steps each. Tells what a batch takes and what
// memory the server has, where those that report fit in memory (`activeBytesMax`) and where each batch has to bring its run
// back first. Prints a line of JSON for each number of runs at once.

import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServer, stop, usage } from './serverProcess.ts'

const runCount = 10_000
const atOnce = [50, 1_000]
const batchSteps = 20
/** Batches of all runs together, at each number of runs at once. */
const batches = 4_000
const connections = 4

const agent = new Agent({ keepAlive: true, maxSockets: connections })

function post(url: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode! < 300 ? resolve() : reject(new Error(`${url}: ${response.statusCode}`)),
      )
    })
    call.on('error', reject)
    call.end(text)
  })
}

/** Tasks 0, 1, … with some of them under way at a time. */
async function each(count: number, task: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: connections }, work))
}

async function reported(server: ServerProcess, runs: number, sequences: Map<number, number>): Promise<void> {
  const latencies: number[] = []
  const { cpuMicroseconds } = usage(server)
  const startedAt = performance.now()
  await each(batches, async (i) => {
    const run = i % runs
    const sequence = (sequences.get(run) ?? 0) + 1
    sequences.set(run, sequence)
    const step = Array.from({ length: batchSteps }, (_, k) => (sequence - 1) * batchSteps + k)
    const loss = step.map((at) => 1 / (1 + at))
    const sentAt = performance.now()
    await post(`${server.url}/api/v1/runs/many-${run}/telemetry`, {
      clientId: 'c',
      sequence,
      steps: { step, loss },
    })
    latencies.push(performance.now() - sentAt)
  })
  const seconds = (performance.now() - startedAt) / 1_000
  const after = usage(server)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => Number(latencies[Math.floor(share * latencies.length)]!.toFixed(1))
  console.log(
    JSON.stringify({
      runsAtOnce: runs,
      batchesPerSecond: Math.round(batches / seconds),
      latencyMsP50: at(0.5),
      latencyMsP99: at(0.99),
      cpuMillisecondsPerBatch: Number(
        ((after.cpuMicroseconds - cpuMicroseconds) / 1_000 / batches).toFixed(2),
      ),
      rssMb: Math.round(after.rssMb),
    }),
  )
}

export async function benchMany(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-many-'))
  try {
    const server = await startServer(folder)
    await each(runCount, (i) =>
      post(`${server.url}/api/v1/runs`, { runId: `many-${i}`, budgetSteps: 10_000 }),
    )
    console.log(JSON.stringify({ runs: runCount, rssMb: Math.round(usage(server).rssMb) }))
    const sequences = new Map<number, number>()
    for (const runs of atOnce) await reported(server, runs, sequences)
    await stop(server)
  } finally {
    agent.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}
