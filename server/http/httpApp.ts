// The HTTP side: who may call, what each address does, how errors look. Everything under /api/v1 is JSON.

import express, { type Express, type RequestHandler, type Router } from 'express'
import { apiPrefix, protocolVersion } from '../../protocol/version.ts'
import type { Audit } from '../access/audit.ts'
import type { Tokens } from '../access/tokens.ts'
import { type Clock, isoTime } from '../clock.ts'
import { ServerError, serverEnding } from '../errors.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Forwarder } from '../replicas/forward.ts'
import { innerRoutes } from '../replicas/innerRoutes.ts'
import type { OneAtATime } from '../runs/oneAtATime.ts'
import type { Runs } from '../runs/runs.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { Tuner } from '../runs/tuner.ts'
import type { Storage } from '../storage/storage.ts'
import type { Imports } from '../transfer/importLog.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import { addAccessRoutes } from './accessRoutes.ts'
import { admission, isSeeingAll } from './admission.ts'
import { addAdviceRoutes } from './adviceRoutes.ts'
import { problemHandler } from './answer.ts'
import { underBasePath } from './basePath.ts'
import { compressAnswers } from './compress.ts'
import { addControlRoutes } from './controlRoutes.ts'
import { type AllowList, checkCaller } from './guard.ts'
import { checkText } from './jsonText.ts'
import { addPage, securityHeaders } from './page.ts'
import { headersOf, type Trusted } from './place.ts'
import { addReadRoutes } from './readRoutes.ts'
import { requestLog } from './requestLog.ts'
import { held, route } from './routes.ts'
import { addRunRoutes, batchTaker } from './runRoutes.ts'
import { addTransferRoutes } from './transferRoutes.ts'
import { createUnchanged, type Unchanged } from './unchanged.ts'
import { addWebhookRoutes } from './webhookRoutes.ts'

export type HttpOptions = {
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly imports: Imports
  readonly whatIfs: OneAtATime
  readonly tuner: Tuner
  readonly clock: Clock
  readonly storage: Storage
  readonly tokens: Tokens
  readonly audit: Audit
  readonly webhooks: Webhooks
  readonly log: Log
  readonly metrics: Metrics
  /** Whether the server is about to stop. */
  readonly isEnding: () => boolean
  readonly inHand: InHand
  readonly version: string
  readonly pageDir: string
  /** The path of its host under which it is asked; may be empty. */
  readonly basePath: string
  /** Whose pages may show a run in a frame. */
  readonly embedOrigins: readonly string[]
  readonly newRequestId: () => string
  /** Known only once the port is. */
  readonly allowList: () => AllowList
  /** Which proxies are believed what they forward. */
  readonly isTrusted: Trusted
  /** Where there are several servers: how batches go to another, and what they have to bring to come in here. */
  readonly replicas?: { readonly forwarder: Forwarder; readonly secret: string } | undefined
}

function addStateRoutes(router: Router, options: HttpOptions, unchanged: Unchanged): void {
  const { storage, version, tuner, metrics, isEnding, basePath } = options
  // Made once: whoever asks is sent the same bytes.
  let contract: Promise<Buffer> | undefined
  route(router, '/healthz', {
    get: async (_request, response) => {
      // Alive, whatever the storage says.
      const notices = isSeeingAll(response) ? await storage.notices().catch(() => []) : []
      const told = notices.map(({ at, ...rest }) => ({ at: isoTime(at), ...rest }))
      response.json({ status: 'ok', ...(told.length === 0 ? {} : { notices: told }) })
    },
  })
  route(router, '/readyz', {
    get: async (_request, response) => {
      if (isEnding()) throw serverEnding()
      await storage.checkWritable().catch((error: Error) => {
        const detail = isSeeingAll(response) ? error.message : 'whoever may read all runs is told why'
        throw new ServerError('not-ready', detail, { retryAfterSeconds: 5, cause: error })
      })
      // Which versions of other programs are at work is for those who may read all runs.
      const [named] = storage.description.split(isSeeingAll(response) ? ' at ' : ' ')
      response.json({ status: 'ok', storage: named })
    },
  })
  route(router, '/metrics', {
    get: async (_request, response) => {
      response.type(metrics.contentType).send(await metrics.text())
    },
  })
  route(router, '/version', {
    get: (_request, response) => {
      const own = { version, protocol: protocolVersion, tuner: tuner.version }
      response.json(isSeeingAll(response) ? { ...own, node: process.versions.node } : own)
    },
  })
  route(router, '/openapi.json', {
    // Loaded when first asked for: the start does not need it.
    get: async (request, response) => {
      if (unchanged(request, response, [])) return
      contract ??= import('./openapi.ts').then(({ openApiDocument }) =>
        Buffer.from(JSON.stringify(openApiDocument(version, basePath))),
      )
      response.type('json').send(await contract)
    },
  })
}

export function createHttpApp(options: HttpOptions): Express {
  const { runs, reader, log, newRequestId, allowList, pageDir, tokens } = options
  const { audit, storage, metrics, clock, isTrusted, replicas, basePath } = options
  const app = express()
  app.disable('x-powered-by')
  // Tags come from what an answer follows from (unchanged.ts), not from its body; those of files are their own.
  app.set('etag', () => undefined)
  app.set('query parser', 'simple')
  app.locals.inHand = options.inHand
  const entrance: RequestHandler = (request, response, next) => {
    // Cut off (connections.ts) while more of its requests were there already: nobody would take an answer.
    if (request.socket.destroyed) return
    response.set('X-Request-Id', newRequestId())
    checkCaller(request.method, request.path, headersOf(request, isTrusted), allowList())
    checkText(request.url)
    next()
  }
  const unchanged = createUnchanged(newRequestId())
  app.use(requestLog(log, metrics, clock))
  if (replicas !== undefined)
    app.use('/replica', innerRoutes(replicas.secret, batchTaker({ runs, metrics, clock })))
  app.use(
    underBasePath(basePath),
    entrance,
    admission(tokens, storage, audit, isTrusted),
    securityHeaders(options.embedOrigins),
    compressAnswers,
  )
  // Strict: an address with a slash at its end is another one, and there is nothing at it.
  const states = express.Router({ strict: true })
  addStateRoutes(states, options, unchanged)
  app.use(states)
  const api = express.Router({ strict: true })
  const turn: RequestHandler = async (request, _response, next) => {
    // A list takes a few milliseconds: readers in numbers would else come between the parts of a job's post.
    if (request.method === 'GET' || request.method === 'HEAD') await reader.turn()
    next()
  }
  api.use(held(turn))
  // Before the runs': else `import` would be the id of one.
  addTransferRoutes(api, options)
  addRunRoutes(api, { ...options, unchanged, ...(replicas && { forwarder: replicas.forwarder }) })
  addReadRoutes(api, { ...options, unchanged })
  addControlRoutes(api, runs)
  addAdviceRoutes(api, options)
  addAccessRoutes(api, tokens, audit)
  addWebhookRoutes(api, options.webhooks)
  app.use(apiPrefix, api)
  let mcp: Promise<RequestHandler> | undefined
  route(app, '/mcp', {
    // Loaded when first asked for, as the contract above.
    post: async (request, response, next) => {
      mcp ??= import('../mcp/mcpRoute.ts').then(({ mcpHandler }) => mcpHandler(options))
      await (await mcp)(request, response, next)
    },
  })
  addPage(app, pageDir, basePath)
  app.use((request, _response, next) => {
    next(
      new ServerError(
        'not-found',
        `there is nothing at ${basePath}${request.path}; GET ${basePath}/openapi.json lists the addresses`,
      ),
    )
  })
  app.use(problemHandler(log, metrics, isSeeingAll))
  return app
}
