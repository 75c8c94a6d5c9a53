// Where a request really comes from. Behind a proxy each connection is the proxy's; what it forwards is believed of those
// proxies alone that the owner names, because anyone can write such a header.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** A v4 address that came over a v6 socket is that v4 address. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')

/** Whether an address is one of those of a list: addresses, and networks such as 10.0.0.0/8. */
export type Trusted = (address: string) => boolean

/** Why an entry is none of a list of proxies; undefined = it is one. */
export function whyNoProxy(entry: string): string | undefined {
  const [address = '', bits, ...more] = entry.split('/')
  const kind = isIP(address)
  const isSize = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 6 ? 128 : 32))
  return kind !== 0 && isSize && more.length === 0 ? undefined : `"${entry}" is no address and no network`
}

export function trustedOf(entries: readonly string[]): Trusted {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** The nearest address on the way that is no trusted proxy. */
export function addressOf(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  isTrusted: Trusted,
): string {
  const hops = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  let address = plain(socket.remoteAddress ?? 'unknown')
  for (let hop = hops.pop(); hop !== undefined && isTrusted(address); hop = hops.pop()) {
    const next = plain(hop.trim())
    // What is no address was not written by a proxy of ours.
    if (isIP(next) === 0) break
    address = next
  }
  return address
}

/**
 * The headers with the name by which the caller knows the server, where a trusted proxy says it. Who sends several names has none:
 * a proxy on the way may have taken another one of them than Node does.
 */
export function headersOf(
  {
    socket,
    headers,
    headersDistinct,
  }: Pick<IncomingMessage, 'socket' | 'headers'> & Partial<Pick<IncomingMessage, 'headersDistinct'>>,
  isTrusted: Trusted,
): IncomingHttpHeaders {
  const names = headersDistinct?.host ?? []
  if (names.length > 1) return { ...headers, host: names.join(', ') }
  const host = [headers['x-forwarded-host'] ?? []].flat()[0]?.split(',').at(-1)?.trim()
  return host && isTrusted(plain(socket.remoteAddress ?? '')) ? { ...headers, host } : headers
}
