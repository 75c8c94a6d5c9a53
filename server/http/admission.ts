// Who a request is from, found once as it comes in, and asked for at each address. A token comes in the header
// `Authorization: Bearer tw_…` and nowhere else, so that no address, log or history of a browser ever holds one.

import type { IncomingMessage } from 'node:http'
import type { RequestHandler, Response } from 'express'
import type { Scope } from '../../protocol/vocabulary.ts'
import type { Audit } from '../access/audit.ts'
import { type Caller, demand, demandAllProjects, demandRun, seesAll } from '../access/caller.ts'
import type { Tokens } from '../access/tokens.ts'
import { ServerError } from '../errors.ts'
import type { Storage } from '../storage/storage.ts'
import { parameter } from './answer.ts'
import { addressOf, type Trusted } from './place.ts'

/** The caller, or why there is none; and whether a run is one of theirs. */
export type Admission = ({ readonly caller: Caller } | { readonly refusal: ServerError }) & {
  readonly demandRun: (caller: Caller, runId: string) => Promise<void>
  readonly audit: Audit
  /** Where the request comes from. */
  readonly from: string
}

/** The token of a request; one of another scheme, as a proxy may pass on, is none. */
export function bearerOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** Says who comes. Nobody is refused before an address asks for more than that: the page itself is for everyone. */
export function admission(
  tokens: Tokens,
  storage: Storage,
  audit: Audit,
  isTrusted: Trusted,
): RequestHandler {
  const checkRun = (caller: Caller, runId: string) => demandRun(storage, caller, runId)
  return async (request, response, next) => {
    const from = addressOf(request, isTrusted)
    const secret = bearerOf(request)
    try {
      const learning = tokens.learn(secret, from)
      if (learning !== undefined) await learning
      const caller = tokens.admit(secret, from)
      response.locals.admission = { caller, demandRun: checkRun, audit, from } satisfies Admission
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      response.locals.admission = { refusal: error, demandRun: checkRun, audit, from } satisfies Admission
    }
    next()
  }
}

/** Undefined where a request was turned away before. */
export const admissionOf = (response: Response) => response.locals.admission as Admission | undefined

/** Whether who asks is somebody, and may read all runs. */
export function isSeeingAll(response: Response): boolean {
  const known = admissionOf(response)
  return known !== undefined && 'caller' in known && seesAll(known.caller)
}

/** @throws ServerError why nobody is admitted. */
export function callerOf(response: Response): Caller {
  const known = admissionOf(response)!
  if ('refusal' in known) throw known.refusal
  return known.caller
}

/**
 * Lets on those who may do what an address is for, with the run that it names.
 * @param scopes of which a token must have one
 * @param keepsToProject whether a token of one project hears of nothing else there; where not, it is refused
 * @param isOfRemoved the run that it names is a deleted one, which the handler looks for
 */
export function permitted(
  scopes: readonly Scope[] | 'open',
  { keepsToProject, isOfRemoved }: { readonly keepsToProject: boolean; readonly isOfRemoved: boolean },
): RequestHandler {
  if (scopes === 'open') return (_request, _response, next) => next()
  return async (request, response, next) => {
    const caller = callerOf(response)
    demand(caller, ...scopes)
    if (!keepsToProject) demandAllProjects(caller)
    const runId = parameter(request, 'id')
    if (runId !== '' && !isOfRemoved) await admissionOf(response)!.demandRun(caller, runId)
    next()
  }
}
