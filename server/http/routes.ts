// A small table of routes on express: each path with its methods, so that any other method on it is 405 with
// the list of those that exist. What a token must allow for each is said by the contract (operations.ts); it is asked for
// here, where the path is known, so that no way of writing an address leads past it.

import type { RequestHandler, Router } from 'express'
import { apiPrefix } from '../../protocol/version.ts'
import type { Scope } from '../../protocol/vocabulary.ts'
import { permitted } from './admission.ts'
import { methodNotAllowed } from './answer.ts'
import { type Method, operations, scopesOf } from './operations.ts'

/** What has a contract of its own, or is it. */
const beside: Readonly<Record<string, readonly Scope[] | 'open'>> = {
  '/mcp': ['read'],
  '/openapi.json': 'open',
}

/** What the contract demands at an address; what is in none is for an admin. */
function scopesAt(path: string, method: Method): readonly Scope[] | 'open' {
  const template = path.replaceAll(/:(\w+)/g, '{$1}')
  const operation = operations[template]?.[method] ?? operations[apiPrefix + template]?.[method]
  return operation === undefined ? (beside[path] ?? ['admin']) : scopesOf(method, operation)
}

export function route(router: Router, path: string, handlers: Partial<Record<Method, RequestHandler>>): void {
  const place = router.route(path)
  for (const [method, handler] of Object.entries(handlers))
    place[method as Method](permitted(scopesAt(path, method as Method)), handler)
  place.all(methodNotAllowed(Object.keys(handlers).map((method) => method.toUpperCase())))
}
