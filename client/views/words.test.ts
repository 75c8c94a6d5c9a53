// Words by key: no meaning is read out of a sentence, and what is advised or asked is never told as done.

import { describe, expect, test } from 'vitest'
import type { Decision, Evidence } from '../../protocol/vocabulary.ts'
import { glyphOf, plannedGlyph } from '../charts/markers.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { rangeOf, sidesOf } from './testBars.tsx'
import {
  aheadWords,
  alternativeWords,
  decisionTitle,
  decisionWords,
  directedKind,
  evidenceWords,
  isUnapplied,
  keyWords,
  plannedAlternative,
  regimeReasonWords,
  restoredStep,
  ruleWords,
} from './words.ts'

const { decisions } = syntheticRun({ id: 'a', step: 4200, budgetSteps: 6000 })
const ofKind = (kind: Decision['kind']) => decisions.find((decision) => decision.kind === kind)!
const switched = ofKind('switch')
const weighed = ofKind('hold').test!

describe('a decision is called', () => {
  test('by its kind where it was carried out', () => {
    expect(decisionTitle(switched)).toBe('Switched to annealing at step 3,960')
    expect(glyphOf(switched).hollow).toBe(false)
    expect(decisionWords({ ...switched, kind: 'drift' })).toBe('Rate not followed')
  })

  test('what it wants where it was not: asked, refused, advised', () => {
    const statuses = ['awaiting-approval', 'rejected', 'expired', 'superseded', 'advisory'] as const
    const said = statuses.map((status) => decisionWords({ ...switched, status }))
    expect(said).toEqual([
      'Asked to anneal',
      'Refused to anneal',
      'Question expired',
      'Question superseded',
      'Advised to anneal',
    ])
    for (const status of statuses) {
      expect(isUnapplied({ ...switched, status })).toBe(true)
      expect(glyphOf({ ...switched, status }).hollow).toBe(true)
    }
    // No two ways of changing nothing look alike, and none like what is planned or was applied.
    const glyphs = [
      ...statuses.map((status) => glyphOf({ ...switched, status })),
      plannedGlyph,
      glyphOf(switched),
    ]
    expect(new Set(glyphs.map((glyph) => JSON.stringify(glyph))).size).toBe(glyphs.length)
    expect(decisionWords({ ...switched, kind: 'raise', status: 'advisory' })).toBe(
      'Advised to raise the rate',
    )
  })

  test('a raise or a lowering by what the rate does, and by its own name where an anneal is cut short', () => {
    const lowered = ofKind('lower')
    const of = (values: Decision['reason']['values'], key = 'rate-found') => ({
      ...lowered,
      reason: { key, values },
    })
    const down = of({ rate: 0.05, reference: 0.1 })
    const up = of({ rate: 0.087, rateBefore: 0.02, keptStep: 720 }, 'cut-rise')
    expect([down, up, of({ rate: null, rateBefore: 0.02 })].map(directedKind)).toEqual([
      'lower',
      'raise',
      'lower',
    ])
    expect(glyphOf(up).path).toBe(glyphOf(ofKind('raise') ?? { ...lowered, kind: 'raise' }).path)
    expect(decisionWords(up)).toBe('Anneal cut short')
    expect(decisionWords(of({ rate: 0.2, reference: 0.1 }))).toBe('Raised')
    expect(restoredStep(up)).toBe(720)
    expect(restoredStep({ ...up, kind: 'finish' })).toBeNull()
  })

  test('as done where the end or a hold was advised: those come anyway', () => {
    const end = {
      ...switched,
      kind: 'finish',
      status: 'advisory',
      phase: { from: 'anneal', to: 'done' },
    } as const
    expect(decisionWords(end)).toBe('Finished')
    expect(isUnapplied(end)).toBe(false)
    expect(decisionWords({ ...end, phase: { from: 'large', to: 'large' } })).toBe('Advised to finish')
    expect(decisionWords({ ...ofKind('hold'), status: 'advisory' })).toBe('Hold')
  })
})

describe("a test's sides", () => {
  const keys = [
    'diminishing-returns',
    'memorising',
    'rise',
    'comparison',
    'longer-budget',
    'race',
    'some-new-rule',
  ]

  test('are blue and orange where staying still is weighed against annealing', () => {
    expect(sidesOf(weighed).map(({ name, color }) => [name, color])).toEqual([
      ['Staying still gains', 'large'],
      ['Annealing gains', 'anneal'],
    ])
  })

  test.each(keys)('have two names of their own and no colour of a course: %s', (key) => {
    const [left, right] = sidesOf({ ...weighed, key })
    expect([left.color, right.color]).toEqual(['ink-2', 'ink-3'])
    expect(left.name).not.toBe(right.name)
    expect(`${left.name}${right.name}`).not.toMatch(/Staying still gains|Annealing gains/)
  })

  test('have room below 0 only where a side is below 0', () => {
    expect(rangeOf([weighed.left, weighed.right]).least).toBe(0)
    const below = rangeOf([
      { value: -0.0008, standardError: 0.0011 },
      { value: 0.0022, standardError: null },
    ])
    expect(below.least).toBeLessThan(-0.0008 - 1.96 * 0.0011)
    expect(below.most).toBeGreaterThan(0.0022)
    const negative = rangeOf([
      { value: -3, standardError: null },
      { value: -1, standardError: null },
    ])
    expect(negative).toMatchObject({ most: 0 })
  })
})

describe('the rule in words', () => {
  test.each([
    ['<=', true, 2, 3, 'Rule: the first at most the second. Met at 2 of the last 3 probes.'],
    ['>=', false, 0, 1200, 'Rule: the first at least the second. Met at 0 of the last 1,200 probes.'],
    ['>', true, 1, 1, 'Rule: the first above the second. Met.'],
    ['<', false, 0, 1, 'Rule: the first below the second. Not met.'],
    ['>=', false, 0, 0, 'Rule: the first at least the second. Not met.'],
  ] as const)('%s, satisfied %s, %s of %s', (relation, satisfied, met, of, words) => {
    expect(ruleWords({ ...weighed, relation, satisfied, hits: { met, of } })).toBe(words)
  })
})

describe('evidence', () => {
  const entry: Evidence = {
    signal: 'noiseScale',
    value: 630,
    standardError: 36,
    unit: 'examples',
    count: 3,
    source: 'micro-batch-norms',
  }

  test('is named by the keys of its signal and its source', () => {
    expect(evidenceWords(entry)).toMatchObject({
      name: 'Gradient noise scale',
      source: 'micro-batch gradient norms',
    })
  })

  test("of a race names each arm's rate", () => {
    const arms = ofKind('lower').evidence.map(evidenceWords)
    expect(arms.map(({ name }) => name)).toEqual([
      'Loss in the race at 0.03',
      'Loss in the race at 0.1',
      'Loss in the race at 0.3',
    ])
    expect(arms.map(({ source }) => source)).toEqual(['race', 'race', 'race, diverged there'])
  })

  test('that is a rate is written as rates are', () => {
    const { format } = evidenceWords({ ...entry, signal: 'criticalLearningRate' })
    expect(format(0.2713)).toBe('0.27')
    expect(evidenceWords(entry).format(0.2713)).toBe('0.271')
  })
})

test('a key that no table knows is shown with spaces', () => {
  expect(keyWords('some-new-source')).toBe('some new source')
  expect(keyWords('constructor', {})).toBe('constructor')
  expect(evidenceWords({ ...ofKind('lower').evidence[0]!, signal: 'toString' }).name).toBe('toString at 0.03')
  expect(regimeReasonWords('too-few-probes')).toBe('too few probes yet')
})

test('alternatives are named by their kind and step', () => {
  const { alternatives } = ofKind('hold')
  expect(alternatives.map(alternativeWords)).toEqual([
    'anneal at step 3,960',
    'anneal now',
    'never anneal',
    'average the weights instead',
  ])
  expect(plannedAlternative(alternatives)?.finalLoss).toBe(0.284)
  expect(plannedAlternative([])).toBeUndefined()
  const merge = { ...alternatives[0]!, kind: 'merge' } as const
  expect(alternativeWords(merge)).toBe('average the weights instead')
})

test('what lies ahead of a job that is only advised is advice', () => {
  expect(aheadWords({ mode: 'advisory' })).toBe('advised')
  expect(aheadWords({ mode: 'approve' })).toBe('planned')
})
