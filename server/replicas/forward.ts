// A batch for a run that falls to another server is handed to that one, which has the run in memory. If it cannot be reached the
// batch is taken here: that is always safe, as a batch that came twice is known by its sequence. The way leads to an
// address of its own, where only servers of the same database are let in (innerRoutes.ts).

import { Agent, type IncomingMessage, request as send } from 'node:http'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Replica } from '../storage/replicas.ts'
import type { Replicas } from './replicas.ts'

export const secretHeader = 'x-twostep-replica'
export const innerPath = (runId: string): string => `/replica/runs/${encodeURIComponent(runId)}/telemetry`

/** Batches on their way to one server at a time. */
const forwardsAtOnceMax = 64
/** As long as a database may take to answer (storage/postgres/connect.ts), and a little. */
const patienceMilliseconds = 40_000
const answerBytesMax = 8 * 1024 * 1024

/** What the other server answered. */
export type Forwarded = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}
/** Those of an answer that say how it is meant. */
const passedOn = ['content-type', 'retry-after'] as const

export class Forwarder {
  private readonly replicas: Pick<Replicas, 'ownerOf' | 'avoid' | 'present'>
  private readonly log: Log
  private readonly agent = new Agent({
    keepAlive: true,
    maxSockets: forwardsAtOnceMax,
    timeout: patienceMilliseconds,
  })
  /** What is on its way, by the id of the other server. */
  private readonly ways = new Map<string, Set<AbortController>>()

  constructor(replicas: Pick<Replicas, 'ownerOf' | 'avoid' | 'present'>, log: Log) {
    this.replicas = replicas
    this.log = log
  }

  /** @param body of a batch, as JSON. Undefined = it is to be taken here. */
  async telemetry(runId: string, body: Buffer, requestId: string): Promise<Forwarded | undefined> {
    const owner = this.replicas.ownerOf(runId)
    if (owner === undefined) return undefined
    const way = new AbortController()
    const ways = this.ways.get(owner.id) ?? new Set()
    this.ways.set(owner.id, ways.add(way))
    try {
      return await this.hand(owner, runId, { body, requestId, signal: way.signal })
    } catch (error) {
      this.replicas.avoid(owner.id)
      this.log('info', 'a server was not reached: what falls to it is taken here', {
        ...{ runId, address: owner.address, error },
      })
      return undefined
    } finally {
      ways.delete(way)
      if (ways.size === 0) this.ways.delete(owner.id)
    }
  }

  /** Servers have gone: what is on its way to them comes to nothing. */
  breakOff(): void {
    for (const [id, ways] of this.ways)
      if (!this.replicas.present.some((one) => one.id === id)) for (const way of ways) way.abort()
  }

  stop(): void {
    this.agent.destroy()
  }

  private hand(
    { address, secret }: Replica,
    runId: string,
    { body, requestId, signal }: { body: Buffer; requestId: string; signal: AbortSignal },
  ): Promise<Forwarded> {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-request-id': requestId,
      [secretHeader]: secret,
    }
    return new Promise((resolve, reject) => {
      const target = new URL(innerPath(runId), address)
      const options = { method: 'POST', agent: this.agent, headers, signal, timeout: patienceMilliseconds }
      const request = send(target, options, (answer) => collected(answer).then(resolve, reject))
      request.on('timeout', () => request.destroy(new Error(`no answer within ${patienceMilliseconds} ms`)))
      request.on('error', reject)
      request.end(body)
    })
  }
}

async function collected(answer: IncomingMessage): Promise<Forwarded> {
  const { statusCode = 0, headers } = answer
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > answerBytesMax) throw new Error(`its answer has more than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  // Another program has come to that address, or the same one anew, with another secret.
  if (headers[secretHeader] === undefined) throw new Error('another program answered there')
  const told = passedOn.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))
  return { status: statusCode, headers: Object.fromEntries(told), body: Buffer.concat(chunks) }
}

/** @see innerRoutes.ts */
export const notAReplica = (): ServerError =>
  new ServerError('not-found', 'there is nothing here for who is no server of the same database')
