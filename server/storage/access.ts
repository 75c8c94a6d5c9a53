// What the server asks of a database beside runs: the tokens that let callers in. Errors as in storage.ts.

import type { Scope } from '../../protocol/vocabulary.ts'

/** Times are milliseconds since 1970, UTC. */
export type StoredToken = {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly project: string | null
  /** SHA-256 of the secret, which is nowhere, in hexadecimal digits. */
  readonly digest: string
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

export type AccessStore = {
  tokens(): Promise<readonly StoredToken[]>
  /** Adds it, or takes the place of the one with its id. */
  putToken(token: StoredToken): Promise<void>
  noteTokenUse(id: string, at: number): Promise<void>
  deleteToken(id: string): Promise<void>
}
