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

/**
 * @param method of the request; a live connection counts as a changing one.
 * @throws ServerError `host-not-allowed`, `origin-not-allowed`.
 */
export function checkCaller(method: string, headers: IncomingHttpHeaders, allow: AllowList): void {
  const { host = '', origin } = headers
  if (!isAllowedHost(host, allow))
    throw new ServerError(
      'host-not-allowed',
      `Host "${host}" is not this server's name; allowed are ${[...loopbackNames.map((name) => `${name}:${allow.port}`), ...allow.hosts].join(', ')} (TWOSTEP_ALLOWED_HOSTS adds more)`,
    )
  if (origin === undefined || safeMethods.includes(method) || isAllowedOrigin(origin, allow)) return
  throw new ServerError(
    'origin-not-allowed',
    `Origin "${origin}" may not change anything here (TWOSTEP_ALLOWED_ORIGINS adds origins)`,
  )
}
