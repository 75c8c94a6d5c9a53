import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { startTestServer } from '../testing/testServer.ts'
import { addressOf, headersOf, trustedOf, whyNoProxy } from './place.ts'

const isTrusted = trustedOf(['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])
const from = (remoteAddress: string, headers: IncomingMessage['headers'] = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage

test.each([
  ['nobody forwards', '192.0.2.1', undefined, '192.0.2.1'],
  ['a stranger says that it forwards', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ['a proxy forwards', '127.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['a proxy over a v6 socket', '::ffff:127.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['two proxies', '127.0.0.1', '198.51.100.7, 10.2.3.4', '198.51.100.7'],
  ['the caller wrote one, too', '127.0.0.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
  ['a proxy that says nothing', '127.0.0.1', undefined, '127.0.0.1'],
  ['a proxy that says nonsense', '127.0.0.1', 'unknown', '127.0.0.1'],
  ['a network of v6', 'fd12::1', '2001:db8::1', '2001:db8::1'],
])('the address of a caller: %s', (_, remote, forwarded, expected) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  expect(addressOf(from(remote, headers), isTrusted)).toBe(expected)
})

test('a forwarded name of the server is believed of a trusted proxy alone', () => {
  const headers = { host: 'inner:7317', 'x-forwarded-host': 'runs.example' }
  expect(headersOf(from('127.0.0.1', headers), isTrusted).host).toBe('runs.example')
  expect(headersOf(from('192.0.2.1', headers), isTrusted).host).toBe('inner:7317')
})

test('what is no address and no network is told', () => {
  expect(['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'].map(whyNoProxy)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0.0/8/1', '', '/8'])
    expect(whyNoProxy(wrong)).toBe(`"${wrong}" is no address and no network`)
})

test('behind a trusted proxy the audit and the checks see the caller, not the proxy', async () => {
  const config = { trustProxy: ['127.0.0.1'], allowedHosts: ['runs.example'] }
  const server = await startTestServer({ config })
  const call = async (method: string, path: string, host: string) => {
    const headers = { host: 'inner', 'x-forwarded-host': host, 'x-forwarded-for': '198.51.100.7' }
    const asked = request({ port: server.port, path: `/api/v1${path}`, method, headers }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode
  }
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  expect(await call('GET', '/runs/r1', 'evil.example')).toBe(403)
  expect(await call('DELETE', '/runs/r1', 'runs.example')).toBe(204)
  const { entries } = (await server.call('GET', '/api/v1/audit')).body
  expect(entries).toMatchObject([{ operation: 'deleteRun', from: '198.51.100.7' }])
  await server.close()
})
