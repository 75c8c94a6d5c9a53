import { expect, test } from 'vitest'
import { timeAgo } from './times.ts'

test('a use is told as people say it', () => {
  const now = Date.parse('2025-01-10T12:00:00Z')
  const told = (time: string) => timeAgo(time, now)
  expect(told('2025-01-10T11:59:00Z')).toBe('now')
  expect(told('2025-01-10T12:05:00Z')).toBe('now')
  expect(told('2025-01-10T11:18:00Z')).toBe('42 min ago')
  expect(told('2025-01-10T07:00:00Z')).toBe('5 h ago')
  expect(told('2025-01-01T12:00:00Z')).toBe('9 days ago')
})
