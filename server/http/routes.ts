// A small table of routes on express: each path with its methods, so that any other method on it is 405 with
// the list of those that exist. What a token must allow for each is said by the contract (operations.ts); it is asked for
// here, where the path is known, so that no way of writing an address leads past it.

import type { RequestHandler, Router } from 'express'
import { apiPrefix } from '../../protocol/version.ts'
import type { Scope } from '../../protocol/vocabulary.ts'
import type { InHand } from '../inHand.ts'
import { permitted } from './admission.ts'
import { methodNotAllowed } from './answer.ts'
import { audited } from './audited.ts'
import { type Method, operations, scopesOf } from './operations.ts'

type Demand = {
  readonly id: string
  readonly scopes: readonly Scope[] | 'open'
  readonly isOfRemoved?: boolean
  readonly keepsToProject?: boolean
}

/** What has a contract of its own, or is it. */
const beside: Readonly<Record<string, Demand>> = {
  '/mcp': { id: 'mcp', scopes: ['read'], keepsToProject: true },
  '/metrics': { id: 'readMetrics', scopes: ['read'] },
  '/openapi.json': { id: 'readContract', scopes: 'open' },
}

/** The name of an operation, and what the contract demands for it; what is in none is for an admin. */
function demandAt(path: string, method: Method): Demand {
  const template = path.replaceAll(/:(\w+)/g, '{$1}')
  const operation = operations[template]?.[method] ?? operations[apiPrefix + template]?.[method]
  if (operation !== undefined) {
    const { id, isOfRemoved = false } = operation
    const keepsToProject = operation.keepsToProject === true || template.includes('{id}')
    return { id, scopes: scopesOf(method, operation), keepsToProject, isOfRemoved }
  }
  return beside[path] ?? { id: 'other', scopes: ['admin'] }
}

const named =
  (operation: string): RequestHandler =>
  (_request, response, next) => {
    response.locals.operation = operation
    // What is answered may be of a run; the reads that may be kept say so (unchanged.ts).
    response.set('Cache-Control', 'no-store')
    next()
  }

/** What a handler does is in the server's hand (`app.locals`) until it is done, whether or not somebody waits for it. */
export const held =
  (handler: RequestHandler): RequestHandler =>
  (request, response, next) =>
    (response.app.locals.inHand as InHand).hold(handler(request, response, next))

export function route(router: Router, path: string, handlers: Partial<Record<Method, RequestHandler>>): void {
  const place = router.route(path)
  for (const [method, handler] of Object.entries(handlers)) {
    const { id, scopes, keepsToProject = false, isOfRemoved = false } = demandAt(path, method as Method)
    // What is read is no action, and telemetry is the run itself.
    const isAction =
      method !== 'get' && scopes !== 'open' && scopes.some((one) => one === 'control' || one === 'admin')
    place[method as Method](
      named(id),
      held(permitted(scopes, { keepsToProject, isOfRemoved })),
      ...(isAction ? [held(audited(id))] : []),
      held(handler),
    )
  }
  place.all(methodNotAllowed(Object.keys(handlers).map((method) => method.toUpperCase())))
}
