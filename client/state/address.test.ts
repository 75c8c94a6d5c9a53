// What is seen is in the address, and comes back from it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decisionKinds } from '../../protocol/vocabulary.ts'
import {
  controlForms,
  formatAddress,
  frameworks,
  parseAddress,
  type RunAddress,
  scheduleFormats,
} from './address.ts'
import { allRuns } from './listAddress.ts'
import { wishNames } from './wishes.ts'

test('under a path every address begins with it, and what is beside it is none of the page', () => {
  const base = '/tools/twostep'
  for (const path of [
    '/',
    '/runs/a?panel=log',
    '/settings/tokens',
    '/start?framework=curl',
    '/compare?runs=a,b',
  ]) {
    const { pathname, search } = new URL(base + path, 'http://localhost')
    const read = parseAddress(pathname, search, base)
    expect(read).toEqual(parseAddress(pathname.slice(base.length), search, ''))
    expect(formatAddress(read, base)).toBe(base + path)
  }
  expect(parseAddress(base, '', base)).toEqual(allRuns)
  for (const path of ['/', '/runs/a', '/tools', '/tools/twostepx', '/tools/twostep/api/v1/runs'])
    expect(parseAddress(path, '', base)).toEqual({ page: 'unknown', path })
  expect(formatAddress({ page: 'unknown', path: '/other' }, base)).toBe('/other')
})

test('the run list with and without a search', () => {
  expect(parseAddress('/', '?q=mnist')).toEqual({ ...allRuns, search: 'mnist' })
  expect(formatAddress(allRuns)).toBe('/')
})

test('a run with a chosen decision, zoom and panel', () => {
  const address = parseAddress('/runs/a%20b', '?decision=48&panel=log&from=100&to=900')
  expect(address).toEqual({
    page: 'run',
    runId: 'a b',
    decision: 48,
    step: null,
    panel: 'log',
    form: null,
    zoom: { from: 100, to: 900 },
    lossFit: 'fit',
    wishes: {},
    format: 'pytorch',
    kind: null,
    last: null,
    smooth: null,
    signals: [],
    closed: [],
    embed: false,
  })
  expect(formatAddress(address)).toBe('/runs/a%20b?decision=48&from=100&to=900&panel=log')
})

test('what is not understood is left out, but for a range, which is mended with a word', () => {
  expect(parseAddress('/runs/a', '?decision=-1&panel=what&from=9&to=3&y.loss=x&form=override')).toEqual({
    page: 'run',
    runId: 'a',
    decision: null,
    step: null,
    panel: 'decision',
    form: null,
    zoom: { from: 9, to: 3 },
    lossFit: 'fit',
    wishes: {},
    format: 'pytorch',
    kind: null,
    last: null,
    smooth: null,
    signals: [],
    closed: [],
    embed: false,
  })
  expect(parseAddress('/runs/%E0%A4%A', '')).toMatchObject({ runId: '%E0%A4%A' })
  expect(parseAddress('/nowhere', '').page).toBe('unknown')
})

test('every run address comes back from its own text', () => {
  const addresses = fc.record({
    page: fc.constant('run' as const),
    runId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
    decision: fc.option(fc.nat(1e6)),
    step: fc.option(fc.nat(1e6)),
    panel: fc.constantFrom('decision' as const, 'log' as const, 'what-if' as const, 'schedule' as const),
    form: fc.constant(null),
    zoom: fc.option(
      fc
        .tuple(fc.nat(1000), fc.integer({ min: 1, max: 1000 }))
        .map(([from, by]) => ({ from, to: from + by })),
    ),
    lossFit: fc.constantFrom('fit' as const, 'all' as const, 'log' as const),
    wishes: fc.dictionary(fc.constantFrom(...wishNames), fc.string({ minLength: 1 })),
    format: fc.constantFrom(...scheduleFormats),
    kind: fc.option(fc.constantFrom(...decisionKinds)),
    last: fc.option(fc.integer({ min: 1, max: 1e6 })),
    smooth: fc.option(fc.nat(1e6)),
    signals: fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 5 }),
    closed: fc.uniqueArray(fc.constantFrom('regime', 'noise', 'gains'), { maxLength: 2 }),
    embed: fc.boolean(),
  })
  const forms = fc.constantFrom(...controlForms)
  fc.assert(
    fc.property(addresses, fc.option(forms), (plain, form) => {
      const address: RunAddress = form === null ? plain : { ...plain, panel: 'control', form }
      const url = new URL(formatAddress(address), 'http://localhost')
      expect(parseAddress(url.pathname, url.search)).toEqual(address)
    }),
  )
})

test('settings and the connect page', () => {
  expect(parseAddress('/settings', '')).toEqual({ page: 'settings', part: 'server' })
  expect(parseAddress('/settings/server', '')).toEqual({ page: 'settings', part: 'server' })
  expect(parseAddress('/settings/tokens', '')).toEqual({ page: 'settings', part: 'tokens' })
  expect(formatAddress({ page: 'settings', part: 'tokens' })).toBe('/settings/tokens')
  expect(parseAddress('/start', '?framework=none')).toEqual({ page: 'start', framework: 'pytorch' })
  for (const framework of frameworks) {
    const url = new URL(formatAddress({ page: 'start', framework }), 'http://localhost')
    expect(parseAddress(url.pathname, url.search)).toEqual({ page: 'start', framework })
  }
})

test('a what-if is in the address by the settings that differ', () => {
  const address = parseAddress('/runs/a', '?panel=what-if&set.budget=4000&set.nonsense=1&set.mode=')
  expect(address).toMatchObject({ panel: 'what-if', wishes: { budget: '4000' } })
  expect(formatAddress(address)).toBe('/runs/a?panel=what-if&set.budget=4000')
})
