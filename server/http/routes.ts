// A small table of routes on express: each path with its methods, so that any other method on it is 405 with
// the list of those that exist.

import type { RequestHandler, Router } from 'express'
import { methodNotAllowed } from './answer.ts'

type Method = 'get' | 'post' | 'patch' | 'delete'

export function route(router: Router, path: string, handlers: Partial<Record<Method, RequestHandler>>): void {
  const place = router.route(path)
  for (const [method, handler] of Object.entries(handlers)) place[method as Method](handler)
  place.all(methodNotAllowed(Object.keys(handlers).map((method) => method.toUpperCase())))
}
