import { expect, test } from 'vitest'
import { formatNumber } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { createLog } from '../log.ts'
import { createScreen, demoSummary, summaryTable } from './demo.ts'
import { firstDifference } from './replay.ts'
import { decisionLine, foldHolds, known, progressLine, table } from './sentences.ts'

const decision = (n: number, kind: Decision['kind']) =>
  ({ number: n, kind, step: 1_000 * n, summary: `Sentence ${n}.` }) as Decision

test('numbers read as everywhere else, and what is not known is a dash', () => {
  const values = [0.123456, 2.5e7, Number.NaN, null, undefined]
  expect(values.map((value) => known(formatNumber, value))).toEqual(['0.123', '25,000,000', 'NaN', '–', '–'])
})

test('holds in a row become one line, told when something else happens or at the end', () => {
  const holds = foldHolds()
  expect(holds.add(decision(1, 'start'))).toEqual(['#1 step 1,000 start: Sentence 1.'])
  expect(holds.add(decision(2, 'hold'))).toEqual([])
  expect(holds.add(decision(3, 'hold'))).toEqual([])
  expect(holds.add(decision(4, 'switch'))).toEqual([
    '#2–3 2 holds, steps 2,000 to 3,000: Sentence 3.',
    '#4 step 4,000 switch: Sentence 4.',
  ])
  holds.add(decision(5, 'hold'))
  expect(holds.end()).toEqual(['#5 step 5,000 hold: Sentence 5.'])
  expect(holds.end()).toEqual([])
})

test('a line of progress says step, loss, rate and phase', () => {
  const progress = { step: 1_500, budgetSteps: 3_000, loss: 0.25, learningRate: 0.1, phase: 'large' }
  expect(progressLine(progress)).toBe(
    '[============            ] 50 %  step 1,500 of 3,000  loss 0.25  rate 0.1  large',
  )
  expect(progressLine({ ...progress, budgetSteps: null, loss: null })).toBe(
    'step 1,500  loss –  rate 0.1  large',
  )
})

test('a terminal redraws one line; elsewhere a line each 5 %', () => {
  const screenOn = (isTTY: boolean) => {
    let text = ''
    const screen = createScreen({ isTTY, columns: 200, write: (more) => (text += more) })
    for (let step = 0; step <= 1_000; step += 10)
      screen.progress({ step, budgetSteps: 1_000, loss: 1, learningRate: 0.1, phase: 'large' })
    screen.line('end')
    return text
  }
  expect(screenOn(true).split('\n')).toHaveLength(2)
  expect(screenOn(true).endsWith('\r\u001b[Kend\n')).toBe(true)
  const lines = screenOn(false).trimEnd().split('\n')
  expect(lines).toHaveLength(22)
  expect(lines.at(-2)).toContain('100 %')
  expect(screenOn(false)).not.toContain('\u001b')
})

test('the summary has exactly its keys, the accuracy from the trainer and the rest from the run', () => {
  const run = {
    id: 'r',
    largeLearningRate: 0.2,
    switchStep: 900,
    budgetSteps: 1_500,
    decisionCount: 12,
    signalShare: 0.01,
    probeShare: null,
  } as RunSummary
  const summary = demoSummary({ testAccuracy: 0.981 }, run, 42.5)
  expect(Object.keys(summary)).toEqual([
    'testAccuracy',
    'largeLearningRate',
    'switchStep',
    'budgetSteps',
    'decisionCount',
    'signalShare',
    'probeShare',
    'wallSeconds',
    'runId',
  ])
  const text = summaryTable(summary, 'Annealing gains more.')
  expect(text).toContain('test accuracy     98.1 %')
  expect(text).toContain('switched at step  900 of 1,500')
  expect(text).toContain('why               Annealing gains more.')
})

test('tables are padded, differences are shown with what is around them', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a    bb\nccc  d')
  expect(firstDifference('{"a":1}', '{"a":2}')).toEqual({ at: 5, a: '{"a":1}', b: '{"a":2}' })
})

test('an error is logged with what has led to it, however often it leads back to itself', () => {
  const written: string[] = []
  const log = createLog(
    'info',
    () => 0,
    (line) => written.push(line),
  )
  const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:5432')])
  const failed = new Error('the storage could not be used', { cause: refused })
  refused.cause = failed
  log('error', 'a request failed', { error: new Error('who may read all is told why', { cause: failed }) })
  log('error', 'a request failed', { error: new Error('refused', { cause: 'a word' }) })
  const [all, word] = written.map((line) => JSON.parse(line).error as string)
  expect(all!.match(/^caused by .*$/gm)).toEqual([
    'caused by Error: the storage could not be used',
    expect.stringContaining('AggregateError'),
    'caused by Error: connect ECONNREFUSED ::1:5432',
  ])
  expect(word).toMatch(/^Error: refused\n[\s\S]*\ncaused by a word$/)
})

test('names and reasons steer no terminal: they stay in their cell and on their line', () => {
  const name = '\u001b]0;owned\u0007\u009b2J=\n\u202eevil\r'
  const shown = '\\u001b]0;owned\\u0007\\u009b2J=\\u000a\\u202eevil\\u000d'
  const lines = table([['NAME'], [name]])
  expect(lines).toBe(`NAME\n${shown}`)
  const told = { ...decision(3, 'override'), summary: `by hand (${name})` }
  expect(decisionLine(told)).toBe(`#3 step 3,000 override: by hand (${shown})`)
  const holds = foldHolds()
  for (const n of [1, 2]) holds.add({ ...decision(n, 'hold'), summary: name })
  expect(holds.end().join()).toContain(shown)
  const written: string[] = []
  createLog(
    'info',
    () => 0,
    (line) => written.push(line),
  )('warn', 'a run', { name })
  expect(written.join()).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  expect(JSON.parse(written[0]!)).toMatchObject({ name })
})
