// The wire, fuzzed: valid requests with bytes or values changed at random, from fixed seeds. Whatever comes, the answer is of the
// contract and never an unforeseen one, what was accepted reads back, and the next valid batch is taken.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Random, random } from '../../tuner/testing/random.ts'
import { realTuner } from '../runs/realTuner.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer({ tuner: realTuner })
})
afterEach(() => server.close())

type Message = Record<string, unknown>

/** The valid messages of an example file. */
function examplesOf(name: string): readonly Message[] {
  const file = fileURLToPath(new URL(`../../protocol/examples/${name}`, import.meta.url))
  const { valid } = JSON.parse(readFileSync(file, 'utf8')) as { valid: { message: Message }[] }
  return valid.map(({ message }) => message)
}

const oneOf = <T>(next: Random, values: readonly T[]): T => values[Math.floor(next() * values.length)]!

/** What a field may be changed to. */
const oddities: readonly unknown[] = [
  null,
  true,
  '',
  'NaN',
  '-Infinity',
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
  [[[]]],
  { a: { b: [] } },
  ['x'],
  [null],
  'x'.repeat(5_000),
  Array.from({ length: 3_000 }, (_, i) => i),
]

/** A copy with one value, anywhere in it, changed, removed or put in. */
function changed(value: unknown, next: Random): unknown {
  const isLeaf = typeof value !== 'object' || value === null
  if (isLeaf || next() < 0.15) return oneOf(next, oddities)
  if (Array.isArray(value)) {
    if (value.length === 0 || next() < 0.2) return [...value, oneOf(next, oddities)]
    const at = Math.floor(next() * value.length)
    return value.map((entry, i) => (i === at ? changed(entry, next) : entry))
  }
  const entries = Object.entries(value)
  const [name = 'x'] = oneOf(next, entries) ?? []
  if (next() < 0.15) return Object.fromEntries(entries.filter(([one]) => one !== name))
  if (next() < 0.15)
    return { ...value, [oneOf(next, ['__proto__', 'toString', 'x', ''])]: oneOf(next, oddities) }
  return { ...value, [name]: changed((value as Record<string, unknown>)[name], next) }
}

/** A copy of the bytes with some of them changed, cut off or said twice. */
function damaged(bytes: Buffer, next: Random): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 0; i < 1 + next() * 4; i++) copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256)
  const cut = Math.floor(next() * copy.length)
  if (next() < 0.2) return copy.subarray(0, cut)
  return next() < 0.2 ? Buffer.concat([copy.subarray(0, cut), copy]) : copy
}

async function send(path: string, body: Buffer | string): Promise<number> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  const answer = (await response.json()) as { code?: string }
  if (answer.code === 'internal' || response.status >= 500)
    throw new Error(`${path} is answered with ${response.status}: ${JSON.stringify(answer)}`)
  return response.status
}

const kinds = [
  ['/runs', examplesOf('createRun.json')],
  ['/runs/r/telemetry', examplesOf('telemetry.json')],
] as const

it.each([1, 2, 3, 4])('is never answered by a fault of ours (seed %i)', async (seed) => {
  const next = random(seed)
  await server.call('POST', '/api/v1/runs', { runId: 'r', budgetSteps: 1_000 })
  const statuses = new Map<number, number>()
  let sequence = 0
  for (let i = 0; i < 250; i++) {
    const [path, examples] = oneOf(next, kinds)
    const valid = oneOf(next, examples)
    const body =
      path === '/runs' ? { ...valid, runId: `r${i}` } : { ...valid, clientId: `c${i}`, sequence: 1 }
    const text = JSON.stringify(next() < 0.6 ? changed(body, next) : body)
    const status = await send(path, next() < 0.4 ? damaged(Buffer.from(text), next) : text)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (i % 50 !== 49) continue
    sequence++
    const steps = sampleBatch(100_000 + 10 * sequence, 10)
    const taken = await server.call('POST', '/api/v1/runs/r/telemetry', { clientId: 'job', sequence, steps })
    expect(taken.status).toBe(200)
  }
  // It reaches behind the first check, and is refused there as well.
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 422]))
  const { status } = await server.call('GET', '/api/v1/runs/r/decisions')
  expect(status).toBe(200)
})
