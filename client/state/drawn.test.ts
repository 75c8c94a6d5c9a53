// What the page asks for is what it draws.

import { expect, test } from 'vitest'
import { drawnSignals } from './drawn.ts'

test('the signals of the panels, none of an own metric, until its panel is opened', () => {
  const usual = drawnSignals({ signals: [], closed: [] })
  expect(usual).toContain('loss')
  expect(usual).toContain('stayingGainError')
  expect(usual.filter((name) => name.startsWith('metrics.'))).toEqual([])
  expect(drawnSignals({ signals: ['metrics.a', 'loss'], closed: [] })).toEqual([...usual, 'metrics.a'])
})

test('a closed panel is not asked for; the loss always is, as the gaps are read from it', () => {
  const closed = drawnSignals({ signals: [], closed: ['noise', 'loss', 'gains'] })
  expect(closed).not.toContain('noiseScale')
  expect(closed).not.toContain('stayingGain')
  expect(closed).toContain('loss')
})
