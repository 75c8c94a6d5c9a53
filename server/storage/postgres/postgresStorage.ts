// The storage interface on PostgreSQL. A batch is one statement (write.ts), so one round trip and one transaction, but for one
// that webhooks hear of (webhooks.ts); it is durable when it is answered (synchronous_commit). What is read of a log is held to its checksums (../chain.ts).

import type { Checksum } from '../chain.ts'
import { DamageWatch, logCut } from '../damage.ts'
import { believedCount, runMoved } from '../fence.ts'
import {
  type Batch,
  type ClientRecord,
  type Notice,
  noticesMax,
  type Storage,
  type StoredDecision,
} from '../storage.ts'
import { derivedTables, runTables } from '../tables.ts'
import { createAccessStore } from './access.ts'
import {
  createPools,
  isConflict,
  openFailure,
  placeOf,
  type Query,
  queryOn,
  storageError,
  type Value,
} from './connect.ts'
import { derivedChecks } from './derived.ts'
import { createIntake } from './intake.ts'
import { migrate } from './migrate.ts'
import { createRemoved } from './removed.ts'
import { createReplicaStore } from './replicas.ts'
import { countRuns, groupRuns, listRuns } from './runList.ts'
import { runReads } from './runReads.ts'
import { observationsAfter, seriesReads } from './seriesReads.ts'
import { createSweep } from './sweep.ts'
import { keySql, type Tools } from './tools.ts'
import { openView } from './views.ts'
import { addDeliveries, createWebhookStore } from './webhooks.ts'
import {
  appendSql,
  bytesOf,
  createSql,
  foldClientsSql,
  insertSliceSql,
  noSlice,
  rowValues,
  type Slice,
  sliceValues,
  updateSql,
} from './write.ts'

const tailObservations = 4
/** Runs whose end of the log is remembered, so that an append need not read it. */
const headsMax = 1_000

export type PostgresOptions = {
  /** postgresql://user:password@host:port/database */
  readonly url: string
  /** For a command that reads beside a server. */
  readonly readOnly?: boolean
}

/** Where a run's log ends. */
type Head = { readonly key: number; readonly count: number; readonly checksum: Checksum }
const selectHead = `SELECT key, observation_count AS count, checksum FROM runs
  LEFT JOIN observations ON run = key AND number = observation_count WHERE id = $1`

const sliceOf = ({ run, readings, deliveries: _, ...batch }: Batch): Slice => ({
  ...batch,
  readings: readings === undefined ? [] : [readings],
  last: run.observationCount,
})

/** Connects, and brings the tables to this version. @throws CommandError with a sentence; it holds no password. */
export async function openPostgresStorage({ url, readOnly = false }: PostgresOptions): Promise<Storage> {
  const place = placeOf(url)
  const { main, views } = createPools(url, readOnly)
  const version = await prepare(main, place, readOnly).catch(async (error) => {
    await Promise.all([main.end(), views.end()])
    throw openFailure(error, place)
  })
  const damage = new DamageWatch()
  const query = queryOn(main)
  const get = async <T>(sql: string, ...values: Parameters<Query>[1][]) => (await query<T>(sql, ...values))[0]
  const attempt: Tools['attempt'] = async (work) => {
    try {
      return await work()
    } catch (error) {
      const failure = storageError(error, place)
      damage.met(failure)
      throw failure
    }
  }
  const transaction: Tools['transaction'] = async (work) => {
    const client = await main.connect()
    const ignore = () => {}
    client.on('error', ignore)
    let broken: Error | undefined
    try {
      await client.query('BEGIN')
      const result = await work(queryOn(client))
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.off('error', ignore)
      client.release(broken)
    }
  }
  const tools: Tools = { query, get, transaction, attempt }
  const replicas = createReplicaStore({ query, attempt, url })
  const sweep = createSweep(tools)
  if (!readOnly) sweep.start()

  const heads = new Map<string, Head>()
  const rememberHead = (runId: string, head: Head) => {
    heads.delete(runId)
    heads.set(runId, head)
    if (heads.size <= headsMax) return
    for (const oldest of heads.keys()) return void heads.delete(oldest)
  }
  /** @throws ServerError `run-moved`. */
  const headAt = async (runId: string, believed: number): Promise<Head> => {
    const known = heads.get(runId)
    if (known?.count === believed) return known
    const stored = await get<Head>(selectHead, runId)
    if (stored?.count !== believed) throw runMoved(runId, believed, stored?.count)
    return stored
  }
  /** Writes a batch by one statement, and in its transaction what webhooks are to hear of it. No row = it was not written. */
  const write = async (deliveries: Batch['deliveries'] = [], sql: string, ...values: Value[]) => {
    if (deliveries.length === 0) return get<{ key: number }>(sql, ...values)
    return transaction(async (inside) => {
      const [written] = await inside<{ key: number }>(sql, ...values)
      if (written !== undefined) await addDeliveries(inside, deliveries)
      return written
    })
  }
  const append = async (batch: Batch) => {
    const { id, observationCount } = batch.run
    const believed = believedCount(batch)
    const head = await headAt(id, believed)
    heads.delete(id)
    const slice = sliceOf(batch)
    const { values, checksum } = sliceValues(slice, head.checksum)
    const written = await write(
      batch.deliveries,
      appendSql,
      ...rowValues(batch.run),
      bytesOf(slice),
      believed,
      head.key,
      ...values,
    ).catch((error) => {
      // Another server has taken this very batch, or one of that number, with nothing in it: the log is as long as before.
      throw isConflict(error, 'batches_pkey') ? runMoved(id, believed) : error
    })
    if (written === undefined) throw runMoved(id, believed)
    rememberHead(id, { key: head.key, count: observationCount, checksum })
    if (batch.client?.lastSequence === 1) await query(foldClientsSql, head.key)
  }
  const update = async (inside: Query, run: Batch['run'], version: string | null): Promise<number> => {
    const count = run.observationCount
    const [row] = await inside<{ key: number }>(updateSql, ...rowValues(run), count, version)
    if (row !== undefined) return row.key
    const [stored] = await inside<Head>(selectHead, run.id)
    throw runMoved(run.id, count, stored?.count === count ? undefined : stored?.count)
  }

  const view = () => openView(views, { attempt, damage })

  return {
    description: `PostgreSQL ${version} at ${place}`,
    access: createAccessStore(tools),
    webhooks: createWebhookStore(tools),
    createRun: (batch) =>
      attempt(async () => {
        const slice = sliceOf(batch)
        const { values, checksum } = sliceValues(slice, null)
        const made = await write(
          batch.deliveries,
          createSql,
          ...rowValues(batch.run),
          bytesOf(slice),
          ...values,
        )
        if (made === undefined) return false
        const count = batch.run.observationCount
        // A run that begins with less than it counts has no checksum there.
        if (slice.observations.at(-1)?.number === count)
          rememberHead(batch.run.id, { key: made.key, count, checksum })
        return true
      }),
    takeIn: () => attempt(() => createIntake({ ...tools, sweep })),
    append: (batch) => attempt(() => append(batch)),
    updateRun: (run) => attempt(async () => void (await update(query, run, run.tunerVersion))),
    replaceDerived: ({ run, allReadings, ...derived }) =>
      attempt(() =>
        transaction(async (inside) => {
          const key = await update(inside, run, null)
          for (const table of derivedTables) await inside(`DELETE FROM ${table} WHERE run = $1`, key)
          const slice = { ...noSlice, ...derived, readings: allReadings }
          await inside(insertSliceSql, key, ...sliceValues(slice, null).values)
        }),
      ),
    ...createRemoved({ ...tools, sweep, forget: (runId) => heads.delete(runId) }),
    usedBytes: () =>
      attempt(async () => {
        const sql = `SELECT (coalesce((SELECT sum(bytes) FROM runs), 0)
          + coalesce((SELECT sum(bytes) FROM removed), 0))::bigint AS bytes`
        return (await get<{ bytes: number }>(sql))!.bytes
      }),
    settled: () => sweep.settled(),
    listRuns: (wanted) => attempt(() => listRuns(query, wanted)),
    groupRuns: (wanted, by) => attempt(() => groupRuns(query, wanted, by)),
    countRuns: (now, within) => attempt(() => countRuns(query, now, within)),
    client: (runId, clientId) =>
      attempt(() =>
        get<ClientRecord>(
          `SELECT client_id AS "clientId", last_sequence AS "lastSequence", last_answer AS "lastAnswer"
           FROM clients WHERE run = ${keySql(1)} AND client_id = $2`,
          runId,
          clientId,
        ),
      ),
    lastSequence: (runId, clientId) =>
      attempt(async () => {
        const own = `WHERE run = ${keySql(1)} AND client_id = $2`
        const sql = `SELECT greatest(coalesce((SELECT last_sequence FROM clients ${own}), 0),
          coalesce((SELECT max(sequence) FROM batches ${own}), 0)) AS last`
        return (await get<{ last: number }>(sql, runId, clientId))!.last
      }),
    sent: (runId, clientId, sequence) =>
      attempt(async () => {
        const sql = `SELECT after, last FROM batches WHERE run = ${keySql(1)} AND client_id = $2 AND sequence = $3`
        const found = await get<{ after: number; last: number }>(sql, runId, clientId, sequence)
        return (
          found && observationsAfter(query, runId, { after: found.after, limit: found.last - found.after })
        )
      }),
    decisions: (runId, { after, limit, kinds }) =>
      attempt(() =>
        query<StoredDecision>(
          `SELECT number, kind, step, body FROM decisions WHERE run = ${keySql(1)} AND number > $2
           AND ($3::text[] IS NULL OR kind = ANY ($3)) ORDER BY number LIMIT $4`,
          runId,
          after,
          kinds ?? null,
          limit,
        ),
      ),
    decision: (runId, number) =>
      attempt(() =>
        get<StoredDecision>(
          `SELECT number, kind, step, body FROM decisions WHERE run = ${keySql(1)} AND number = $2`,
          runId,
          number,
        ),
      ),
    ...seriesReads(tools),
    ...runReads({ query, attempt, damage }),
    ...derivedChecks({ query, attempt }),
    damage,
    view,
    replicas,
    // PostgreSQL checks its own pages (pg_amcheck, checksums of initdb): here each is only read.
    checkPages: () =>
      attempt(async () => {
        for (const table of ['runs', ...runTables]) await query(`SELECT count(*) FROM ${table}`)
      }),
    // At one moment: another server may write to the run meanwhile.
    checkTail: async (runId) => {
      const moment = await view()
      try {
        await moment.stand()
        const record = await moment.run(runId)
        if (record === undefined) return
        const { observationCount } = record
        const after = Math.max(0, observationCount - tailObservations)
        const found = (await moment.observations(runId, { after, limit: tailObservations + 1 })).length
        if (found === observationCount - after) return
        const cut = logCut(runId, after + found, observationCount)
        damage.met(cut)
        throw cut
      } finally {
        moment.close()
      }
    },
    checkWritable: () =>
      attempt(async () => {
        damage.check()
        await query('UPDATE twostep_schema SET checked_at = now()')
      }),
    // What PostgreSQL has committed it has again after a crash: there is nothing to compare with.
    settleLosses: async () => [],
    addNotice: ({ at, kind, detail }) =>
      attempt(async () => {
        await query('INSERT INTO notices (at, kind, detail) VALUES ($1, $2, $3)', at, kind, detail)
        await query(
          `DELETE FROM notices WHERE number NOT IN (SELECT number FROM notices ORDER BY number DESC LIMIT ${noticesMax})`,
        )
      }),
    notices: () =>
      attempt(() =>
        query<Notice>(`SELECT at, kind, detail FROM notices ORDER BY number DESC LIMIT ${noticesMax}`),
      ),
    close: async () => {
      await sweep.stop()
      await replicas.end()
      await Promise.all([main.end(), views.end()])
    },
  }
}

/** Its version. */
async function prepare(
  pool: ReturnType<typeof createPools>['main'],
  place: string,
  readOnly: boolean,
): Promise<string> {
  const client = await pool.connect()
  try {
    await migrate(client, place, readOnly)
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return rows[0]!.server_version.split(' ')[0]!
  } finally {
    client.release()
  }
}
