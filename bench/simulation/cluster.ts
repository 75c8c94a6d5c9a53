// Several servers on one database, which outlives them: the real runs and tuner of each, over a storage that takes its time to
// hear and to answer. Any of them is asked; a batch goes on to the one that the run falls to, as each believes. What they know of
// each other is late. The database is SQLite here, which keeps the same promises; PostgreSQL has tests of its own.

import { join } from 'node:path'
import type { Command } from '../../protocol/vocabulary.ts'
import { steadyClock } from '../../server/clock.ts'
import { ServerError } from '../../server/errors.ts'
import { silentLog } from '../../server/log.ts'
import { createMetrics } from '../../server/metrics/metrics.ts'
import { chosen, silentMilliseconds } from '../../server/replicas/replicas.ts'
import { realTuner } from '../../server/runs/realTuner.ts'
import { lineLengthMax, Runs } from '../../server/runs/runs.ts'
import { isMoved } from '../../server/storage/fence.ts'
import type { Replica } from '../../server/storage/replicas.ts'
import { openSqliteStorage } from '../../server/storage/sqlite/sqliteStorage.ts'
import type { RunReads, Storage, View } from '../../server/storage/storage.ts'
import { noListeners } from '../../server/webhooks/webhooks.ts'
import type { Reply } from '../../trainer/reporting/transport.ts'
import { dispatch, type Request, replyTo } from './dispatch.ts'
import { Life } from './life.ts'
import { clockOf, type Ending, type ServerOptions, type Service } from './server.ts'

/** Of a call to the database, each way. */
const wayMilliseconds = 8
/** What is halted goes on after so long. */
const haltMilliseconds = 6_000
/** Of the batches, those that are taken by whom they do not fall to, as where an owner could not be reached for a moment. */
const mistakenShare = 0.15
const never = new Promise<never>(() => {})

type Server = {
  readonly id: string
  readonly life: Life
  readonly runs: Runs
  readonly views: Set<View>
  /** It hears nothing and does nothing until then, in virtual time. */
  haltedUntil: number
  /** Whom it knows, itself among them. */
  readonly known: Map<string, Replica>
}

export class SimulatedCluster implements Service {
  wallError = 0
  readonly counts = { starts: 0, kills: 0, torn: 0, full: 0, moved: 0 }
  private readonly options: ServerOptions
  private readonly storage: Storage
  private readonly size: number
  private readonly servers = new Map<string, Server>()
  private ending: Ending | undefined
  private serial = 0

  /** @param size servers that there are when all are up */
  constructor(options: ServerOptions, size: number) {
    this.options = options
    this.size = size
    const opened = openSqliteStorage({ file: join(options.folder, 'twostep.db') })
    this.storage = options.sabotage?.(opened) ?? opened
  }

  get isUp(): boolean {
    return this.servers.size === this.size
  }

  /** Those that are missing. */
  async start(): Promise<boolean> {
    while (this.servers.size < this.size) {
      const id = `server-${++this.serial}`
      const life = new Life(this.options.time)
      const views = new Set<View>()
      const known = new Map([[id, replica(id)]])
      const owns = (key: string) => chosen([...known.values()], key).id === id
      const runs = new Runs({
        storage: this.farStorage(life, id, views),
        tuner: realTuner,
        clock: steadyClock(clockOf(life, this.options.time, this)),
        log: silentLog,
        metrics: createMetrics(false),
        webhooks: noListeners,
        newRunId: () => `run-${++this.serial}`,
        isShared: true,
        owns,
      })
      runs.onEvent((event) => {
        if (event.kind !== 'batch') return
        for (const decision of event.decisions) this.options.told(event.record.id, decision)
      })
      this.servers.set(id, { id, life, runs, views, haltedUntil: 0, known })
      this.counts.starts++
      this.meet(id)
      life.sign()
      void life.heard(runs.start())
    }
    return true
  }

  /** Each hears of the others when it next asks. */
  private meet(id: string): void {
    const { time, random } = this.options
    for (const other of this.servers.values())
      for (const [one, two] of [
        [other.id, id],
        [id, other.id],
      ] as const)
        time.after(random() * 400, () => {
          if (this.servers.has(two)) this.servers.get(one)?.known.set(two, replica(two))
        })
  }

  /** The way to the database, there and back. Who dies on it hears no answer, and what was asked may have been done. */
  private farStorage(life: Life, id: string, views: Set<View>): Storage {
    const { random } = this.options
    const far =
      <Args extends readonly unknown[], T>(call: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        await this.way(life, id, random() * wayMilliseconds)
        const answer = await call(...args)
        await this.way(life, id, random() * wayMilliseconds)
        return answer
      }
    const writing = <Args extends readonly unknown[], T>(write: (...args: Args) => Promise<T>) =>
      far(async (...args: Args): Promise<T> => {
        const { ending } = this
        this.ending = undefined
        if (ending === 'refused')
          throw new ServerError('storage-failed', 'the database did not answer: nothing was stored', {
            retryAfterSeconds: 1,
          })
        if (ending === 'torn') this.die(id)
        if (life.isOver) return never
        const answer = write(...args)
        if (ending === 'stored') this.die(id)
        return answer.catch((error) => {
          if (isMoved(error)) this.counts.moved++
          throw error
        })
      })
    const { storage } = this
    const reads = (from: RunReads): RunReads => ({
      run: far(from.run),
      snapshot: far(from.snapshot),
      clientSequences: far(from.clientSequences),
      observations: far(from.observations),
      chunks: far(from.chunks),
    })
    return {
      ...storage,
      ...reads(storage),
      createRun: writing(storage.createRun),
      append: writing(storage.append),
      updateRun: far(storage.updateRun),
      replaceDerived: far(storage.replaceDerived),
      sent: far(storage.sent),
      client: far(storage.client),
      lastSequence: far(storage.lastSequence),
      listRuns: far(storage.listRuns),
      view: async () => {
        const view = await storage.view()
        views.add(view)
        if (life.isOver) view.close()
        return {
          ...view,
          ...reads(view),
          stand: far(view.stand),
          close: () => {
            views.delete(view)
            view.close()
          },
        }
      },
    }
  }

  private async way(life: Life, id: string, milliseconds: number): Promise<void> {
    const halted = (this.servers.get(id)?.haltedUntil ?? 0) - this.options.time.now
    await life.sleep(Math.max(milliseconds, halted))
    if (life.isOver) await never
  }

  endNextWrite(ending: Ending | undefined): void {
    this.ending = ending
  }

  /** One of them is killed, or halted for a while. */
  kill(): void {
    const { random, time } = this.options
    const all = [...this.servers.values()]
    const victim = all[Math.floor(random() * all.length)]
    if (victim === undefined) return
    if (random() < 0.3) victim.haltedUntil = time.now + random() * haltMilliseconds
    else this.die(victim.id)
  }

  private die(id: string): void {
    const server = this.servers.get(id)
    if (server === undefined) return
    this.servers.delete(id)
    server.life.end()
    for (const view of server.views) view.close()
    void server.runs.stop()
    this.counts.kills++
    const { time, random } = this.options
    for (const other of this.servers.values())
      time.after(random() * silentMilliseconds, () => other.known.delete(id))
  }

  /** As behind a proxy, which knows none of the runs. */
  async handle(request: Request): Promise<Reply> {
    const { random, time } = this.options
    const all = [...this.servers.values()].filter(({ haltedUntil }) => haltedUntil <= time.now)
    const first = all[Math.floor(random() * all.length)]
    if (first === undefined) throw new Error('connect ECONNREFUSED')
    return (await this.elsewhere(first, request)) ?? this.answer(first, request)
  }

  /** Undefined = it is answered by the first one. */
  private async elsewhere(first: Server, request: Request): Promise<Reply | undefined> {
    const runId = /^\/runs\/([^/]+)\/telemetry$/.exec(request.path)?.[1]
    if (runId === undefined) return undefined
    const isMistaken = this.options.random() < mistakenShare
    const owner = this.servers.get(chosen([...first.known.values()], runId).id)
    if (isMistaken || owner === undefined || owner === first) return undefined
    const { life } = first
    const over = owner.life.over.then(() => undefined)
    // One that is halted is given up when it has been silent for long.
    const silent = life.sleep(silentMilliseconds).then(() => undefined)
    return life.heard(Promise.race([this.answer(owner, request), over, silent]))
  }

  private async answer({ id, life, runs }: Server, request: Request): Promise<Reply> {
    if (runs.waiting > lineLengthMax) this.options.broken(`${runs.waiting} requests wait in one line`)
    await this.way(life, id, 0)
    return replyTo(request, (one) => life.heard(dispatch(runs, one)), this.options.broken)
  }

  async command(runId: string, command: Command): Promise<boolean> {
    const all = [...this.servers.values()]
    const server = all[Math.floor(this.options.random() * all.length)]
    if (server === undefined) return false
    const { life, runs } = server
    let isHeard: boolean | undefined
    const told = (heard: boolean) => {
      isHeard = heard
    }
    life.heard(runs.command(runId, command)).then(
      () => told(true),
      () => told(false),
    )
    void life.over.then(() => told(false))
    await this.options.time.until(() => isHeard !== undefined, 60_000)
    return isHeard === true
  }

  /** Whoever is asked, at rest, knows all of a run. */
  private async checkAgreement(): Promise<void> {
    const { storage, options } = this
    const { runs: records } = await storage.listRuns({ limit: 100, now: 0 })
    const open = [...this.servers.values()].flatMap(({ id, life, runs }) =>
      records.map(async ({ id: runId, observationCount }) => {
        const { record } = await life.heard(runs.inLine(runId, () => runs.openInLine(runId)))
        // A request that was late may have come meanwhile.
        const later = (await storage.run(runId))?.observationCount ?? observationCount
        if (record.observationCount < observationCount || record.observationCount > later)
          options.broken(
            `${id} knows ${record.observationCount} observations of ${runId}, not ${observationCount} to ${later}`,
          )
      }),
    )
    let isDone = false
    const done = Promise.all(open).finally(() => {
      isDone = true
    })
    await options.time.until(() => isDone, 600_000)
    if (!isDone) options.broken('a run cannot be read at rest')
    else await done
  }

  async examine<T>(look: (storage: Storage) => Promise<T>): Promise<T> {
    await this.checkAgreement()
    for (const { runs, life, views } of this.servers.values()) {
      life.end()
      for (const view of views) view.close()
      void runs.stop()
    }
    const result = await look(this.storage)
    await this.storage.close()
    return result
  }
}

const replica = (id: string): Replica => ({ id, address: '', secret: '', tunerVersion: realTuner.version })
