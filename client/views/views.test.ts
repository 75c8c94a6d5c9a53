// Words and small rules of the views.

import { describe, expect, test } from 'vitest'
import { retryDelayMs, retryDelayMsMax } from '../connection/retry.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { themeAfter } from '../state/theme.ts'
import { isWorthSaying } from './announcer.tsx'
import { neighbourOf } from './choosing.ts'
import { curlExample } from './connect/examples.ts'
import { checkOverride } from './control/overrideFields.ts'
import { foldHolds } from './logPanel.tsx'
import { backWords } from './topBar.tsx'

const { run, decisions } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })

test('the log folds holds in a row, newest first', () => {
  const entries = foldHolds(decisions)
  expect(entries[0]).toMatchObject({ kind: 'holds' })
  expect(entries.at(-1)).toMatchObject({ kind: 'one', decision: { kind: 'start' } })
  const unfolded = entries.flatMap((entry) => (entry.kind === 'one' ? [entry.decision] : entry.decisions))
  expect(unfolded.map(({ number }) => number)).toEqual(decisions.map(({ number }) => number).reverse())
  expect(foldHolds([])).toEqual([])
})

test('next and previous skip holds unless they are asked for', () => {
  const guard = decisions.find(({ kind }) => kind === 'guard')!
  expect(neighbourOf(decisions, guard, 1, false)?.kind).toBe('override')
  expect(neighbourOf(decisions, guard, 1, true)?.number).toBe(guard.number + 1)
  expect(neighbourOf(decisions, decisions[0]!, -1, true)).toBeUndefined()
  expect(neighbourOf(decisions, null, 1, true)?.number).toBe(1)
})

test('a hold is said only when its verdict changes', () => {
  const hold = decisions.at(-1)!
  const satisfied = { ...hold, test: { ...hold.test!, satisfied: true } }
  expect(isWorthSaying(hold, hold)).toBe(false)
  expect(isWorthSaying(satisfied, hold)).toBe(true)
  expect(isWorthSaying(decisions[0]!, undefined)).toBe(true)
})

describe('override', () => {
  const fields = { rate: '0.05', until: '3,420', reason: ' trying new data ' }
  test('sound fields become a request', () => {
    expect(checkOverride(fields, run)).toEqual({
      body: { learningRate: 0.05, untilStep: 3420, reason: 'trying new data' },
      errors: {},
      note: null,
    })
  })

  test.each([
    ['rate', { ...fields, rate: '' }],
    ['rate', { ...fields, rate: 'NaN' }],
    ['rate', { ...fields, rate: '-1' }],
    ['until', { ...fields, until: '3120' }],
    ['until', { ...fields, until: '' }],
    ['until', { ...fields, until: '4000.5' }],
    ['reason', { ...fields, reason: '  ' }],
  ] as const)('a field that cannot be sent says what is allowed: %s', (name, wrong) => {
    const { body, errors } = checkOverride(wrong, run)
    expect(body).toBeNull()
    expect(errors[name]).toMatch(/must/)
  })

  test('a rate beyond the limits says what will happen', () => {
    expect(checkOverride({ ...fields, rate: '0.9' }, run).note).toBe('Clamped to 0.3, this run’s maximum.')
  })
})

test('waits between attempts double up to a bound', () => {
  expect([1, 2, 3, 4, 5].map(retryDelayMs)).toEqual([1000, 2000, 4000, 8000, retryDelayMsMax])
  expect(retryDelayMs(10_000)).toBe(retryDelayMsMax)
})

test('small words', () => {
  expect(backWords(3)).toBe('Connected. 3 decisions arrived meanwhile.')
  expect(backWords(0)).toBe('Connected.')
  expect(themeAfter('dark')).toBe('system')
})

test('the example for curl talks to this server and holds sound JSON', () => {
  const example = curlExample('http://127.0.0.1:7317')
  const bodies = [...example.matchAll(/-d '(.*)'/g)].map(([, body]) => JSON.parse(body ?? ''))
  expect(bodies[1]).toEqual({ clientId: 'job', sequence: 1, steps: { step: [0, 1], loss: [2.3, 2.2] } })
  expect(example).toContain('http://127.0.0.1:7317/api/v1/runs/my-run/telemetry')
})
