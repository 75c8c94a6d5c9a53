// Tokens on SQLite.

import type { AccessStore, StoredToken } from '../access.ts'
import type { Statement } from './driver.ts'

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
  `

type Row = Omit<StoredToken, 'scopes'> & { readonly scopes: string }

const selectTokens = `SELECT id, name, scopes, project, digest, created_at AS createdAt, expires_at AS expiresAt,
  last_used_at AS lastUsedAt, revoked_at AS revokedAt FROM tokens`
const putToken = `INSERT OR REPLACE INTO tokens (id, name, scopes, project, digest, created_at, expires_at,
  last_used_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** What the storage lends: its statements, and its errors. */
export type AccessTools = {
  readonly prepare: (sql: string) => Statement
  readonly attempt: <T>(work: () => T) => Promise<T>
}

export function createAccessStore({ prepare, attempt }: AccessTools): AccessStore {
  return {
    tokens: () =>
      attempt(() =>
        (prepare(selectTokens).all() as Row[]).map((row) => ({
          ...row,
          scopes: JSON.parse(row.scopes) as StoredToken['scopes'],
        })),
      ),
    putToken: (token) =>
      attempt(() => {
        const { id, name, scopes, project, digest, createdAt, expiresAt, lastUsedAt, revokedAt } = token
        const values = [id, name, JSON.stringify(scopes), project, digest]
        prepare(putToken).run(...values, createdAt, expiresAt, lastUsedAt, revokedAt)
      }),
    noteTokenUse: (id, at) =>
      attempt(() => void prepare('UPDATE tokens SET last_used_at = ? WHERE id = ?').run(at, id)),
    deleteToken: (id) => attempt(() => void prepare('DELETE FROM tokens WHERE id = ?').run(id)),
  }
}
