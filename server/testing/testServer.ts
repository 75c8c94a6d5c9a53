// A whole server for tests: real HTTP on any free port, a database in a folder of its own, virtual time, a
// small tuner. `restart` comes back on the same database, as after a kill.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { type Log, silentLog } from '../log.ts'
import type { Tuner } from '../runs/tuner.ts'
import { openPostgresStorage } from '../storage/postgres/postgresStorage.ts'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import type { Storage } from '../storage/storage.ts'
import type { Resolve } from '../webhooks/post.ts'
import { checkContract } from './contract.ts'
import { createFakeClock, type FakeClock } from './fakeClock.ts'
import { createFakeTuner } from './fakeTuner.ts'

export type TestServer = {
  url: string
  port: number
  app: App
  storage: Storage
  /** What every call comes with. */
  token?: string
  readonly clock: FakeClock
  readonly folder: string
  /** JSON in, JSON out; every answer is held to the contract. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  ): Promise<{ status: number; headers: Headers; body: any }>
  restart(options?: {
    tuner?: Tuner
    pagesMax?: number
    /** While no server runs. */
    meanwhile?: () => Promise<void>
  }): Promise<void>
  close(): Promise<void>
}

export type TestServerOptions = {
  readonly tuner?: Tuner
  readonly config?: Partial<Config>
  readonly pagesMax?: number
  readonly pageDir?: string
  readonly log?: Log
  readonly resolveName?: Resolve
  readonly activeBytesMax?: number
  /** Called with the path of the database before the server opens it. */
  readonly prepare?: (databaseFile: string) => void
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-test-'))
  const clock = createFakeClock()
  let serial = 0
  const begin = async ({ tuner = options.tuner ?? createFakeTuner(), pagesMax = options.pagesMax } = {}) => {
    const databaseFile = join(folder, 'twostep.db')
    const { databaseUrl = null } = options.config ?? {}
    const storage =
      databaseUrl === null
        ? openSqliteStorage({ file: databaseFile, ...(pagesMax === undefined ? {} : { pagesMax }) })
        : await openPostgresStorage({ url: databaseUrl })
    const config: Config = {
      host: '127.0.0.1',
      requireTokens: false,
      port: 0,
      basePath: '',
      dataDir: folder,
      databaseFile,
      databaseUrl: null,
      trustProxy: [],
      allowedHosts: [],
      allowedOrigins: [],
      embedOrigins: [],
      logLevel: 'silent',
      replicaAddress: null,
      drainSeconds: 0,
      retentionDays: null,
      storageMaxBytes: null,
      webhookAllow: [],
      publicUrl: null,
      ...options.config,
    }
    const app = createApp({
      config,
      storage,
      tuner,
      clock,
      log: options.log ?? silentLog,
      version: '0.0.0-test',
      newId: (prefix) => `${prefix}-${++serial}`,
      random: () => 0.5,
      ...(options.resolveName === undefined ? {} : { resolveName: options.resolveName }),
      newSecret: () => String(++serial).padStart(43, 'x'),
      activeBytesMax: options.activeBytesMax,
      pageDir: options.pageDir ?? join(folder, 'page'),
    })
    return { app, storage, ...(await app.listen()) }
  }
  options.prepare?.(join(folder, 'twostep.db'))
  const first = await begin()
  const server: TestServer = {
    ...first,
    clock,
    folder,
    call: async (method, path, body, headers = {}) => {
      const bearer = server.token === undefined ? {} : { authorization: `Bearer ${server.token}` }
      const response = await fetch(server.url + path, {
        method,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...bearer,
          ...headers,
        },
      })
      const text = await response.text()
      // Not of lines of JSON.
      const json = /[/+]json/.test(response.headers.get('content-type') ?? '')
      const answer = json ? JSON.parse(text) : text
      checkContract(method, path, response.status, answer)
      return { status: response.status, headers: response.headers, body: answer }
    },
    restart: async ({ meanwhile, ...again } = {}) => {
      await server.app.close()
      await meanwhile?.()
      Object.assign(server, await begin(again))
    },
    close: async () => {
      await server.app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

/** Columns of `count` steps from `from` on, with every signal. */
export function sampleBatch(from: number, count: number): Record<string, number[]> {
  const step = Array.from({ length: count }, (_, i) => from + i)
  return {
    step,
    loss: step.map((at) => 2 / (1 + at / 100)),
    learningRate: step.map(() => 0.1),
    gradientNormSquared: step.map((at) => 1 + (at % 7) / 10),
  }
}

/** A line probe that found nothing: each gives one decision, to hold. */
export const emptyLineProbe = (step: number) => ({
  kind: 'line',
  step,
  seconds: 0,
  criticalLearningRate: null,
  curvature: null,
})
