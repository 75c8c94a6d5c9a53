// What those who hold connections and bodies open take from others: 2,000 requests whose heads never end, then 60 bodies of
// 7.9 MiB that stop before their ends. Meanwhile a job posts and a watchman looks, each time on a new connection; all of them
// must be answered. Prints a line of JSON for each kind: how long that took, and the server's memory at most.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type ServerProcess, startServer, stop } from '../serverProcess.ts'

const halfOpen = 2_000
const heldBodies = 60
const bodyBytes = Math.floor(7.9 * 1024 * 1024)
const checks = 40
const pauseMilliseconds = 50

const residentMb = ({ child }: ServerProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024

/** Milliseconds until the answer; null where there is none. */
function answered(url: string, body?: string): Promise<number | null> {
  const startedAt = performance.now()
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve) => {
    const call = request(url, { method: body === undefined ? 'GET' : 'POST', agent: false, headers })
    call.setTimeout(10_000, () => call.destroy())
    call.on('error', () => resolve(null))
    call.on('response', (response) => {
      response.on('end', () => resolve(response.statusCode === 200 ? performance.now() - startedAt : null))
      response.resume()
    })
    call.end(body)
  })
}

async function others(server: ServerProcess, kind: string, sequence: { last: number }): Promise<void> {
  const times: number[] = []
  let lost = 0
  let memory = 0
  for (let i = 0; i < checks; i++) {
    const step = ++sequence.last
    const post = JSON.stringify({
      clientId: 'job',
      sequence: step,
      steps: { step: [step], loss: [1 / step] },
    })
    const both = [
      await answered(`${server.url}/healthz`),
      await answered(`${server.url}/api/v1/runs/m/telemetry`, post),
    ]
    for (const time of both) {
      if (time === null) lost++
      else times.push(time)
    }
    memory = Math.max(memory, residentMb(server))
    await wait(pauseMilliseconds)
  }
  times.sort((a, b) => a - b)
  const at = (q: number) => Math.round(times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? -1)
  const figures = {
    kind,
    answered: times.length,
    lost,
    msP50: at(0.5),
    msMax: at(1),
    rssMbMax: Math.round(memory),
  }
  console.log(JSON.stringify(figures))
}

function open(port: number, head: string, rest?: Buffer): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(head)
  if (rest !== undefined) socket.write(rest)
  return socket
}

export async function benchHeld(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-held-'))
  const server = await startServer(folder)
  const port = Number(new URL(server.url).port)
  const sequence = { last: 0 }
  try {
    const body = '{"runId":"m"}'
    await fetch(`${server.url}/api/v1/runs`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    await others(server, 'nobody else', sequence)
    const sockets = Array.from({ length: halfOpen }, () => open(port, 'GET / HTTP/1.1\r\nHost: '))
    await others(server, `${halfOpen} half-open requests`, sequence)
    for (const socket of sockets) socket.destroy()
    const head = `POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${bodyBytes}\r\n\r\n`
    const part = Buffer.alloc(bodyBytes - 1, ' ')
    const bodies = Array.from({ length: heldBodies }, () => open(port, head, part))
    await others(server, `${heldBodies} held bodies`, sequence)
    for (const socket of bodies) socket.destroy()
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true })
  }
}
