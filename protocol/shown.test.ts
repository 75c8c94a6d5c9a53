import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shown } from './shown.ts'

test('a value is shown as its JSON, cut short', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 200 }), (value, max) => {
      const text = JSON.stringify(value)
      expect(shown(value, max)).toBe(text.length > max ? `${text.slice(0, max)}…` : text)
    }),
  )
})

test('of a value of any depth and length only the beginning is looked at', () => {
  let deep: unknown = []
  for (let i = 0; i < 1_000_000; i++) deep = i % 2 === 0 ? [deep] : { a: deep }
  expect(shown(deep)).toMatch(/^\{"a":\[\{"a":\[.*…$/)
  expect(shown(Array(1_000_000).fill(deep), 5)).toBe('[{"a"…')
  expect(shown('x'.repeat(1_000_000))).toHaveLength(81)
})

test('what JSON cannot say is said in words', () => {
  expect(shown(undefined)).toBe('nothing')
  expect(shown(JSON.parse('1e400'))).toBe('Infinity (a number beyond 1.8e308)')
})
