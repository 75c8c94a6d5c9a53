// Webhooks and their deliveries on SQLite.

import { limits } from '../../../protocol/limits.ts'
import type { NewDelivery, StoredDelivery, StoredWebhook, WebhookStore } from '../webhooks.ts'
import type { Tools } from './tools.ts'

/** The migration that brings the tables. */
export const webhookTables = `
  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    project TEXT,
    shape TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    failing_since INTEGER
  ) STRICT;
  CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    run_id TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,
    status INTEGER,
    error TEXT NOT NULL DEFAULT '',
    next_at INTEGER
  ) STRICT;
  CREATE INDEX deliveries_log ON deliveries (webhook, number, state);
  CREATE INDEX deliveries_waiting ON deliveries (webhook, run_id, number) WHERE state = 'waiting';
  `

/** The migration after that: since when the runs were silent that were told of, or are silent as it is made. */
export const staleTables = `
  CREATE TABLE told_stale (
    run_id TEXT PRIMARY KEY,
    stale_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO told_stale SELECT id, stale_at FROM runs WHERE stale_at <= 1000 * strftime('%s', 'now');
  `

type WebhookRow = Omit<StoredWebhook, 'events'> & { readonly events: string }

const selectWebhooks = `SELECT id, url, events, project, shape, secret, created_at AS createdAt,
  disabled_at AS disabledAt, failing_since AS failingSince FROM webhooks ORDER BY created_at, id`
const putWebhook = `INSERT OR REPLACE INTO webhooks (id, url, events, project, shape, secret, created_at, disabled_at,
  failing_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const insertDelivery = `INSERT INTO deliveries (webhook, event, run_id, body, at, state, next_at)
  SELECT ?, ?, ?, ?, ?, 'waiting', ? WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = ?)`
const dropOldest = `UPDATE deliveries SET state = 'dropped', next_at = NULL WHERE webhook = ? AND state = 'waiting'
  AND number <= (SELECT number FROM deliveries WHERE webhook = ? AND state = 'waiting' ORDER BY number DESC
    LIMIT 1 OFFSET ?)`
const forgetOldest = `DELETE FROM deliveries WHERE webhook = ? AND state <> 'waiting'
  AND number <= (SELECT number FROM deliveries WHERE webhook = ? AND state <> 'waiting' ORDER BY number DESC
    LIMIT 1 OFFSET ?)`
const selectDelivery = `SELECT number, webhook AS webhookId, event, run_id AS runId, body, at, state, attempts,
  last_at AS lastAt, status, error, next_at AS nextAt FROM deliveries`
const selectNext = `${selectDelivery} WHERE number IN (SELECT min(number) FROM deliveries
  WHERE webhook = ? AND state = 'waiting' GROUP BY run_id) ORDER BY next_at, number LIMIT ?`
const updateAttempt = `UPDATE deliveries SET state = ?, attempts = ?, last_at = ?, status = ?, error = ?, next_at = ?
  WHERE number = ?`

const tellStale = `INSERT INTO told_stale (run_id, stale_at) VALUES (?, ?)
  ON CONFLICT (run_id) DO UPDATE SET stale_at = excluded.stale_at WHERE stale_at < excluded.stale_at`
const selectUntold = `SELECT id FROM runs WHERE stale_at <= ?
  AND NOT EXISTS (SELECT 1 FROM told_stale WHERE run_id = runs.id AND told_stale.stale_at >= runs.stale_at)
  ORDER BY stale_at, key LIMIT ?`
// A run that can be restored is one still.
const forgetStale = `DELETE FROM told_stale WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id)
  AND NOT EXISTS (SELECT 1 FROM removed WHERE id = run_id)`

/** The store, and what a batch's transaction adds to it. */
export type SqliteWebhooks = {
  readonly store: WebhookStore
  readonly insert: (deliveries: readonly NewDelivery[]) => void
}

export function createWebhooks({
  prepare,
  attempt,
  transaction,
}: Pick<Tools, 'prepare' | 'attempt' | 'transaction'>): SqliteWebhooks {
  const insert = (deliveries: readonly NewDelivery[]) => {
    for (const { webhookId, event, runId, body, at } of deliveries)
      prepare(insertDelivery).run(webhookId, event, runId, body, at, at, webhookId)
    for (const id of new Set(deliveries.map(({ webhookId }) => webhookId))) {
      prepare(dropOldest).run(id, id, limits.webhookWaitingMax)
      prepare(forgetOldest).run(id, id, limits.webhookLogMax)
    }
  }
  const store: WebhookStore = {
    webhooks: () =>
      attempt(() =>
        (prepare(selectWebhooks).all() as WebhookRow[]).map((row) => ({
          ...row,
          events: JSON.parse(row.events) as StoredWebhook['events'],
        })),
      ),
    putWebhook: ({ id, url, events, project, shape, secret, createdAt, disabledAt, failingSince }) =>
      attempt(() => {
        const values = [id, url, JSON.stringify(events), project, shape, secret]
        prepare(putWebhook).run(...values, createdAt, disabledAt, failingSince)
      }),
    deleteWebhook: (id) =>
      attempt(() =>
        transaction(() => {
          prepare('DELETE FROM webhooks WHERE id = ?').run(id)
          prepare('DELETE FROM deliveries WHERE webhook = ?').run(id)
        }),
      ),
    addDeliveries: (deliveries) => attempt(() => transaction(() => insert(deliveries))),
    addStale: (runId, staleAt, deliveries) =>
      attempt(() =>
        transaction(() => {
          const isNew = Number(prepare(tellStale).run(runId, staleAt).changes) > 0
          if (isNew) insert(deliveries)
          return isNew
        }),
      ),
    untoldStale: (now, limit) =>
      attempt(() => {
        prepare(forgetStale).run()
        return (prepare(selectUntold).all(now, limit) as { id: string }[]).map(({ id }) => id)
      }),
    nextDeliveries: (webhookId, limit) =>
      attempt(() => prepare(selectNext).all(webhookId, limit) as StoredDelivery[]),
    putAttempt: (number, { state, attempts, lastAt, status, error, nextAt }) =>
      attempt(() => void prepare(updateAttempt).run(state, attempts, lastAt, status, error, nextAt, number)),
    delivery: (webhookId, number) =>
      attempt(() => {
        const sql = `${selectDelivery} WHERE webhook = ? AND number = ?`
        return prepare(sql).get(webhookId, number) as StoredDelivery | undefined
      }),
    deliveries: (webhookId, { before, limit }) =>
      attempt(() => {
        const sql = `${selectDelivery} WHERE webhook = ? AND number < ? ORDER BY number DESC LIMIT ?`
        return prepare(sql).all(webhookId, before, limit) as StoredDelivery[]
      }),
  }
  return { store, insert }
}
