// The live side: socket.io, namespace /live, on the HTTP server's port. The same hosts, origins and tokens as HTTP; a token
// comes with the handshake, and a connection ends with its token.
// Every message of a browser is parsed; every bound answers with a problem.

import type { Server as HttpServer, IncomingHttpHeaders } from 'node:http'
import { Server } from 'socket.io'
import { subscribeRunsSchema, subscribeSchema } from '../../protocol/schemas.ts'
import type {
  ClientEvents,
  Decision,
  Problem,
  RunSummary,
  ServerEvents,
  SubscribeAnswer,
  SubscribeRequest,
} from '../../protocol/vocabulary.ts'
import { demand, demandRun, seesAll } from '../access/caller.ts'
import type { Tokens } from '../access/tokens.ts'
import type { Clock } from '../clock.ts'
import { problemOf, ServerError, serverEnding } from '../errors.ts'
import { bearerOf } from '../http/admission.ts'
import { type AllowList, checkLiveCaller } from '../http/guard.ts'
import { addressOf, headersOf, type Trusted } from '../http/place.ts'
import { parse } from '../http/validate.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Replicas } from '../replicas/replicas.ts'
import { runNotFound } from '../runs/runErrors.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { LiveAdapter } from '../storage/replicas.ts'
import type { Storage } from '../storage/storage.ts'
import { Elsewhere } from './elsewhere.ts'
import { Hub } from './hub.ts'
import { type BetweenServers, type LiveData, type LiveSocket, mayHear, type Subscription } from './outlet.ts'

export const socketsMax = 200
export const subscriptionsMax = 20
/** Connections whose token has expired meanwhile are looked for this often. */
export const expiryMilliseconds = 15_000
const messageBytesMax = 64 * 1024
/** A connection that has not joined the namespace by then is closed: no page of ours takes so long. */
const joinMilliseconds = 5_000
/** Decisions inside the answer to a subscription; the rest follow as events. */
export const decisionsInAnswerMax = 200

export type LiveOptions = {
  readonly server: HttpServer
  /** The path of its host under which it is asked; may be empty. */
  readonly basePath: string
  readonly storage: Storage
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly tokens: Tokens
  readonly metrics: Pick<Metrics, 'refused'>
  readonly clock: Clock
  readonly log: Log
  readonly inHand: InHand
  readonly allowList: () => AllowList
  readonly isTrusted: Trusted
  /** Where there are several servers. */
  readonly replicas?: { readonly all: Replicas; readonly adapter: LiveAdapter } | undefined
}
export type Live = {
  close(): Promise<void>
  /** The connections, for those who watch the server. */
  sockets(): readonly LiveSocket[]
}

/** Attaches the live side to an HTTP server. */
export function attachLive(options: LiveOptions): Live {
  const { server, basePath, runs, reader, storage, clock, log } = options
  const { allowList, tokens, metrics, isTrusted, replicas, inHand } = options
  let isClosed = false
  const io: Server<ClientEvents, ServerEvents, BetweenServers, LiveData> = new Server(server, {
    path: `${basePath}/socket.io`,
    serveClient: false,
    transports: ['websocket', 'polling'],
    maxHttpBufferSize: messageBytesMax,
    perMessageDeflate: false,
    connectTimeout: joinMilliseconds,
    ...(replicas && { adapter: replicas.adapter }),
    allowRequest: (request, decide) => {
      const refusal = isClosed
        ? serverEnding().message
        : refusalOf(headersOf(request, isTrusted), allowList(), makeRoom)
      if (refusal !== undefined) log('info', 'a live connection was refused', { reason: refusal })
      decide(refusal ?? null, refusal === undefined)
    },
  })
  const namespace = io.of('/live')
  /** At the bound the oldest connection that has joined nothing goes. False = there is none. */
  const makeRoom = (): boolean => {
    if (io.engine.clientsCount < socketsMax) return true
    const joined = new Set([...namespace.sockets.values()].map(({ conn }) => conn))
    const connections = Object.values((io.engine as unknown as Engine).clients)
    const idle = connections.find((connection) => !joined.has(connection))
    idle?.close(true)
    return idle !== undefined
  }
  const hub = new Hub({
    storage,
    runs,
    reader,
    clock,
    log,
    inHand,
    send: (sockets, event, message) => {
      // They are all of this server.
      if (sockets.length > 0) namespace.local.to(sockets.map(({ id }) => id)).emit(event, message as never)
    },
  })
  const elsewhere =
    replicas && new Elsewhere({ namespace, runs, hub, replicas: replicas.all, clock, log, inHand })
  namespace.use(async (socket, next) => {
    const secret = tokenOf(socket)
    const from = addressOf(socket.request, isTrusted)
    try {
      await tokens.learn(secret, from)
      socket.data.caller = tokens.admit(secret, from)
      demand(socket.data.caller, 'read')
      next()
    } catch (error) {
      metrics.refused(error instanceof ServerError ? error.code : 'internal')
      next(refusalWith(problemOf(error)))
    }
  })
  const endings = endWithToken(() => [...namespace.sockets.values()], tokens, clock)
  namespace.on('connection', (socket) => {
    endings.watch(socket)
    serve(socket, hub, options)
  })
  return {
    sockets: () => [...namespace.sockets.values()],
    close: async () => {
      isClosed = true
      hub.stop()
      elsewhere?.stop()
      endings.stop()
      io.local.disconnectSockets(true)
      for (const { adapter } of [io.of('/'), namespace]) await adapter.close()
      await new Promise<void>((resolve) => io.engine.close() && resolve())
    },
  }
}

/** What the handshake holds beside a page's own words is the same header that HTTP takes. */
function tokenOf({ handshake, request }: LiveSocket): string | undefined {
  const { token } = handshake.auth as { readonly token?: unknown }
  return typeof token === 'string' && token !== '' ? token : bearerOf(request)
}

/** As socket.io carries it to the page: `data` of its `connect_error`. */
const refusalWith = (problem: Problem): Error => Object.assign(new Error(problem.detail), { data: problem })

/** Ends connections whose token is no longer one: at once where it was revoked, soon where it has expired. */
function endWithToken(sockets: () => readonly LiveSocket[], tokens: Tokens, clock: Clock) {
  let cancel: (() => void) | undefined
  const sweep = () => {
    cancel = undefined
    for (const socket of sockets()) if (!tokens.isAdmitted(socket.data.caller)) socket.disconnect(true)
    arm()
  }
  const arm = () => {
    if (cancel !== undefined || sockets().every(({ data }) => data.caller.tokenId === null)) return
    cancel = clock.after(expiryMilliseconds, sweep)
  }
  tokens.onRevoked((id) => {
    for (const socket of sockets()) if (socket.data.caller.tokenId === id) socket.disconnect(true)
  })
  return { watch: (_socket: LiveSocket) => arm(), stop: () => cancel?.() }
}

type Connection = LiveSocket['conn']
/** What engine.io keeps, in the order in which they came. */
type Engine = { readonly clients: Readonly<Record<string, Connection>> }

/** @param makeRoom for one connection more; false = there is none */
function refusalOf(
  headers: IncomingHttpHeaders,
  allow: AllowList,
  makeRoom: () => boolean,
): string | undefined {
  try {
    checkLiveCaller(headers, allow)
  } catch (error) {
    return (error as Error).message
  }
  // A connection that exists already is not asked here again, whatever stands in the address.
  return makeRoom()
    ? undefined
    : `there are ${socketsMax} live connections already, which is the most allowed`
}

function serve(socket: LiveSocket, hub: Hub, options: LiveOptions): void {
  const { runs, reader, clock, storage, log, inHand } = options
  const subscriptions = new Map<string, Subscription>()
  const drop = (runId: string) => {
    const subscription = subscriptions.get(runId)
    if (subscription !== undefined) hub.unsubscribe(subscription)
    subscriptions.delete(runId)
  }
  socket.on('subscribe', (request, answer) => {
    if (typeof answer !== 'function') return
    const joining = async () => {
      try {
        const wanted = parse(subscribeSchema, request)
        await demandRun(storage, socket.data.caller, wanted.runId)
        const joined = await subscribe(socket, wanted, { hub, reader, clock, storage, subscriptions, drop })
        answer(joined.answer)
        joined.answered()
      } catch (error) {
        if (!(error instanceof ServerError)) log('error', 'a subscription failed', { error })
        answer({ ok: false, problem: problemOf(error, undefined, seesAll(socket.data.caller)) })
      }
    }
    inHand.hold(joining())
  })
  socket.on('unsubscribe', (request) => {
    if (typeof request?.runId === 'string') drop(request.runId)
  })
  socket.on('subscribe-runs', (request, answer) => {
    if (typeof answer !== 'function') return
    const listing = async () => {
      try {
        const query = parse(subscribeRunsSchema, request)
        // Listening first, so that no change falls between; each request after it only asks for another page.
        hub.listen(socket)
        answer(await runs.list(query, socket.data.caller.project))
        if (!socket.connected) hub.leave(socket)
      } catch (error) {
        if (!(error instanceof ServerError)) log('error', 'the list of runs could not be read', { error })
        socket.emit('problem', problemOf(error, undefined, seesAll(socket.data.caller)))
      }
    }
    inHand.hold(listing())
  })
  socket.on('disconnect', () => {
    hub.leave(socket)
    for (const runId of [...subscriptions.keys()]) drop(runId)
  })
}

type SubscribeContext = {
  readonly hub: Hub
  readonly reader: SeriesReader
  readonly clock: Clock
  readonly storage: Storage
  readonly subscriptions: Map<string, Subscription>
  readonly drop: (runId: string) => void
}

/** Joins the run's events at the moment that the answer is of, so that nothing falls between: what comes before it waits. */
async function subscribe(
  socket: LiveSocket,
  { runId, afterDecision, afterStep, points, signals, together = false }: SubscribeRequest,
  { hub, reader, clock, storage, subscriptions, drop }: SubscribeContext,
): Promise<{ readonly answer: SubscribeAnswer; readonly answered: () => void }> {
  const query = { from: afterStep, to: Number.MAX_SAFE_INTEGER, points }
  let joined: { run: RunSummary; decisions: Decision[]; subscription: Subscription } | undefined
  try {
    const { series, names } = await reader.live(runId, query, async ({ series: stored, record }) => {
      // It may have been moved to another project since it was asked for.
      if (!mayHear(socket, record.project)) throw runNotFound(runId)
      const run = summaryAt(record, clock.now())
      const page = await storage.decisions(runId, { after: afterDecision, limit: decisionsInAnswerMax })
      const lastDecision = page.at(-1)?.number ?? afterDecision
      const subscription: Subscription = {
        socket,
        runId,
        points,
        signals: signals === undefined ? undefined : new Set(signals),
        together,
        isHeld: true,
        lastDecision,
        missedFromStep: undefined,
        missedDecisions: lastDecision < run.decisionCount,
        missedRun: false,
      }
      join(subscription, { hub, subscriptions, drop })
      joined = { run, decisions: page.map(({ body }) => JSON.parse(body) as Decision), subscription }
      return signals?.filter((name) => stored.has(name))
    })
    const { run, decisions, subscription } = joined!
    return {
      answer: { ok: true, run, decisions, series, signalNames: [...names] },
      answered: () => hub.release(subscription),
    }
  } catch (error) {
    if (joined !== undefined && subscriptions.get(runId) === joined.subscription) drop(runId)
    throw error
  }
}

/** Checked at the moment of joining and not before: several requests of one socket may have been waiting together. */
function join(
  subscription: Subscription,
  { hub, subscriptions, drop }: Pick<SubscribeContext, 'hub' | 'subscriptions' | 'drop'>,
): void {
  const { socket, runId } = subscription
  drop(runId)
  if (subscriptions.size >= subscriptionsMax)
    throw new ServerError(
      'too-many-subscriptions',
      `this connection watches ${subscriptionsMax} runs already, which is the most allowed: unsubscribe from one first`,
    )
  if (!socket.connected) return
  subscriptions.set(runId, subscription)
  hub.subscribe(subscription)
}
