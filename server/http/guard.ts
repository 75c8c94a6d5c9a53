// Who may speak to a server without tokens: this computer, by its own names. Checking `Host` defeats DNS
// rebinding (a foreign name that resolves to 127.0.0.1), checking `Origin` defeats a foreign page that posts.
// Pure functions; HTTP and the live socket use the same ones.

import type { IncomingHttpHeaders } from 'node:http'
import { ServerError } from '../errors.ts'

export type AllowList = {
  readonly port: number
  readonly hosts: readonly string[]
  readonly origins: readonly string[]
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

const withoutPort = (host: string) => host.replace(/:\d+$/, '')

/** Whether a Host header (or the host of an origin) names this server. */
export function isAllowedHost(host: string, allow: AllowList): boolean {
  const name = host.toLowerCase()
  const own = loopbackNames.some((loopback) => name === `${loopback}:${allow.port}`)
  // Without a port means 80, which browsers leave out.
  return (
    own ||
    (allow.port === 80 && loopbackNames.includes(name)) ||
    allow.hosts.includes(name) ||
    allow.hosts.includes(withoutPort(name))
  )
}

export function isAllowedOrigin(origin: string, allow: AllowList): boolean {
  const name = origin.toLowerCase()
  if (allow.origins.includes(name)) return true
  const host = /^https?:\/\/([^/]+)$/.exec(name)?.[1]
  return host !== undefined && isAllowedHost(host, allow)
}

const safeMethods = ['GET', 'HEAD', 'OPTIONS']

/** What people open by an address, from wherever they follow it; anything else of ours is asked for by our own page. */
const isOpened = (method: string, headers: IncomingHttpHeaders, path: string): boolean =>
  safeMethods.includes(method) &&
  headers['sec-fetch-mode'] === 'navigate' &&
  // Addresses are found whatever the case of their letters.
  (headers['sec-fetch-dest'] === 'document' || !/^\/(api|socket\.io|mcp)\b/i.test(path))

/**
 * Whether a browser says that a page of another site, or of another port of this computer, is behind the request: also where
 * no Origin is sent, as with a picture. Programs and old browsers say nothing of the kind.
 */
const isForeign = (method: string, headers: IncomingHttpHeaders, path: string): boolean => {
  const site = headers['sec-fetch-site']
  return (site === 'cross-site' || site === 'same-site') && !isOpened(method, headers, path)
}

function checkHost(host: string, allow: AllowList): void {
  if (isAllowedHost(host, allow)) return
  throw new ServerError(
    'host-not-allowed',
    `Host "${host}" is not this server's name; allowed are ${[...loopbackNames.map((name) => `${name}:${allow.port}`), ...allow.hosts].join(', ')} (TWOSTEP_ALLOWED_HOSTS adds more)`,
  )
}

const notAllowed = (origin: string | undefined, what: string) =>
  new ServerError(
    'origin-not-allowed',
    `${origin === undefined ? 'a page of another origin' : `Origin "${origin}"`} may not ${what} here (TWOSTEP_ALLOWED_ORIGINS adds origins)`,
  )

/**
 * @param path of the request, without its query
 * @throws ServerError `host-not-allowed`, `origin-not-allowed`.
 */
export function checkCaller(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  allow: AllowList,
): void {
  const { host = '', origin } = headers
  checkHost(host, allow)
  const isAllowed = origin !== undefined && isAllowedOrigin(origin, allow)
  if (isAllowed) return
  if (isForeign(method, headers, path))
    throw notAllowed(origin, `${safeMethods.includes(method) ? 'read' : 'change'} anything`)
  if (origin !== undefined && !safeMethods.includes(method)) throw notAllowed(origin, 'change anything')
}

/** Every browser sends this, and hardly a program that is none. */
const isBrowser = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-site'] !== undefined || /^Mozilla\//.test(headers['user-agent'] ?? '')

/**
 * For a live connection, which counts as a change: a browser says where it comes from, by an Origin or, where it polls its own
 * server, by `Sec-Fetch-Site: same-origin`. Who is no browser need not.
 * @throws ServerError `host-not-allowed`, `origin-not-allowed`.
 */
export function checkLiveCaller(headers: IncomingHttpHeaders, allow: AllowList): void {
  const { host = '', origin } = headers
  checkHost(host, allow)
  if (origin !== undefined) {
    if (isAllowedOrigin(origin, allow)) return
    throw notAllowed(origin, 'connect')
  }
  if (isBrowser(headers) && headers['sec-fetch-site'] !== 'same-origin') throw notAllowed(origin, 'connect')
}
