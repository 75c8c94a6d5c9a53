// Views: connections that only read, each in a transaction that shows the database as it was at one moment, whatever is written
// meanwhile. They are opened when first needed, and kept for the next reader.
//
// While a view is open SQLite cannot begin its write-ahead log anew, and readers who follow one another without a gap would
// let it grow for ever: so after some views the next one waits for a gap, and the log is written back in it.

import type { DamageWatch } from '../damage.ts'
import type { View } from '../storage.ts'
import type { Database, SqlValue, Statement } from './driver.ts'
import { runReads } from './runReads.ts'
import { seriesReads } from './seriesReads.ts'
import type { Tools } from './tools.ts'

/** Connections; each has a page cache of its own (2 MB). */
const viewsMax = 8
const viewsBetweenGaps = 256

type Connection = {
  readonly database: Database
  readonly prepare: (sql: string) => Statement
}

function connectionOf(database: Database): Connection {
  const statements = new Map<string, Statement>()
  const prepare = (sql: string) => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return { database, prepare }
}

export type ViewsOptions = {
  readonly connect: () => Database
  /** Brings the write-ahead log into the database; called while no view is open. */
  readonly writeBack: () => void
  readonly attempt: Tools['attempt']
  readonly damage: DamageWatch
}

export class Views {
  private readonly options: ViewsOptions
  private readonly idle: Connection[] = []
  private readonly waiting: (() => void)[] = []
  private open = 0
  private sinceGap = 0
  private closed = false

  constructor(options: ViewsOptions) {
    this.options = options
  }

  async view(): Promise<View> {
    while (this.open >= viewsMax || (this.sinceGap >= viewsBetweenGaps && this.open > 0))
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    this.open++
    this.sinceGap++
    try {
      return await this.options.attempt(() => this.begin())
    } catch (error) {
      this.leave()
      throw error
    }
  }

  private begin(): View {
    const { writeBack, connect, attempt, damage } = this.options
    if (this.sinceGap > viewsBetweenGaps) {
      writeBack()
      this.sinceGap = 1
    }
    const connection = this.idle.pop() ?? connectionOf(connect())
    const { database, prepare } = connection
    const get = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).get(...values) as T | undefined
    const all = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).all(...values) as T[]
    let isOpen = true
    let stands = false
    return {
      ...seriesReads({ get, all, attempt }),
      ...runReads({ prepare, attempt, damage }),
      stand: () =>
        attempt(() => {
          prepare('BEGIN').run()
          stands = true
          // A transaction shows what is there when it first reads.
          prepare('SELECT 1 FROM runs LIMIT 1').get()
        }),
      close: () => {
        if (!isOpen) return
        isOpen = false
        if (stands) prepare('COMMIT').run()
        if (this.closed) database.close()
        else this.idle.push(connection)
        this.leave()
      },
    }
  }

  private leave(): void {
    this.open--
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  /** Closes the connections that nobody reads; the others close with their views. */
  end(): void {
    this.closed = true
    for (const { database } of this.idle.splice(0)) database.close()
  }
}
