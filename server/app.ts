// The server put together: storage, runs, HTTP and live on one port. The real clock, chance and files come in
// as arguments; `listen` and `close` are all that the command line and tests need.

import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Audit } from './access/audit.ts'
import { Tokens } from './access/tokens.ts'
import { type Clock, steadyClock } from './clock.ts'
import { type Config, everyAddress, isLoopback } from './config.ts'
import { CommandError } from './errors.ts'
import { boundConnections } from './http/connections.ts'
import type { AllowList } from './http/guard.ts'
import { createHttpApp } from './http/httpApp.ts'
import { trustedOf } from './http/place.ts'
import { answerUnreadable } from './http/unreadable.ts'
import { InHand } from './inHand.ts'
import { attachLive, type Live } from './live/live.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics/metrics.ts'
import { together } from './replicas/together.ts'
import { DamageNotices } from './runs/damageNotices.ts'
import { OneAtATime } from './runs/oneAtATime.ts'
import { Retention } from './runs/retention.ts'
import { Runs } from './runs/runs.ts'
import { SeriesReader } from './runs/seriesReader.ts'
import { checkAtStart } from './runs/startChecks.ts'
import type { Tuner } from './runs/tuner.ts'
import type { Storage } from './storage/storage.ts'
import { Imports } from './transfer/importLog.ts'
import { allowedOf } from './webhooks/addresses.ts'
import { type Resolve, resolveName } from './webhooks/post.ts'
import { Webhooks } from './webhooks/webhooks.ts'

/** The head of a request has this long to arrive. */
const headMilliseconds = 15_000
/** A request has this long to arrive: a log that is imported, as fast as it is folded. JSON has a minute (http/body.ts). */
const requestMilliseconds = 15 * 60_000
/** When the server ends, what was asked before has this long to be answered and taken; then it is cut off. */
export const patienceMilliseconds = 5_000

export type AppOptions = {
  readonly config: Config
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  /** Gives ids. */
  readonly newId: (prefix: 'run' | 'request' | 'token' | 'webhook' | 'message' | 'replica') => string
  /** 32 random bytes, as text of 43 characters (base64url). */
  readonly newSecret: () => string
  /** In [0, 1); spreads what is tried again. */
  readonly random: () => number
  /** How names of webhook receivers are resolved; by default as the system does. */
  readonly resolveName?: Resolve
  /** Whether the process is measured, too; one server of a process may. */
  readonly measuresProcess?: boolean
  /** Where the built page is; by default beside the built server. */
  readonly pageDir?: string
  /** What runs may take of the memory, together; by default `activeBytesMax`. */
  readonly activeBytesMax?: number | undefined
}
export type App = {
  /** Resolves when requests are answered. @throws CommandError if the port is taken or may not be used. */
  listen(): Promise<{ readonly port: number; readonly url: string }>
  /**
   * Takes no more requests, answers those at work or, where that takes too long, cuts them off, and closes the storage when
   * nothing is left that uses it.
   */
  close(): Promise<void>
  readonly runs: Runs
  readonly live: Live
  readonly tokens: Tokens
}

/** dist/client, whether this file runs as it is or built. */
const builtPageDir = () =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../dist/client/' : '../client/', import.meta.url))

/** The address at which this computer itself reaches a server that listens on `host`. */
function nameInUrl(host: string): string {
  return everyAddress.includes(host) ? '127.0.0.1' : hostInUrl(host)
}

const hostInUrl = (host: string) => (isIP(host) === 6 ? `[${host}]` : host)

export function createApp(options: AppOptions): App {
  const { config, storage, tuner, log, version, newId, newSecret, activeBytesMax } = options
  const { pageDir = builtPageDir() } = options
  const clock = steadyClock(options.clock)
  const metrics = createMetrics(options.measuresProcess === true)
  const inHand = new InHand()
  const damageNotices = new DamageNotices({ storage, clock, log, metrics, inHand })
  let isEnding = false
  let isUp = false
  let port = config.port
  const { replicas, forwarder } = together({
    ...{ config, storage, tuner, clock, log, newSecret },
    newId: () => newId('replica'),
    // Both are made below, and there before the first server is heard of.
    onChange: () => {
      webhooks.wake()
      const watching = runs
        .start()
        .catch((error) => log('warn', 'runs that are alive were not read', { error }))
        .then(() => (isUp ? runs.tellStale() : undefined))
      inHand.hold(watching)
    },
    onVersions: async (before, now) => {
      if (now.tokens !== before.tokens) await tokens.load()
      if (now.webhooks !== before.webhooks) await webhooks.load()
      if (now.deliveries !== before.deliveries) webhooks.wake()
    },
  })
  const owns = (key: string) => replicas?.owns(key) ?? true
  const webhooks = new Webhooks({
    ...{ storage, clock, log, metrics, newSecret, publicUrl: config.publicUrl },
    guard: {
      allowed: allowedOf(config.webhookAllow),
      ownPort: () => port,
      ownAddresses: () =>
        Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
    },
    resolve: options.resolveName ?? resolveName,
    inHand,
    newId: (kind) => newId(kind),
    random: options.random,
    owns,
  })
  const newRunId = () => newId('run')
  const mayRefold = () => replicas?.isNewest() ?? true
  const runs = new Runs({
    ...{ storage, tuner, clock, log, metrics, webhooks, newRunId, activeBytesMax },
    ...{ owns, mayRefold },
  })
  const reader = new SeriesReader({ storage, runs, clock })
  const tokens = new Tokens({
    store: storage.access,
    clock,
    log,
    isRequired: config.requireTokens,
    isShared: replicas !== undefined,
    newId: () => newId('token'),
    newSecret,
    inHand,
  })
  const audit = new Audit({ store: storage.access, clock, log, inHand })
  const retention = new Retention({
    ...{ storage, clock, log },
    days: config.retentionDays,
    bytesMax: config.storageMaxBytes,
    isDue: () => owns('retention'),
    remove: removeWithin({ runs, audit, newId }),
  })
  const imports = new Imports({ storage, tuner, runs, clock })
  const whatIfs = new OneAtATime('another what-if', 5)
  const allowList = (): AllowList => ({
    port,
    hosts: [...config.allowedHosts, `${hostInUrl(config.host)}:${port}`],
    origins: config.allowedOrigins,
  })
  const isTrusted = trustedOf(config.trustProxy)
  const http = createHttpApp({
    runs,
    reader,
    imports,
    whatIfs,
    tokens,
    audit,
    webhooks,
    metrics,
    isEnding: () => isEnding,
    inHand,
    clock,
    tuner,
    storage,
    log,
    version,
    pageDir,
    basePath: config.basePath,
    embedOrigins: config.embedOrigins,
    newRequestId: () => newId('request'),
    allowList,
    isTrusted,
    replicas: replicas && forwarder && { forwarder, secret: replicas.present[0]!.secret },
  })
  const times = { requestTimeout: requestMilliseconds, headersTimeout: headMilliseconds }
  const server = createServer(
    { ...times, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5_000 },
    http,
  )
  const connections = boundConnections(server)
  server.on('clientError', answerUnreadable(log, metrics))
  const live = attachLive({
    server,
    basePath: config.basePath,
    storage,
    runs,
    reader,
    tokens,
    metrics,
    clock,
    log,
    inHand,
    allowList,
    isTrusted,
    replicas: replicas && { all: replicas, adapter: storage.replicas!.liveAdapter() },
  })
  metrics.watch({
    sockets: () => live.sockets().length,
    waiting: () => runs.waiting,
    phases: () => runs.phases,
    states: async () => (await storage.countRuns(clock.now())).states,
    databaseFile: config.databaseUrl === null ? config.databaseFile : null,
  })
  return {
    runs,
    live,
    tokens,
    listen: async () => {
      await checkAtStart({ storage, clock, log, damageNotices })
      await tokens.load()
      await runs.start()
      retention.start()
      port = await listenOn(server, config)
      // Only now: others may hand this one their batches.
      await replicas?.start(port)
      // Only now: what is owed may be asked about, and the own port is known.
      await webhooks.start()
      // Nobody waits for it.
      isUp = true
      void runs.tellStale()
      log('info', 'the server answers', {
        version,
        host: config.host,
        port,
        requireTokens: config.requireTokens,
      })
      if (!isLoopback(config.host) && !config.requireTokens)
        log('warn', 'everyone who can reach this address may read and steer all runs', {
          host: config.host,
          port,
        })
      return { port, url: `http://${nameInUrl(config.host)}:${port}${config.basePath}` }
    },
    close: async () => {
      isEnding = true
      connections.sayLast()
      await replicas?.stop()
      if (config.drainSeconds > 0)
        await new Promise<void>((done) => void clock.after(1_000 * config.drainSeconds, done))
      log('info', 'the server stops', { waiting: runs.waiting, sockets: live.sockets().length })
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const impatient = clock.after(patienceMilliseconds, () => {
        log('info', 'what was not answered in time is cut off', { connections: connections.cutOff() })
      })
      await live.close()
      await closed
      impatient()
      // Nobody waits for an answer any more.
      forwarder?.stop()
      await Promise.all([retention.stop(), webhooks.stop(), imports.stop(), whatIfs.stop()])
      await inHand.empty()
      await runs.stop()
      await storage.close()
    },
  }
}

/** How the retention deletes a run: as people do, with its trace in the audit. */
function removeWithin({ runs, audit, newId }: { runs: Runs; audit: Audit; newId: AppOptions['newId'] }) {
  return async (runId: string, forGood: boolean, reason: string): Promise<boolean> => {
    const action = { operation: 'deleteRun', runId, from: 'this server', requestId: newId('request') }
    const end = await audit.begin({ name: 'retention', tokenId: null }, action)
    // It may have been deleted meanwhile.
    const isRemoved = await runs.remove(runId, forGood).then(
      () => true,
      () => false,
    )
    end(isRemoved ? 204 : 404, { detail: forGood ? 'for good' : '', reason })
    return isRemoved
  }
}

function listenOn(server: Server, { host, port }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new CommandError(
            `port ${port} on ${host} is in use (perhaps by another twostep): stop that program, or start with --port 0 to take any free port`,
          ),
        )
      else reject(new CommandError(`cannot listen on ${host} port ${port}: ${error.message}`))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}
