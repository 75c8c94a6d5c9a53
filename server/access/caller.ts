// Who a request is from, and what they may do. A caller is a token, or, where none is demanded, this computer's user. Pure;
// HTTP, the live socket and MCP ask the same functions.

import type { Scope } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import { runNotFound } from '../runs/runErrors.ts'
import type { Storage } from '../storage/storage.ts'

export type Caller = {
  /** The token's name, as records name it. */
  readonly name: string
  /** Null = no token. */
  readonly tokenId: string | null
  readonly scopes: readonly Scope[]
  /** The only project that exists for it; null = all. */
  readonly project: string | null
  /** Milliseconds since 1970; null = never. */
  readonly expiresAt: number | null
}

/** Without tokens there is nobody but this computer's user. */
export const localCaller: Caller = {
  name: 'local',
  tokenId: null,
  scopes: ['admin'],
  project: null,
  expiresAt: null,
}

export const may = ({ scopes }: Caller, scope: Scope): boolean =>
  scopes.includes('admin') || scopes.includes(scope)

/** Whether runs of all projects, and places of files, may be named to it. */
export const seesAll = (caller: Caller): boolean => caller.project === null && may(caller, 'read')

/** @throws ServerError `scope-missing`, naming the scopes of which one would do. */
export function demand(caller: Caller, ...scopes: readonly Scope[]): void {
  if (scopes.some((scope) => may(caller, scope))) return
  const needed = scopes.map((scope) => `"${scope}"`).join(' or ')
  throw new ServerError(
    'scope-missing',
    `this needs the scope ${needed}; the token "${caller.name}" has ${caller.scopes.join(', ')}`,
    { challenge: `error="insufficient_scope", scope="${scopes[0]}"` },
  )
}

/** @throws ServerError `project-not-allowed` where a caller of one project names another. */
export function demandProject(caller: Caller, project: string): void {
  if (caller.project === null || caller.project === project) return
  throw new ServerError(
    'project-not-allowed',
    `the token "${caller.name}" is for the project "${caller.project}", got "${project}"`,
  )
}

/** @throws ServerError `project-not-allowed` of what is told of all projects at once. */
export function demandAllProjects({ name, project }: Caller): void {
  if (project === null) return
  throw new ServerError(
    'project-not-allowed',
    `this is of all projects, and the token "${name}" is for "${project}"`,
  )
}

/**
 * A run of another project is, for a caller of one, none.
 * @throws ServerError `run-not-found`.
 */
export async function demandRun(storage: Storage, caller: Caller, runId: string): Promise<void> {
  if (caller.project === null) return
  const record = await storage.run(runId)
  if (record === undefined || record.project !== caller.project) throw runNotFound(runId)
}
