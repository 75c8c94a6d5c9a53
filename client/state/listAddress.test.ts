// The list and the comparison come back from their own text, and nonsense is left out.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runSorts, runStates } from '../../protocol/vocabulary.ts'
import { formatAddress, parseAddress } from './address.ts'
import { type CompareAddress, compareAxes, comparing } from './compareAddress.ts'
import { allRuns, groupings, isFiltered, type RunsAddress, toggled } from './listAddress.ts'

const read = (text: string) => {
  const [path = '', query = ''] = text.split('?')
  return parseAddress(path, query)
}

test('filters, order, picked, pinned and base stand in the address', () => {
  const address = { ...allRuns, search: 'lr=0.1', state: 'running', tag: 'a,b', sort: 'heldOutBest' } as const
  const full: RunsAddress = {
    ...address,
    order: 'desc',
    pick: ['x', 'y'],
    pin: ['z'],
    base: 'x',
    group: 'tag',
  }
  const text = '/?q=lr%3D0.1&state=running&tag=a,b&sort=-heldOutBest&group=tag&pick=x,y&pin=z&base=x'
  expect(formatAddress(full)).toBe(text)
  expect(read(text)).toEqual(full)
})

test('what is not understood is left out, and nothing is picked twice', () => {
  expect(read('/?state=odd&sort=luck&group=7&pick=a,,a&project=')).toEqual({ ...allRuns, pick: ['a'] })
  expect(read(`/?pick=${Array.from({ length: 20 }, (_, i) => i)}`)).toMatchObject({ pick: { length: 8 } })
  expect(read('/compare?x=moon&signal=&base=c&runs=a,b')).toEqual(comparing(['a', 'b']))
})

test('every list and every comparison comes back from its own text', () => {
  const id = fc.stringMatching(/^[\w.-]{1,20}$/)
  const ids = fc.uniqueArray(id, { maxLength: 8 })
  const name = fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: null })
  const lists: fc.Arbitrary<RunsAddress> = fc.record({
    page: fc.constant('runs' as const),
    search: fc.string({ maxLength: 20 }),
    state: fc.constantFrom(...runStates, null),
    project: name,
    tag: name,
    sort: fc.constantFrom(...runSorts),
    order: fc.constantFrom('asc' as const, 'desc' as const),
    group: fc.constantFrom(...groupings, null),
    pick: ids,
    pin: ids,
    base: fc.option(id, { nil: null }),
  })
  const comparisons: fc.Arbitrary<CompareAddress> = fc
    .record({
      runs: ids,
      x: fc.constantFrom(...compareAxes),
      signal: id,
      differing: fc.boolean(),
      log: fc.boolean(),
      base: fc.nat(7),
    })
    .map(({ runs, base, ...rest }) => ({
      ...comparing(runs, runs[base % Math.max(1, runs.length)] ?? null),
      ...rest,
    }))
  fc.assert(
    fc.property(fc.oneof(lists, comparisons), (address) => {
      expect(read(formatAddress(address))).toEqual(address)
    }),
  )
})

test('a thing is put in once and taken out again, and a ninth pushes the first out', () => {
  expect(toggled(['a'], 'b')).toEqual(['a', 'b'])
  expect(toggled(['a', 'b'], 'a')).toEqual(['b'])
  expect(toggled([...'12345678'], '9')).toEqual([...'23456789'])
  expect(isFiltered({ ...allRuns, search: ' ', sort: 'name' })).toBe(false)
  expect(isFiltered({ ...allRuns, tag: 't' })).toBe(true)
})
