// The server as a process that dies: the real runs, tuner and SQLite storage, on a folder of its own. A kill leaves what lay
// on the disk at that moment, with the newest part of the write-ahead log cut anywhere if it was not acknowledged yet; the next life
// starts from a copy of that. Requests come and leave as JSON text, read and refused by the server's own code.

import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Decision } from '../../protocol/vocabulary.ts'
import { type Clock, steadyClock } from '../../server/clock.ts'
import { ServerError } from '../../server/errors.ts'
import { InHand } from '../../server/inHand.ts'
import { silentLog } from '../../server/log.ts'
import { createMetrics } from '../../server/metrics/metrics.ts'
import { DamageNotices } from '../../server/runs/damageNotices.ts'
import { realTuner } from '../../server/runs/realTuner.ts'
import { lineLengthMax, Runs } from '../../server/runs/runs.ts'
import { checkAtStart } from '../../server/runs/startChecks.ts'
import { openSqliteStorage } from '../../server/storage/sqlite/sqliteStorage.ts'
import type { Storage } from '../../server/storage/storage.ts'
import { noListeners } from '../../server/webhooks/webhooks.ts'
import type { Reply } from '../../trainer/reporting/transport.ts'
import type { Random } from '../../tuner/testing/random.ts'
import { dispatch, type Request, replyTo } from './dispatch.ts'
import { Life } from './life.ts'
import type { VirtualTime } from './virtualTime.ts'

/** How the next write ends, where it is the last. */
export type Ending = 'torn' | 'stored' | 'refused'

const pageBytes = 8_192
const began = Date.UTC(2026, 0, 1)
const never = new Promise<never>(() => {})

export type ServerOptions = {
  readonly folder: string
  readonly time: VirtualTime
  readonly random: Random
  /** A decision that pages have been told of, which nothing may change any more. */
  readonly told: (runId: string, decision: Decision) => void
  readonly broken: (sentence: string) => void
  /** A storage that does not keep its word, to see whether that is found. */
  readonly sabotage?: ((storage: Storage) => Storage) | undefined
}

/** One life of it. */
type Process = {
  readonly life: Life
  readonly folder: string
  readonly storage: Storage
  readonly runs: Runs
}

/** What jobs and people speak to: one server, or several as one. */
export type Service = {
  /** Milliseconds by which the clock on the wall is wrong. */
  wallError: number
  /** Lives, and how they ended. */
  readonly counts: { starts: number; kills: number; torn: number; full: number; moved: number }
  readonly isUp: boolean
  start(pagesLeft?: number): Promise<boolean>
  kill(): void
  endNextWrite(ending: Ending | undefined): void
  handle(request: Request): Promise<Reply>
  command(runId: string, command: Command): Promise<boolean>
  examine<T>(look: (storage: Storage) => Promise<T>): Promise<T>
}

export class SimulatedServer implements Service {
  /** Milliseconds by which the clock on the wall is wrong. */
  wallError = 0
  /** Lives, and how they ended. */
  readonly counts = { starts: 0, kills: 0, torn: 0, full: 0, moved: 0 }
  private readonly options: ServerOptions
  private process: Process | undefined
  private serial = 0
  private ending: Ending | undefined
  private isFull = false

  constructor(options: ServerOptions) {
    this.options = options
  }

  get isUp(): boolean {
    return this.process !== undefined
  }

  /**
   * False where there is no room for a first database.
   * @param pagesLeft so many pages fit on the disk beside what is there; absent = any number
   */
  async start(pagesLeft?: number): Promise<boolean> {
    const { time, told } = this.options
    const folder = this.process?.folder ?? this.folderNow()
    const file = join(folder, 'twostep.db')
    const size = existsSync(file) ? statSync(file).size : 0
    this.isFull = pagesLeft !== undefined
    const life = new Life(time)
    const clock = steadyClock(clockOf(life, time, this))
    let opened: Storage
    try {
      opened = openSqliteStorage({
        file,
        freeBytes: () => Number.POSITIVE_INFINITY,
        ...(pagesLeft === undefined ? {} : { pagesMax: Math.ceil(size / pageBytes) + pagesLeft }),
      })
    } catch (error) {
      if (size > 0 || pagesLeft === undefined)
        this.options.broken(`the server does not start: ${(error as Error).message}`)
      // What a process that could not begin holds of it ends with the process.
      rmSync(folder, { recursive: true, force: true })
      this.counts.starts++
      return false
    }
    const storage = this.mortal(this.options.sabotage?.(opened) ?? opened, life)
    const metrics = createMetrics(false)
    const runs = new Runs({
      storage,
      tuner: realTuner,
      clock,
      log: silentLog,
      metrics,
      webhooks: noListeners,
      newRunId: () => `run-${++this.serial}`,
    })
    runs.onEvent((event) => {
      if (event.kind === 'batch') for (const decision of event.decisions) told(event.record.id, decision)
    })
    this.process = { life, folder, storage: opened, runs }
    this.counts.starts++
    const parts = { storage, clock, log: silentLog, metrics }
    const damageNotices = new DamageNotices({ ...parts, inHand: new InHand() })
    await checkAtStart({ storage, clock, log: silentLog, damageNotices })
    await runs.start()
    await this.checkNotices(opened)
    return true
  }

  /** Of a lost disk nothing was said here: whatever is told of it is false, or something was lost. */
  private async checkNotices(storage: Storage): Promise<void> {
    for (const { kind, detail } of await storage.notices())
      if (kind !== 'removed') this.options.broken(`the server says at its start: ${detail}`)
  }

  private folderNow(): string {
    const folder = join(this.options.folder, `life-${this.counts.starts}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  /** The storage, whose writes may be the process's last act. */
  private mortal(storage: Storage, life: Life): Storage {
    const last = async <T>(write: () => Promise<T>): Promise<T> => {
      if (life.isOver) return never
      const { ending } = this
      this.ending = undefined
      if (ending === undefined) return write()
      if (ending === 'refused')
        throw new ServerError('storage-failed', 'the disk did not answer: nothing was stored', {
          retryAfterSeconds: 1,
        })
      this.die(ending, write)
      return never
    }
    return {
      ...storage,
      append: (batch) => last(() => storage.append(batch)),
      createRun: (batch) => last(() => storage.createRun(batch)),
    }
  }

  /** What the next write of a run will meet; undefined = nothing. */
  endNextWrite(ending: Ending | undefined): void {
    if (this.process !== undefined) this.ending = ending
  }

  /** SIGKILL between two writes. */
  kill(): void {
    if (this.process !== undefined) this.die('stored', async () => {})
  }

  /**
   * The process ends in a write. Torn: it was on its way to the disk, any part of it is there, and nothing was marked as
   * acknowledged; stored: it is there, and nobody has heard.
   */
  private die(ending: 'torn' | 'stored', write: () => Promise<unknown>): void {
    const { process } = this
    if (process === undefined) return
    const { folder, life, runs, storage } = process
    this.process = undefined
    this.ending = undefined
    life.end()
    const to = this.folderNow()
    const copy = (name: string) => {
      if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(to, name))
    }
    const stateOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })
    const wal = 'twostep.db-wal'
    const before = { wal: stateOf(wal)?.size ?? 0, database: stateOf('twostep.db')?.mtimeMs }
    if (ending === 'torn') copy('twostep.db-acknowledged')
    // All of it is done when the call returns: the storage works synchronously.
    const written = write()
    written.catch(() => {})
    copy('twostep.db')
    copy(wal)
    if (ending === 'stored') copy('twostep.db-acknowledged')
    this.counts.kills++
    const after = stateOf(wal)?.size ?? 0
    // A log that begins again, or was folded into the database, was whole before that.
    if (ending === 'torn' && after > before.wal && stateOf('twostep.db')?.mtimeMs === before.database) {
      truncateSync(join(to, wal), before.wal + Math.floor(this.options.random() * (after - before.wal)))
      this.counts.torn++
    }
    const clean = () => rmSync(folder, { recursive: true, force: true })
    void runs.stop()
    void this.options.time.work(storage.close().then(clean, clean))
  }

  /** Answers as HTTP would. Rejects where nobody listens; never resolves where the process dies over it. */
  async handle(request: Request): Promise<Reply> {
    const { process } = this
    if (process === undefined) throw new Error('connect ECONNREFUSED')
    const { runs, life } = process
    if (runs.waiting > lineLengthMax) this.options.broken(`${runs.waiting} requests wait in one line`)
    const reply = await replyTo(request, (one) => life.heard(dispatch(runs, one)), this.options.broken)
    if (reply.code === 'disk-full') this.counts.full++
    if (reply.code === 'disk-full' && !this.isFull) this.options.broken('the disk is full that is not')
    return reply
  }

  /** A person's wish. False where it was refused or nobody was there. */
  async command(runId: string, command: Command): Promise<boolean> {
    const { process } = this
    if (process === undefined) return false
    const { life, runs } = process
    const isHeard = life.heard(runs.command(runId, command)).then(
      () => true,
      () => false,
    )
    return this.options.time.work(Promise.race([isHeard, life.over.then(() => false)]))
  }

  /** Ends it in order, and gives what is stored to be looked at. */
  async examine<T>(look: (storage: Storage) => Promise<T>): Promise<T> {
    const { process } = this
    if (process === undefined) throw new Error('the server must be up to be looked at')
    await process.runs.stop()
    const result = await look(process.storage)
    await process.storage.close()
    this.process = undefined
    return result
  }
}

/** The clocks of a process: the one on the wall may be wrong. */
export const clockOf = (life: Life, time: VirtualTime, service: Pick<Service, 'wallError'>): Clock => ({
  now: () => began + time.now + service.wallError,
  monotonic: () => time.now,
  after: (milliseconds, callback) => life.after(milliseconds, callback),
})
