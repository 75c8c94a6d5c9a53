// What the server asks of a database beside runs: the tokens that let callers in, and what was done with them. Errors as in storage.ts.

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

/** Something that somebody did, as the audit has it. */
export type StoredAction = {
  readonly number: number
  readonly at: number
  readonly caller: string
  readonly tokenId: string | null
  readonly operation: string
  readonly runId: string | null
  readonly detail: string
  readonly reason: string
  readonly from: string
  readonly requestId: string
  /** Null = it was not answered. */
  readonly status: number | null
}

export type AccessStore = {
  /** Its number. The oldest beyond `auditMax` go. */
  beginAction(action: Omit<StoredAction, 'number' | 'detail' | 'reason' | 'status'>): Promise<number>
  endAction(
    number: number,
    status: number | null,
    note: Pick<StoredAction, 'detail' | 'reason'>,
  ): Promise<void>
  /** Newest first. */
  actions(query: {
    readonly before: number
    readonly limit: number
    readonly runId?: string
  }): Promise<readonly StoredAction[]>
  /** By run, when an operation was last done to it, as far as the audit goes back; not where it was refused. */
  lastDone(operation: string): Promise<ReadonlyMap<string, number>>
  tokens(): Promise<readonly StoredToken[]>
  /** Adds it, or takes the place of the one with its id. */
  putToken(token: StoredToken): Promise<void>
  /** Adds a token of an admin, unless another is in force at its creation. Of two servers that do it at once one is told false. */
  addFirstAdmin(token: StoredToken): Promise<boolean>
  noteTokenUse(id: string, at: number): Promise<void>
  deleteToken(id: string): Promise<void>
}
