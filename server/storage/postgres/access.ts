// Tokens and the audit on PostgreSQL.

import { limits } from '../../../protocol/limits.ts'
import type { AccessStore, StoredAction, StoredToken } from '../access.ts'
import type { Query } from './connect.ts'
import type { Tools } from './tools.ts'

type Row = Omit<StoredToken, 'scopes'> & { readonly scopes: string }

const selectTokens = `SELECT id, name, scopes, project, digest, created_at AS "createdAt", expires_at AS "expiresAt",
  last_used_at AS "lastUsedAt", revoked_at AS "revokedAt" FROM tokens ORDER BY created_at, id`
const selectAdmin = `SELECT id FROM tokens WHERE scopes LIKE '%"admin"%' AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $1) LIMIT 1`
const putToken = `INSERT INTO tokens (id, name, scopes, project, digest, created_at, expires_at, last_used_at, revoked_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET name = excluded.name,
  scopes = excluded.scopes, project = excluded.project, digest = excluded.digest, created_at = excluded.created_at,
  expires_at = excluded.expires_at, last_used_at = excluded.last_used_at, revoked_at = excluded.revoked_at`
const insertAction = `INSERT INTO audit (at, caller, token_id, operation, run_id, place, request_id)
  VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number`
const selectActions = `SELECT number, at, caller, token_id AS "tokenId", operation, run_id AS "runId", detail, reason,
  place AS "from", request_id AS "requestId", status FROM audit
  WHERE number < $1 AND ($2::text IS NULL OR run_id = $2) ORDER BY number DESC LIMIT $3`
// One that was not answered may have been done.
const selectLastDone = `SELECT run_id AS "runId", max(at) AS at FROM audit
  WHERE operation = $1 AND run_id IS NOT NULL AND (status IS NULL OR status < 300) GROUP BY run_id`

async function put(query: Query, token: StoredToken): Promise<void> {
  const { id, name, scopes, project, digest, createdAt, expiresAt, lastUsedAt, revokedAt } = token
  const head = [id, name, JSON.stringify(scopes), project, digest]
  await query(putToken, ...head, createdAt, expiresAt, lastUsedAt, revokedAt)
}

export function createAccessStore({
  query,
  transaction,
  attempt,
}: Pick<Tools, 'query' | 'transaction' | 'attempt'>): AccessStore {
  return {
    tokens: () =>
      attempt(async () =>
        (await query<Row>(selectTokens)).map((row) => ({
          ...row,
          scopes: JSON.parse(row.scopes) as StoredToken['scopes'],
        })),
      ),
    putToken: (token) => attempt(() => put(query, token)),
    addFirstAdmin: (token) =>
      attempt(() =>
        transaction(async (inside) => {
          // Whoever comes second waits here, and then sees what the first has written.
          await inside('LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE')
          if ((await inside(selectAdmin, token.createdAt)).length > 0) return false
          await put(inside, token)
          return true
        }),
      ),
    noteTokenUse: (id, at) =>
      attempt(async () => void (await query('UPDATE tokens SET last_used_at = $1 WHERE id = $2', at, id))),
    deleteToken: (id) => attempt(async () => void (await query('DELETE FROM tokens WHERE id = $1', id))),
    beginAction: ({ at, caller, tokenId, operation, runId, from, requestId }) =>
      attempt(async () => {
        const values = [at, caller, tokenId, operation, runId, from, requestId]
        const [row] = await query<{ number: number }>(insertAction, ...values)
        await query('DELETE FROM audit WHERE number <= $1', row!.number - limits.auditMax)
        return row!.number
      }),
    endAction: (number, status, { detail, reason }) =>
      attempt(async () => {
        const sql = 'UPDATE audit SET status = $1, detail = $2, reason = $3 WHERE number = $4'
        await query(sql, status, detail, reason, number)
      }),
    actions: ({ before, limit, runId }) =>
      attempt(() => query<StoredAction>(selectActions, before, runId ?? null, limit)),
    lastDone: (operation) =>
      attempt(async () => {
        const rows = await query<{ runId: string; at: number }>(selectLastDone, operation)
        return new Map(rows.map(({ runId, at }) => [runId, at]))
      }),
  }
}
