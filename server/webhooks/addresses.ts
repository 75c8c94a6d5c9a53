// Where a webhook may lead: to the outside, not to what only this computer and its network can reach (SSRF). What is checked is the
// address that is connected to, after the name was resolved; a name that means something else a moment later changes nothing.

import { isIP } from 'node:net'
import { type Trusted, trustedOf, whyNoProxy } from '../http/place.ts'

/** Of the special-purpose registries of IANA (RFC 6890), and two addresses at which clouds tell secrets to their machines. */
const inner: readonly string[] = [
  // This network, private, shared by carriers, loopback, link-local (169.254.169.254 too), protocol assignments, examples,
  // relays of 6to4, measurements, multicast, reserved and broadcast.
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16'],
  // Unspecified, loopback and v4-compatible; v4 as translators write it; v4 behind translators and tunnels; discard, protocol assignments, examples,
  // unique-local (fd00:ec2::254 too), link-local, site-local, multicast.
  ...[
    '::/96',
    '::ffff:0:0:0/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '2002::/16',
    '100::/64',
    '2001::/23',
    '2001:db8::/32',
  ],
  ...['3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]
const isInner = trustedOf(inner)
const isThisComputer = trustedOf(['0.0.0.0/8', '127.0.0.0/8', '::/127'])

/** The v4 address within a v6 one, however it is written; any other as it is. */
function plainOf(address: string): string {
  if (isIP(address) !== 6) return address
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]/`)
  const groups = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname)?.slice(1)
  if (groups === undefined) return address
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 0xff])
    .join('.')
}

/** Receivers that may be within: names, addresses and networks. */
export type Allowed = { readonly hosts: readonly string[]; readonly has: Trusted }

/** Why an entry is none of such a list; undefined = it is one. */
export function whyNotAllowable(entry: string): string | undefined {
  if (whyNoProxy(entry) === undefined || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(entry)) return undefined
  return `"${entry}" is no host, no address and no network`
}

export function allowedOf(entries: readonly string[]): Allowed {
  const isAddress = (entry: string) => whyNoProxy(entry) === undefined
  return {
    hosts: entries.filter((entry) => !isAddress(entry)),
    has: trustedOf(entries.filter(isAddress)),
  }
}

const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)

/** A host as DNS and sockets take it. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

export type Guard = {
  readonly allowed: Allowed
  /** Of this server. */
  readonly ownPort: () => number
  /** Of this computer. */
  readonly ownAddresses: () => readonly string[]
}

/** Why a message may not go to an address that its host has; undefined = it may. */
export function whyRefused(url: URL, address: string, guard: Guard): string | undefined {
  const host = hostOf(url)
  const plain = plainOf(address)
  if (portOf(url) === guard.ownPort() && (isThisComputer(plain) || guard.ownAddresses().includes(plain)))
    return `${url.host} is this server itself`
  if (!isInner(plain) || guard.allowed.hosts.includes(host) || guard.allowed.has(plain)) return undefined
  const told = host === address ? address : `${host} is ${plain}, which`
  return `${told} is an address of a private network or of this computer; TWOSTEP_WEBHOOK_ALLOW can allow it`
}

/** Why a text is no address that a webhook may have; undefined = it is one. What names mean is asked when they are used. */
export function whyNoUrl(text: string, guard: Guard): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return 'must be an address such as https://example.org/hook'
  if (url.username !== '' || url.password !== '') return 'must have no user and no password in it'
  const host = hostOf(url)
  const refused = isIP(host) === 0 ? undefined : whyRefused(url, host, guard)
  return refused === undefined ? undefined : `must lead elsewhere: ${refused}`
}
