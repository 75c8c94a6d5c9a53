// A server that stands under a path of its host, behind a proxy that passes the path on as it is: with `/twostep`, what
// is asked for at `/twostep/runs/a` is `/runs/a` to all that follows. Exact: no other spelling of the path leads in.

import type { Request, RequestHandler } from 'express'
import { ServerError } from '../errors.ts'

/** Longest path, in characters. */
const basePathMax = 200
const segment = /^[A-Za-z0-9._~-]+$/

/** Whether a text is such a path: it begins with a slash, ends with none, and needs no escaping anywhere. */
export function isBasePath(text: string): boolean {
  const [before, ...segments] = text.split('/')
  const isPlain = (part: string) => segment.test(part) && part !== '.' && part !== '..'
  return text.length <= basePathMax && before === '' && segments.length > 0 && segments.every(isPlain)
}

/** Balancers, kubelets and Prometheus ask the process itself, past the proxy. */
const askedDirectly: readonly string[] = ['/healthz', '/readyz', '/metrics']

/** The address without the base; undefined = it is not under it. */
function within(url: string, basePath: string): string | undefined {
  if (!url.startsWith(basePath)) return undefined
  const rest = url.slice(basePath.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : undefined
}

/** @param basePath such as `/twostep`; empty = the server has its host for itself */
export function underBasePath(basePath: string): RequestHandler {
  return (request: Request, _response, next) => {
    if (basePath === '' || askedDirectly.includes(request.path)) return next()
    const url = within(request.url, basePath)
    if (url === undefined)
      throw new ServerError(
        'not-found',
        `there is nothing at ${request.path}: the addresses of this server begin with ${basePath}/`,
      )
    request.url = url
    next()
  }
}
