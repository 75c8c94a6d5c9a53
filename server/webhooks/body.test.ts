import { expect, test } from 'vitest'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { summaryAt } from '../runs/runRecord.ts'
import { runRecord } from '../testing/runRecord.ts'
import { bodyOf, type News } from './body.ts'
import { endOf, eventsOf } from './events.ts'

const hostile = '<https://evil.example|Click> & <!channel> https://evil.example/x'
const run: RunSummary = summaryAt(runRecord('a b', { name: hostile }), 0)
const news: News = { event: 'finished', at: 't', run, decision: null, publicUrl: 'https://runs.example/x' }

test('for Slack a name is text: no link, no mention, nothing that is fetched', () => {
  const message = JSON.parse(bodyOf('slack', news))
  expect(message).toMatchObject({ unfurl_links: false, unfurl_media: false })
  expect(message.text).toContain(
    '&lt;https://evil.example|Click&gt; &amp; &lt;!channel&gt; https://evil.example/x',
  )
  const [words, link] = message.blocks
  expect(words.text.type).toBe('plain_text')
  expect(link.text).toEqual({
    type: 'mrkdwn',
    text: '<https://runs.example/x/runs/a%20b|Open the run>',
    verbatim: true,
  })
  expect(JSON.parse(bodyOf('slack', { ...news, publicUrl: null })).blocks).toHaveLength(1)
})

test('a message for Slack is within what it takes, however long the words', () => {
  const long = { ...run, headline: '&'.repeat(10_000) }
  const [words] = JSON.parse(bodyOf('slack', { ...news, run: long })).blocks
  expect(words.text.text.length).toBeLessThan(3_000)
})

test('a decision is known by its most particular event first', () => {
  expect(eventsOf({ kind: 'switch', status: 'applied' })).toEqual(['switch', 'decision'])
  expect(eventsOf({ kind: 'switch', status: 'advisory' })).toEqual(['switch', 'decision'])
  expect(eventsOf({ kind: 'switch', status: 'awaiting-approval' })).toEqual(['waiting', 'decision'])
  expect(eventsOf({ kind: 'switch', status: 'rejected' })).toEqual(['decision'])
  expect(eventsOf({ kind: 'transition', status: 'applied' })).toEqual(['transition', 'decision'])
  expect(eventsOf({ kind: 'drift', status: 'applied' })).toEqual(['drift', 'decision'])
  expect(eventsOf({ kind: 'hold', status: 'applied' })).toEqual(['decision'])
})

test('an end is told once', () => {
  expect(endOf({ lifecycle: 'running' }, { lifecycle: 'diverged' })).toBe('diverged')
  expect(endOf(undefined, { lifecycle: 'finished' })).toBe('finished')
  expect(endOf({ lifecycle: 'finished' }, { lifecycle: 'finished' })).toBeUndefined()
  expect(endOf({ lifecycle: 'paused' }, { lifecycle: 'running' })).toBeUndefined()
})
