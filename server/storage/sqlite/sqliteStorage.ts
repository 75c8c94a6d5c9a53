// The storage interface on SQLite. One connection, one transaction per batch, prepared statements; the calls
// are synchronous inside and return promises outside. A deletion takes the run's row at once and its bulk in
// small slices, so that it never holds up other runs; slices left by a crash go at the next start.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { limits } from '../../../protocol/schemas.ts'
import type {
  Batch,
  ClientRecord,
  Snapshot,
  Storage,
  StoredChunk,
  StoredDecision,
  StoredObservation,
} from '../storage.ts'
import { createAccessStore } from './access.ts'
import type { SqlValue, Statement } from './driver.ts'
import { createIntake } from './intake.ts'
import { openDatabase, openReader, type SqliteOptions, storageError } from './openDatabase.ts'
import { insertClient, insertRun, type Row, recordOf, rowOf, selectChunk, updateRun } from './rows.ts'
import { countRuns, groupRuns, listRuns } from './runList.ts'
import { derivedTables, runTables } from './schema.ts'
import { keyIn, seriesReads } from './seriesReads.ts'
import { Views } from './views.ts'

const deletionSliceRows = 200

const insertDecision = 'INSERT INTO decisions (run, number, kind, step, body) VALUES (?, ?, ?, ?, ?)'
const insertReadings = 'INSERT INTO readings (run, number, from_step, to_step, body) VALUES (?, ?, ?, ?, ?)'
const insertObservation = `INSERT INTO observations (run, number, received_at, kind, from_step, to_step, body)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const insertChunk = `INSERT INTO chunks (run, signal, level, chunk, body) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET body = excluded.body`
const insertSnapshot = `INSERT OR REPLACE INTO snapshots (run, number, tuner_version, state, series)
  VALUES (?, ?, ?, ?, ?)`
const insertSent = 'INSERT INTO batches (run, client_id, sequence, after, last) VALUES (?, ?, ?, ?, ?)'
const selectLastSequence = `SELECT max(
  coalesce((SELECT last_sequence FROM clients WHERE run = ? AND client_id = ?), 0),
  coalesce((SELECT max(sequence) FROM batches WHERE run = ? AND client_id = ?), 0)) AS last`
// Each write of a client gives it a new rowid, so the newest are the highest. Of those that go, what they sent last stays
// known by their batches; where it would not (to 0.1.0, in a log that came from elsewhere) they stay.
const foldClients = `DELETE FROM clients WHERE rowid IN (
  SELECT rowid FROM clients WHERE run = ? AND EXISTS (
    SELECT 1 FROM batches WHERE batches.run = clients.run AND batches.client_id = clients.client_id
    AND batches.sequence = clients.last_sequence)
  ORDER BY rowid DESC LIMIT -1 OFFSET ${limits.clientsMax})`
const selectObservations = `SELECT number, received_at AS receivedAt, kind, from_step AS fromStep, to_step AS toStep, body
  FROM observations WHERE run = ? AND number > ? ORDER BY number LIMIT ?`

/** Opens the file. @throws CommandError naming the file and what to do. */
export function openSqliteStorage(options: SqliteOptions): Storage {
  const { database, lock, driver } = openDatabase(options)
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

  /** Runs a call as a promise, with SQLite's errors as ours. */
  const attempt = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (error) {
      throw storageError(error, options.file)
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
  const keyOf = (runId: string) => keyIn({ get }, runId)
  const views = new Views(
    () => openReader(driver, options.file),
    () => options.readOnly !== true && void prepare('PRAGMA wal_checkpoint(PASSIVE)').get(),
    attempt,
  )

  const insertDerived = (key: number, batch: Omit<Batch, 'run' | 'observations' | 'client'>) => {
    for (const { number, kind, step, body } of batch.decisions)
      prepare(insertDecision).run(key, number, kind, step, body)
    if (batch.readings !== undefined) {
      const { number, fromStep, toStep, body } = batch.readings
      prepare(insertReadings).run(key, number, fromStep, toStep, body)
    }
    for (const { signal, level, chunk, body } of batch.chunks ?? [])
      prepare(insertChunk).run(key, signal, level, chunk, body)
    if (batch.snapshot !== undefined) {
      const { number, tunerVersion, state, series } = batch.snapshot
      prepare(insertSnapshot).run(key, number, tunerVersion, state, series)
    }
  }
  const insertSlice = (key: number, batch: Omit<Batch, 'run' | 'client'>) => {
    for (const { number, receivedAt, kind, fromStep, toStep, body } of batch.observations)
      prepare(insertObservation).run(key, number, receivedAt, kind, fromStep, toStep, body)
    insertDerived(key, batch)
  }
  const insertBatch = (key: number, batch: Batch) => {
    insertSlice(key, batch)
    if (batch.client !== undefined) {
      const { clientId, lastSequence, lastAnswer } = batch.client
      prepare(insertClient).run(key, clientId, lastSequence, lastAnswer)
      const last = batch.run.observationCount
      prepare(insertSent).run(key, clientId, lastSequence, last - batch.observations.length, last)
      if (lastSequence === 1) prepare(foldClients).run(key)
    }
  }
  const update = (batch: Pick<Batch, 'run'>): number => {
    const key = keyOf(batch.run.id)
    if (key === -1) throw new Error(`run ${batch.run.id} is not stored`)
    prepare(updateRun).run(...rowOf(batch.run), key)
    return key
  }

  /** Deletes what is left of deleted runs, a slice per turn of the event loop. */
  let closed = false
  /** Keys that stand among the deletions until their intake is finished. */
  const intakes = new Set<number>()
  const nextDeletion = () =>
    all<{ run: number }>('SELECT run FROM deletions LIMIT ?', intakes.size + 1).find(
      ({ run }) => !intakes.has(run),
    )?.run
  const sweepDeletions = async () => {
    for (;;) {
      const run = closed ? undefined : nextDeletion()
      if (run === undefined) return
      const removed = transaction(() => {
        for (const table of runTables) {
          const slice = `SELECT rowid FROM ${table} WHERE run = ? LIMIT ${deletionSliceRows}`
          const { changes } = prepare(`DELETE FROM ${table} WHERE rowid IN (${slice})`).run(run)
          if (Number(changes) > 0) return true
        }
        prepare('DELETE FROM deletions WHERE run = ?').run(run)
        return false
      })
      if (removed) await nextTurn()
    }
  }
  let sweeping: Promise<void> = Promise.resolve()
  const startSweep = () => {
    // A failed sweep loses nothing: the run is gone for everyone, its rows wait for the next one.
    sweeping = sweeping.then(sweepDeletions).catch(() => {})
  }
  if (options.readOnly !== true) startSweep()

  return {
    description: `SQLite ${get<{ v: string }>('SELECT sqlite_version() AS v')?.v} (${driver.name}) at ${options.file}`,
    access: createAccessStore({ prepare, attempt }),
    createRun: (batch) =>
      attempt(() =>
        transaction(() => {
          if (keyOf(batch.run.id) !== -1) return false
          insertBatch(Number(prepare(insertRun).run(null, ...rowOf(batch.run)).lastInsertRowid), batch)
          return true
        }),
      ),
    takeIn: () =>
      attempt(() => createIntake({ prepare, transaction, attempt, insertSlice, keyOf, startSweep, intakes })),
    append: (batch) => attempt(() => transaction(() => insertBatch(update(batch), batch))),
    updateRun: (run) => attempt(() => void transaction(() => update({ run }))),
    replaceDerived: (batch) =>
      attempt(() =>
        transaction(() => {
          const key = update(batch)
          for (const table of derivedTables) prepare(`DELETE FROM ${table} WHERE run = ?`).run(key)
          insertDerived(key, batch)
          for (const readings of batch.allReadings) insertDerived(key, { decisions: [], readings })
        }),
      ),
    deleteRun: (runId) =>
      attempt(() => {
        const key = keyOf(runId)
        if (key === -1) return false
        transaction(() => {
          prepare('DELETE FROM runs WHERE key = ?').run(key)
          prepare('INSERT INTO deletions (run) VALUES (?)').run(key)
        })
        startSweep()
        return true
      }),
    run: (runId) =>
      attempt(() => {
        const row = get<Row>('SELECT * FROM runs WHERE id = ?', runId)
        return row && recordOf(row)
      }),
    listRuns: (query) => attempt(() => listRuns(all, query)),
    groupRuns: (query, by) => attempt(() => groupRuns(all, query, by)),
    countRuns: (now, within) => attempt(() => countRuns(all, now, within)),
    client: (runId, clientId) =>
      attempt(() =>
        get<ClientRecord>(
          `SELECT client_id AS clientId, last_sequence AS lastSequence, last_answer AS lastAnswer
           FROM clients WHERE run = ? AND client_id = ?`,
          keyOf(runId),
          clientId,
        ),
      ),
    clientSequences: (runId) =>
      attempt(() => {
        const sql = 'SELECT client_id, last_sequence FROM clients WHERE run = ? ORDER BY rowid DESC LIMIT ?'
        const rows = all<{ client_id: string; last_sequence: number }>(sql, keyOf(runId), limits.clientsMax)
        return new Map(rows.reverse().map((row) => [row.client_id, row.last_sequence]))
      }),
    lastSequence: (runId, clientId) =>
      attempt(() => {
        const key = keyOf(runId)
        return get<{ last: number }>(selectLastSequence, key, clientId, key, clientId)!.last
      }),
    sent: (runId, clientId, sequence) =>
      attempt(() => {
        const key = keyOf(runId)
        const sql = 'SELECT after, last FROM batches WHERE run = ? AND client_id = ? AND sequence = ?'
        const place = get<{ after: number; last: number }>(sql, key, clientId, sequence)
        return place && all<StoredObservation>(selectObservations, key, place.after, place.last - place.after)
      }),
    observations: (runId, { after, limit }) =>
      attempt(() => all<StoredObservation>(selectObservations, keyOf(runId), after, limit)),
    snapshot: (runId) =>
      attempt(() =>
        get<Snapshot>(
          'SELECT number, tuner_version AS tunerVersion, state, series FROM snapshots WHERE run = ?',
          keyOf(runId),
        ),
      ),
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
    chunks: (runId, keys) =>
      attempt(() => {
        const run = keyOf(runId)
        return keys.flatMap(
          ({ signal, level, chunk }) => get<StoredChunk>(selectChunk, run, signal, level, chunk) ?? [],
        )
      }),
    ...seriesReads({ get, all, attempt }),
    view: () => views.view(),
    checkWritable: () =>
      attempt(() =>
        transaction(() => {
          prepare('INSERT INTO deletions (run) VALUES (-1)').run()
          prepare('DELETE FROM deletions WHERE run = -1').run()
        }),
      ),
    close: async () => {
      closed = true
      await sweeping
      statements.clear()
      views.end()
      // So that the database is one whole file while no server runs.
      if (options.readOnly !== true) database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
      lock?.close()
    },
  }
}
