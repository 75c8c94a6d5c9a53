// What the benchmark of the page is asked for is understood, or refused by name.

import { expect, test } from 'vitest'
import { clientOptions, parts } from './options.ts'

test('nothing said means every part at its full size', () => {
  const { only, minutes, posts, steps, runs } = clientOptions([])
  expect(only).toEqual(parts)
  expect({ minutes, posts, steps, runs }).toEqual({ minutes: 10, posts: 200, steps: 1e6, runs: 1e4 })
})

test('parts are run in their own order, whatever the order in which they are named', () => {
  expect(clientOptions(['--only', 'zoom,first', '--minutes', '0.5'])).toMatchObject({
    only: ['first', 'zoom'],
    minutes: 0.5,
  })
})

test('what is not understood is an error with name and value', () => {
  expect(() => clientOptions(['--only', 'first,speed'])).toThrow('first, zoom, live')
  expect(() => clientOptions(['--only', ''])).toThrow(RangeError)
  expect(() => clientOptions(['--minutes', 'long'])).toThrow('--minutes must be a number above 0, got "long"')
})
