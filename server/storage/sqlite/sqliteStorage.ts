// The storage interface on SQLite. One connection, one transaction per batch, prepared statements; the calls
// are synchronous inside and return promises outside. A deletion takes the run's row at once and its bulk in
// small slices (sweep.ts). What is read of a log is held to its checksums (chain.ts).

import { checksumOf } from '../chain.ts'
import { DamageWatch, databaseDamaged, logCut } from '../damage.ts'
import { believedCount, runMoved } from '../fence.ts'
import { rowOf } from '../rows.ts'
import type { Batch, RunRecord, Storage, StoredDecision } from '../storage.ts'
import { derivedTables } from '../tables.ts'
import { createAccessStore } from './access.ts'
import { type Acknowledged, openAcknowledged } from './acknowledged.ts'
import { createClients } from './clients.ts'
import { derivedChecks, derivedWrites } from './derived.ts'
import type { Database, SqlValue, Statement } from './driver.ts'
import { createIntake } from './intake.ts'
import { createNotices } from './notices.ts'
import { openDatabase, openReader, type SqliteOptions, sqliteCode, storageError } from './openDatabase.ts'
import { createPlaceCheck, freeBytesOf } from './place.ts'
import { createRemoved } from './removed.ts'
import { createRoom } from './room.ts'
import { insertRun, updateRun } from './rows.ts'
import { countRuns, groupRuns, listRuns } from './runList.ts'
import { runReads } from './runReads.ts'
import { checksumAt, keyIn, observationsAfter, seriesReads } from './seriesReads.ts'
import { createSweep } from './sweep.ts'
import { Views } from './views.ts'
import { createWebhooks } from './webhooks.ts'

const insertDecision = 'INSERT INTO decisions (run, number, kind, step, body) VALUES (?, ?, ?, ?, ?)'
const insertReadings = 'INSERT INTO readings (run, number, from_step, to_step, body) VALUES (?, ?, ?, ?, ?)'
const insertObservation = `INSERT INTO observations (run, number, received_at, kind, from_step, to_step, body, columns,
  checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const insertSent =
  'INSERT OR IGNORE INTO batches (run, client_id, sequence, after, last) VALUES (?, ?, ?, ?, ?)'
const tailObservations = 4
const selectCount = 'SELECT key, observation_count AS count, tuner_version AS version FROM runs WHERE id = ?'

/** Opens the file. @throws CommandError naming the file and what to do. */
export function openSqliteStorage(options: SqliteOptions): Storage {
  const { file, database, lock, driver } = openDatabase(options)
  const statements = new Map<string, Statement>()
  const prepare = (sql: string): Statement => {
    let statement = statements.get(sql)
    if (statement === undefined) {
      statement = database.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }
  const get = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).get(...values) as T | undefined
  const all = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).all(...values) as T[]

  const damage = new DamageWatch()
  /** Runs a call as a promise, with SQLite's errors as ours. */
  const attempt = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (error) {
      const failure = storageError(error, options.file)
      damage.met(failure)
      throw failure
    }
  }
  const transaction = <T>(work: () => T): T => {
    prepare('BEGIN IMMEDIATE').run()
    try {
      const result = work()
      prepare('COMMIT').run()
      return result
    } catch (error) {
      // On a full disk SQLite has rolled back by itself already.
      if (database.isTransaction) prepare('ROLLBACK').run()
      throw error
    }
  }
  const { reserve = 0, freeBytes = () => freeBytesOf(file) } = options
  const checkPlace = createPlaceCheck(file, freeBytes)
  const keyOf = (runId: string) => keyIn({ get }, runId)
  const views = new Views({
    connect: () => {
      checkPlace.file()
      return openReader(driver, file)
    },
    writeBack: () => options.readOnly !== true && void prepare('PRAGMA wal_checkpoint(PASSIVE)').get(),
    attempt,
    damage,
  })
  const derived = derivedWrites({ prepare })
  const clients = createClients({ prepare, attempt, keyOf })
  const webhooks = createWebhooks({ prepare, attempt, transaction })
  const insertDerived = (key: number, batch: Omit<Batch, 'run' | 'observations' | 'client'>) => {
    for (const { number, kind, step, body } of batch.decisions)
      prepare(insertDecision).run(key, number, kind, step, body)
    if (batch.readings !== undefined) {
      const { number, fromStep, toStep, body } = batch.readings
      prepare(insertReadings).run(key, number, fromStep, toStep, body)
    }
    for (const chunk of batch.chunks ?? []) derived.insertChunk(key, chunk)
    if (batch.snapshot !== undefined) derived.insertSnapshot(key, batch.snapshot)
  }
  const observationsOf = (id: string, key: number, after: number, limit: number) =>
    observationsAfter({ get, all }, { id, key }, { after, limit })
  const insertSlice = (key: number, batch: Omit<Batch, 'run' | 'client'>) => {
    const [first] = batch.observations
    let checksum = first === undefined ? null : checksumAt({ get }, key, first.number - 1)
    for (const given of batch.observations) {
      const { number, receivedAt, kind, fromStep, toStep, body, columns } = given
      checksum = checksumOf(checksum, given)
      prepare(insertObservation).run(key, number, receivedAt, kind, fromStep, toStep, body, columns, checksum)
    }
    insertDerived(key, batch)
  }
  const insertBatch = (key: number, batch: Batch) => {
    insertSlice(key, batch)
    if (batch.deliveries !== undefined) webhooks.insert(batch.deliveries)
    if (batch.client === undefined) return
    const { clientId, lastSequence } = batch.client
    const last = batch.run.observationCount
    const after = last - batch.observations.length
    const { changes } = prepare(insertSent).run(key, clientId, lastSequence, after, last)
    // Another server has taken this very batch, or one of that number, with nothing in it: the log is as long as before.
    if (changes === 0) throw runMoved(batch.run.id, last)
    clients.insert(key, batch.client)
  }
  /** @param version of the tuner, as believed; null = any */
  const update = (run: RunRecord, believed: number, version: string | null = null): number => {
    const stored = get<{ key: number; count: number; version: string }>(selectCount, run.id)
    if (stored?.count !== believed) throw runMoved(run.id, believed, stored?.count)
    if (version !== null && stored.version !== version) throw runMoved(run.id, believed)
    prepare(updateRun).run(...rowOf(run), stored.key)
    return stored.key
  }

  /** An append writes the whole row, and not over what was changed otherwise. */
  const checkUnchanged = ({ id, name, project, tags, tunerVersion, observationCount }: RunRecord) => {
    const sql = `SELECT 1 FROM runs WHERE id = ? AND name = ? AND project = ? AND tags = ? AND tuner_version = ?`
    const isSame = get(sql, id, name, project, JSON.stringify(tags), tunerVersion) !== undefined
    if (!isSame) throw runMoved(id, observationCount)
  }

  /** Keys that stand among the deletions until their intake is finished. */
  const intakes = new Set<number>()
  const room = createRoom(database, file, { reserve, freeBytes })
  const sweep = createSweep({ prepare, transaction, intakes, room })
  const startSweep = sweep.start
  if (options.readOnly !== true) startSweep()
  const acknowledged =
    options.readOnly === true
      ? undefined
      : openAcknowledged(`${file}-acknowledged`, {
          observations: (runId) =>
            get<{ n: number }>('SELECT observation_count AS n FROM runs WHERE id = ?', runId)?.n,
          lastSequence: (runId, clientId) => clients.lastSequence(keyOf(runId), clientId),
        })
  /** After a commit. */
  const acknowledge = (batch: Pick<Batch, 'run' | 'client'>) => {
    acknowledged?.stored(batch)
    if (acknowledged?.isLong !== true) return
    const folded = prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as { log: number; checkpointed: number }
    acknowledged.begin(folded.log === folded.checkpointed)
  }

  return {
    description: `SQLite ${get<{ v: string }>('SELECT sqlite_version() AS v')?.v} (${driver.name}) at ${options.file}`,
    access: createAccessStore({ prepare, attempt }),
    webhooks: webhooks.store,
    createRun: (batch) =>
      attempt(() => {
        checkPlace.file()
        const isNew = transaction(() => {
          if (keyOf(batch.run.id) !== -1) return false
          insertBatch(Number(prepare(insertRun).run(null, ...rowOf(batch.run)).lastInsertRowid), batch)
          return true
        })
        if (isNew) acknowledge(batch)
        return isNew
      }),
    takeIn: () =>
      attempt(() =>
        createIntake({ prepare, transaction, attempt, insertSlice, keyOf, startSweep, acknowledge, intakes }),
      ),
    append: (batch) =>
      attempt(() => {
        checkPlace.file()
        transaction(() => {
          checkUnchanged(batch.run)
          insertBatch(update(batch.run, believedCount(batch)), batch)
        })
        acknowledge(batch)
      }),
    updateRun: (run) =>
      attempt(() => void transaction(() => update(run, run.observationCount, run.tunerVersion))),
    replaceDerived: (batch) =>
      attempt(() =>
        transaction(() => {
          const key = update(batch.run, batch.run.observationCount)
          for (const table of derivedTables) prepare(`DELETE FROM ${table} WHERE run = ?`).run(key)
          insertDerived(key, batch)
          for (const readings of batch.allReadings) insertDerived(key, { decisions: [], readings })
        }),
      ),
    ...createRemoved({ prepare, transaction, attempt, keyOf, startSweep, room, freeBytes, acknowledged }),
    usedBytes: () => attempt(() => room.usedBytes()),
    settled: () => sweep.settled(),
    listRuns: (query) => attempt(() => listRuns(all, query)),
    groupRuns: (query, by) => attempt(() => groupRuns(all, query, by)),
    countRuns: (now, within) => attempt(() => countRuns(all, now, within)),
    sent: (runId, clientId, sequence) =>
      attempt(() => {
        const key = keyOf(runId)
        const sql = 'SELECT after, last FROM batches WHERE run = ? AND client_id = ? AND sequence = ?'
        const place = get<{ after: number; last: number }>(sql, key, clientId, sequence)
        return place && observationsOf(runId, key, place.after, place.last - place.after)
      }),
    decisions: (runId, { after, limit, kinds }) =>
      attempt(() => {
        const wanted = kinds === undefined ? '' : ` AND kind IN (${kinds.map(() => '?').join(', ')})`
        return all<StoredDecision>(
          `SELECT number, kind, step, body FROM decisions WHERE run = ? AND number > ?${wanted} ORDER BY number LIMIT ?`,
          keyOf(runId),
          after,
          ...(kinds ?? []),
          limit,
        )
      }),
    decision: (runId, number) =>
      attempt(() =>
        get<StoredDecision>(
          'SELECT number, kind, step, body FROM decisions WHERE run = ? AND number = ?',
          keyOf(runId),
          number,
        ),
      ),
    ...seriesReads({ get, all, attempt }),
    view: () => views.view(),
    ...clients.reads,
    ...runReads({ prepare, attempt, damage }),
    ...derivedChecks({ prepare, attempt, keyOf }),
    damage,
    checkPages: () =>
      attempt(() => {
        const verdict = String(Object.values(get<object>('PRAGMA quick_check(1)') ?? {})[0])
        if (verdict !== 'ok') throw databaseDamaged(`the database ${options.file} is damaged (${verdict})`)
      }),
    checkTail: (runId) =>
      attempt(() => {
        const run = get<{ key: number; count: number }>(selectCount, runId)
        if (run === undefined) return
        const after = Math.max(0, run.count - tailObservations)
        const found = observationsOf(runId, run.key, after, tailObservations + 1).length
        if (found !== run.count - after) throw logCut(runId, after + found, run.count)
      }),
    checkWritable: () =>
      attempt(() => {
        damage.check()
        checkPlace.file()
        checkPlace.room()
        transaction(() => {
          prepare('INSERT INTO deletions (run) VALUES (-1)').run()
          prepare('DELETE FROM deletions WHERE run = -1').run()
        })
      }),
    ...createNotices({ prepare, transaction, attempt, acknowledged }),
    close: async () => {
      await sweep.stop()
      statements.clear()
      views.end()
      if (options.readOnly !== true) foldWriteAheadLog(database, acknowledged)
      database.close()
      lock?.close()
    },
  }
}

/** So that the database is one whole file while no server runs. On a full disk it stays in two, and nothing is lost. */
function foldWriteAheadLog(database: Database, acknowledged: Acknowledged | undefined): void {
  try {
    const row = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    if (row.busy === 0) acknowledged?.clear()
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error
  } finally {
    acknowledged?.close()
  }
}
