// A report is one file that stands by itself, in which whatever a run brought is text.

import { expect, test } from 'vitest'
import { syntheticRun } from '../../gallery/syntheticRun.ts'
import { escaped } from './markup.ts'
import { reportOf } from './report.ts'

const { run, decisions, series } = syntheticRun({ id: 'a', step: 4900, budgetSteps: 6000 })
const source = {
  run,
  decisions,
  series,
  code: 'def learning_rate(step):\n    return 0.1 if step < 3960 else 0.0  # & so on',
  format: 'pytorch' as const,
  madeAt: '2026-11-28T12:00:00.000Z',
  address: 'http://127.0.0.1:7317/runs/a',
  draw: ({ id }: { id: string }) => `<svg data-chart="${id}"></svg>`,
}

test('it holds sentence, charts with their numbers, every decision that is no hold, and the code', () => {
  const text = reportOf(source)
  expect(text).toContain(run.headline)
  expect(text).toMatch(/<svg data-chart="loss">.*<svg data-chart="rate">/s)
  const told = decisions.filter(({ kind }) => kind !== 'hold')
  expect(told.length).toBeGreaterThan(3)
  expect(told.filter(({ summary }) => !text.includes(escaped(summary)))).toEqual([])
  expect(text).toContain('return 0.1 if step &lt; 3960 else 0.0  # &amp; so on')
})

test('it needs nothing from anywhere, and no text of a run becomes markup', () => {
  const hostile = '<script>alert(1)</script><img src="//x">'
  const named = {
    ...run,
    headline: hostile,
    options: { ...run.options, name: hostile, tags: [hostile], settings: { [hostile]: hostile } },
  }
  const text = reportOf({
    ...source,
    run: named,
    decisions: decisions.map((one) => ({ ...one, summary: hostile })),
  })
  expect(text).not.toMatch(/<script|<img|<link|@import/)
  expect(text).toContain('&lt;script&gt;')
  expect(text.match(/https?:\/\/[^\s"<]*/g)).toEqual([source.address, source.address])
})
