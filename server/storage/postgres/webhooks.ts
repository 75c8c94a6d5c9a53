// Webhooks and their deliveries on PostgreSQL. Who adds deliveries holds their webhooks' rows until the commit: so numbers
// ascend in the order of commits, the bounds hold, and none is left of a webhook that is deleted meanwhile.

import { limits } from '../../../protocol/limits.ts'
import type { NewDelivery, StoredDelivery, StoredWebhook, WebhookStore } from '../webhooks.ts'
import type { Query } from './connect.ts'
import { owedAgain } from './replicas.ts'
import type { Tools } from './tools.ts'

/** Part of the schema. */
export const webhookTables = `
  CREATE TABLE webhooks (
    id text PRIMARY KEY,
    url text NOT NULL,
    events text NOT NULL,
    project text,
    shape text NOT NULL,
    secret text NOT NULL,
    created_at bigint NOT NULL,
    disabled_at bigint,
    failing_since bigint
  );
  CREATE TABLE deliveries (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook text NOT NULL,
    event text NOT NULL,
    run_id text NOT NULL,
    body text NOT NULL,
    at bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    last_at bigint,
    status integer,
    error text NOT NULL DEFAULT '',
    next_at bigint
  );
  CREATE INDEX deliveries_log ON deliveries (webhook, number, state);
  CREATE INDEX deliveries_waiting ON deliveries (webhook, run_id, number) WHERE state = 'waiting';
  `

/** The next version: since when the runs were silent that were told of, or are silent as it is made. */
export const staleTables = `
  CREATE TABLE told_stale (
    run_id text PRIMARY KEY,
    stale_at bigint NOT NULL
  );
  INSERT INTO told_stale SELECT id, stale_at FROM runs WHERE stale_at <= 1000 * extract(epoch FROM now());
  `

type WebhookRow = Omit<StoredWebhook, 'events'> & { readonly events: string }

const selectWebhooks = `SELECT id, url, events, project, shape, secret, created_at AS "createdAt",
  disabled_at AS "disabledAt", failing_since AS "failingSince" FROM webhooks ORDER BY created_at, id`
const putWebhook = `INSERT INTO webhooks (id, url, events, project, shape, secret, created_at, disabled_at, failing_since)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET url = excluded.url,
  events = excluded.events, project = excluded.project, shape = excluded.shape, secret = excluded.secret,
  created_at = excluded.created_at, disabled_at = excluded.disabled_at, failing_since = excluded.failing_since`
// In one order everywhere, so that no two wait for each other.
const holdWebhooks = 'SELECT id FROM webhooks WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE'
const insertDeliveries = `INSERT INTO deliveries (webhook, event, run_id, body, at, state, next_at)
  SELECT webhook, event, run_id, body, at, 'waiting', at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    WITH ORDINALITY AS new (webhook, event, run_id, body, at, place) ORDER BY place`
const dropOldest = `UPDATE deliveries SET state = 'dropped', next_at = NULL WHERE webhook = $1 AND state = 'waiting'
  AND number <= (SELECT number FROM deliveries WHERE webhook = $1 AND state = 'waiting' ORDER BY number DESC
    LIMIT 1 OFFSET $2)`
const forgetOldest = `DELETE FROM deliveries WHERE webhook = $1 AND state <> 'waiting'
  AND number <= (SELECT number FROM deliveries WHERE webhook = $1 AND state <> 'waiting' ORDER BY number DESC
    LIMIT 1 OFFSET $2)`
const selectDelivery = `SELECT number, webhook AS "webhookId", event, run_id AS "runId", body, at, state, attempts,
  last_at AS "lastAt", status, error, next_at AS "nextAt" FROM deliveries`
const selectNext = `${selectDelivery} WHERE number IN (SELECT min(number) FROM deliveries
  WHERE webhook = $1 AND state = 'waiting' GROUP BY run_id) ORDER BY next_at, number LIMIT $2`
const updateAttempt = `UPDATE deliveries SET state = $1, attempts = $2, last_at = $3, status = $4, error = $5,
  next_at = $6 WHERE number = $7`

const tellStale = `INSERT INTO told_stale AS told (run_id, stale_at) VALUES ($1, $2)
  ON CONFLICT (run_id) DO UPDATE SET stale_at = excluded.stale_at WHERE told.stale_at < excluded.stale_at RETURNING run_id`
const selectUntold = `SELECT id FROM runs WHERE stale_at <= $1
  AND NOT EXISTS (SELECT 1 FROM told_stale AS told WHERE told.run_id = runs.id AND told.stale_at >= runs.stale_at)
  ORDER BY stale_at, key LIMIT $2`
// A run that can be restored is one still.
const forgetStale = `DELETE FROM told_stale WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id)
  AND NOT EXISTS (SELECT 1 FROM removed WHERE id = run_id)`

/** For a transaction, that of a batch or one of its own. */
export async function addDeliveries(query: Query, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return
  const wanted = [...new Set(deliveries.map(({ webhookId }) => webhookId))]
  const held = await query<{ id: string }>(holdWebhooks, wanted)
  const ids = new Set(held.map(({ id }) => id))
  const owed = deliveries.filter(({ webhookId }) => ids.has(webhookId))
  await query(
    insertDeliveries,
    owed.map(({ webhookId }) => webhookId),
    owed.map(({ event }) => event),
    owed.map(({ runId }) => runId),
    owed.map(({ body }) => body),
    owed.map(({ at }) => at),
  )
  for (const id of ids) {
    await query(dropOldest, id, limits.webhookWaitingMax)
    await query(forgetOldest, id, limits.webhookLogMax)
  }
}

export function createWebhookStore({
  query,
  get,
  attempt,
  transaction,
}: Pick<Tools, 'query' | 'get' | 'attempt' | 'transaction'>): WebhookStore {
  return {
    webhooks: () =>
      attempt(async () =>
        (await query<WebhookRow>(selectWebhooks)).map((row) => ({
          ...row,
          events: JSON.parse(row.events) as StoredWebhook['events'],
        })),
      ),
    putWebhook: ({ id, url, events, project, shape, secret, createdAt, disabledAt, failingSince }) =>
      attempt(async () => {
        const values = [id, url, JSON.stringify(events), project, shape, secret]
        await query(putWebhook, ...values, createdAt, disabledAt, failingSince)
      }),
    deleteWebhook: (id) =>
      attempt(() =>
        transaction(async (inside) => {
          await inside('DELETE FROM webhooks WHERE id = $1', id)
          await inside('DELETE FROM deliveries WHERE webhook = $1', id)
        }),
      ),
    addDeliveries: (deliveries) => attempt(() => transaction((inside) => addDeliveries(inside, deliveries))),
    addStale: (runId, staleAt, deliveries) =>
      attempt(() =>
        transaction(async (inside) => {
          const isNew = (await inside(tellStale, runId, staleAt)).length > 0
          if (isNew) await addDeliveries(inside, deliveries)
          return isNew
        }),
      ),
    untoldStale: (now, limit) =>
      attempt(async () => {
        await query(forgetStale)
        return (await query<{ id: string }>(selectUntold, now, limit)).map(({ id }) => id)
      }),
    nextDeliveries: (webhookId, limit) => attempt(() => query<StoredDelivery>(selectNext, webhookId, limit)),
    putAttempt: (number, { state, attempts, lastAt, status, error, nextAt }) =>
      attempt(async () => {
        await query(updateAttempt, state, attempts, lastAt, status, error, nextAt, number)
        if (attempts === 0) await query(owedAgain)
      }),
    delivery: (webhookId, number) =>
      attempt(() =>
        get<StoredDelivery>(`${selectDelivery} WHERE webhook = $1 AND number = $2`, webhookId, number),
      ),
    deliveries: (webhookId, { before, limit }) =>
      attempt(() => {
        const sql = `${selectDelivery} WHERE webhook = $1 AND number < $2 ORDER BY number DESC LIMIT $3`
        return query<StoredDelivery>(sql, webhookId, before, limit)
      }),
  }
}
