// Tokens and the audit on SQLite.

import { limits } from '../../../protocol/limits.ts'
import type { AccessStore, StoredAction, StoredToken } from '../access.ts'
import type { Tools } from './tools.ts'

/** The migration that brings the tables. */
export const accessTables = `
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    project TEXT,
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
  ) STRICT;
  CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,
    token_id TEXT,
    operation TEXT NOT NULL,
    run_id TEXT,
    detail TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    place TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER
  ) STRICT;
  CREATE INDEX audit_runs ON audit (run_id, number) WHERE run_id IS NOT NULL;
  `

type Row = Omit<StoredToken, 'scopes'> & { readonly scopes: string }

const selectTokens = `SELECT id, name, scopes, project, digest, created_at AS createdAt, expires_at AS expiresAt,
  last_used_at AS lastUsedAt, revoked_at AS revokedAt FROM tokens`
const selectAdmin = `SELECT id FROM tokens WHERE scopes LIKE '%"admin"%' AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > ?) LIMIT 1`
const putToken = `INSERT OR REPLACE INTO tokens (id, name, scopes, project, digest, created_at, expires_at,
  last_used_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertAction = `INSERT INTO audit (at, caller, token_id, operation, run_id, place, request_id)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const selectActions = `SELECT number, at, caller, token_id AS tokenId, operation, run_id AS runId, detail, reason,
  place AS "from", request_id AS requestId, status FROM audit`
// One that was not answered may have been done.
const selectLastDone = `SELECT run_id AS runId, max(at) AS at FROM audit
  WHERE operation = ? AND run_id IS NOT NULL AND (status IS NULL OR status < 300) GROUP BY run_id`

/** What the storage lends: its statements, and its errors. */
export type AccessTools = Pick<Tools, 'prepare' | 'attempt'>

export function createAccessStore({ prepare, attempt }: AccessTools): AccessStore {
  const put = (token: StoredToken) => {
    const { id, name, scopes, project, digest, createdAt, expiresAt, lastUsedAt, revokedAt } = token
    const values = [id, name, JSON.stringify(scopes), project, digest]
    prepare(putToken).run(...values, createdAt, expiresAt, lastUsedAt, revokedAt)
  }
  return {
    tokens: () =>
      attempt(() =>
        (prepare(selectTokens).all() as Row[]).map((row) => ({
          ...row,
          scopes: JSON.parse(row.scopes) as StoredToken['scopes'],
        })),
      ),
    putToken: (token) => attempt(() => put(token)),
    addFirstAdmin: (token) =>
      attempt(() => {
        // One server has the file, and nothing comes between.
        if (prepare(selectAdmin).get(token.createdAt) !== undefined) return false
        put(token)
        return true
      }),
    noteTokenUse: (id, at) =>
      attempt(() => void prepare('UPDATE tokens SET last_used_at = ? WHERE id = ?').run(at, id)),
    beginAction: ({ at, caller, tokenId, operation, runId, from, requestId }) =>
      attempt(() => {
        const values = [at, caller, tokenId, operation, runId, from, requestId]
        const number = Number(prepare(insertAction).run(...values).lastInsertRowid)
        prepare('DELETE FROM audit WHERE number <= ?').run(number - limits.auditMax)
        return number
      }),
    endAction: (number, status, { detail, reason }) =>
      attempt(() => {
        const sql = 'UPDATE audit SET status = ?, detail = ?, reason = ? WHERE number = ?'
        prepare(sql).run(status, detail, reason, number)
      }),
    actions: ({ before, limit, runId }) =>
      attempt(() => {
        const own = runId === undefined ? '' : ' AND run_id = ?'
        const sql = `${selectActions} WHERE number < ?${own} ORDER BY number DESC LIMIT ?`
        return prepare(sql).all(before, ...(runId === undefined ? [] : [runId]), limit) as StoredAction[]
      }),
    lastDone: (operation) =>
      attempt(() => {
        const rows = prepare(selectLastDone).all(operation) as { runId: string; at: number }[]
        return new Map(rows.map(({ runId, at }) => [runId, at]))
      }),
    deleteToken: (id) => attempt(() => void prepare('DELETE FROM tokens WHERE id = ?').run(id)),
  }
}
