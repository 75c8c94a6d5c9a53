// A stand-in for the server in tests: a real HTTP server that keeps what it is sent by the protocol's rules (each
// message once, in order, 409 at a gap), and can be told to refuse, to delay, to lose its answer, or to go away and
// come back on the same port with or without its memory.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRunSchema, telemetrySchema } from '../../protocol/schemas.ts'
import type { Action, Plan, Telemetry } from '../../protocol/vocabulary.ts'

export type StandInServer = {
  readonly url: string
  /** Messages applied, in order, and bodies that broke the protocol. */
  readonly applied: Telemetry[]
  readonly invalid: string[]
  readonly created: unknown[]
  plan: Plan
  actions: Action[]
  /** The next so many requests: answered with this status, or (0) the connection is cut after the work is done. */
  fail(status: number, count: number, body?: unknown): void
  /** Requests wait until the returned function is called. */
  hold(): () => void
  stop(): Promise<void>
  start(): Promise<void>
  /** The sequence number last applied per client: set it to test a server that lost or gained memory. */
  readonly sequences: Map<string, number>
}

const regime = { name: 'unknown', index: null, low: null, high: null }

function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
    request.on('error', reject)
  })
}

export async function startStandInServer(plan: Plan): Promise<StandInServer> {
  let server: Server | undefined
  let port = 0
  let failures: { status: number; body: unknown }[] = []
  let gate: Promise<void> = Promise.resolve()

  const applyTelemetry = (text: string): { status: number; body: unknown } => {
    const parsed = telemetrySchema.safeParse(JSON.parse(text))
    if (!parsed.success) {
      standIn.invalid.push(parsed.error.message)
      return { status: 422, body: { detail: parsed.error.message } }
    }
    const telemetry = parsed.data as Telemetry
    const last = standIn.sequences.get(telemetry.clientId) ?? 0
    if (telemetry.sequence > last + 1)
      return { status: 409, body: { code: 'sequence-gap', expectedSequence: last + 1 } }
    const duplicate = telemetry.sequence <= last
    const { clientId, sequence } = telemetry
    const known = standIn.applied.find((one) => one.clientId === clientId && one.sequence === sequence)
    if (duplicate && JSON.stringify(known) !== JSON.stringify(telemetry))
      return {
        status: 409,
        body: { code: 'sequence-reused', detail: 'other content', expectedSequence: last + 1 },
      }
    if (!duplicate) {
      standIn.sequences.set(telemetry.clientId, telemetry.sequence)
      standIn.applied.push(telemetry)
    }
    const nextSequence = (standIn.sequences.get(telemetry.clientId) ?? 0) + 1
    const accepted = telemetry.steps?.step.length ?? 0
    const { plan: current, actions } = standIn
    return {
      status: 200,
      body: { accepted, duplicate, nextSequence, phase: 'large', regime, plan: current, actions },
    }
  }
  const createRun = (text: string): { status: number; body: unknown } => {
    const parsed = createRunSchema.safeParse(JSON.parse(text))
    if (!parsed.success) {
      standIn.invalid.push(parsed.error.message)
      return { status: 422, body: { detail: parsed.error.message } }
    }
    standIn.created.push(parsed.data)
    const nextSequence = Object.fromEntries([...standIn.sequences].map(([id, last]) => [id, last + 1]))
    const step = Math.max(0, ...standIn.applied.flatMap(({ steps }) => (steps?.step ?? []).map((s) => s + 1)))
    const run = { id: parsed.data.runId, step }
    return { status: 201, body: { run, plan: standIn.plan, actions: standIn.actions, nextSequence } }
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await bodyOf(request)
    await gate
    const failure = failures.shift()
    if (failure !== undefined && failure.status > 0) return reply(response, failure)
    const isTelemetry = request.url?.endsWith('/telemetry') ?? false
    const done =
      request.method === 'POST'
        ? isTelemetry
          ? applyTelemetry(text)
          : createRun(text)
        : { status: 404, body: {} }
    if (failure !== undefined) response.destroy()
    else reply(response, done)
  }
  const reply = (response: ServerResponse, { status, body }: { status: number; body: unknown }): void => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(body))
  }
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer((request, response) => void answer(request, response))
      server.listen(port, '127.0.0.1', () => {
        port = (server!.address() as AddressInfo).port
        resolve()
      })
    })
  const standIn: StandInServer = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    applied: [],
    invalid: [],
    created: [],
    plan,
    actions: [],
    sequences: new Map(),
    fail: (status, count, body = { detail: `told to answer ${status}` }) => {
      failures = Array.from({ length: count }, () => ({ status, body }))
    },
    hold: () => {
      let release = (): void => undefined
      gate = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
    start,
    stop: () =>
      new Promise((resolve) => {
        server?.close(() => resolve())
        server?.closeAllConnections()
      }),
  }
  await start()
  return standIn
}
