import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { checkCaller } from './guard.ts'

const allow = { port: 7317, hosts: [], origins: ['https://notes.example.org'] }
const host = 'localhost:7317'

/** 'in', or the code of what it is refused with. */
function meets(path: string, headers: IncomingHttpHeaders, method = 'GET'): string {
  try {
    checkCaller(method, path, { host, ...headers }, allow)
    return 'in'
  } catch (error) {
    return (error as { code: string }).code
  }
}
const series = '/api/v1/runs/m/series'

test('what a foreign page loads into itself is refused, also where the browser sends no origin', () => {
  for (const site of ['cross-site', 'same-site'])
    for (const dest of ['image', 'script', 'empty', 'iframe', 'object'])
      expect(
        meets(series, { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': dest }),
      ).toBe('origin-not-allowed')
  expect(meets('/healthz', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(
    'origin-not-allowed',
  )
})

test('a link from elsewhere opens a page or a file, and a frame the page alone', () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const frame = { ...link, 'sec-fetch-dest': 'iframe' }
  expect([meets('/runs/m', link), meets(series, link), meets('/runs/m', frame)]).toEqual(['in', 'in', 'in'])
  expect(meets(series, frame)).toBe('origin-not-allowed')
  expect(meets(series.replace('api', 'API'), frame)).toBe('origin-not-allowed')
  // A form sends what has no body, too; browsers that send no origin with it must not make it a change.
  expect(meets('/api/v1/runs/m/restore', link, 'POST')).toBe('origin-not-allowed')
  expect(meets(series, { ...link, origin: 'https://evil.example' }, 'POST')).toBe('origin-not-allowed')
})

test('our own page, programs, old browsers and allowed origins are served', () => {
  expect(meets(series, { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).toBe('in')
  expect(meets(series, { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })).toBe('in')
  expect(meets(series, {}, 'POST')).toBe('in')
  expect(meets(series, { 'user-agent': 'Mozilla/5.0' })).toBe('in')
  const notes = { 'sec-fetch-site': 'cross-site', origin: 'https://notes.example.org' }
  expect([meets(series, notes), meets(series, notes, 'POST')]).toEqual(['in', 'in'])
})
