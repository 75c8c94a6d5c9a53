import { describe, expect, it } from 'vitest'
import type { Decision, Observation } from '../../protocol/vocabulary.ts'
import { logTicks, niceTicks, wrapped } from './drawing.ts'
import { coursePicture, rulePicture } from './pictures.ts'
import { storyOf } from './story.ts'

const head = (number: number) => ({ number, receivedAt: '2026-01-01T00:00:00.000Z' })

function probe(number: number, step: number, loss: number): Observation {
  return {
    ...head(number),
    kind: 'probe',
    probe: {
      kind: 'valley',
      step,
      set: 'held-out',
      examples: 512,
      seconds: 0.1,
      raw: { loss },
      averaged: [
        { loss: loss - 0.1, windowSteps: 10 },
        { loss: loss - 0.2, windowSteps: 20 },
      ],
    },
  }
}

const log: readonly Observation[] = [
  { ...head(1), kind: 'samples', columns: { step: [0, 1, 2], learningRate: [0.1, null, 0.1] } },
  probe(2, 20, 1.5),
  { ...head(3), kind: 'samples', columns: { step: [20, 60], learningRate: [0.1, 0.02] } },
  probe(4, 60, Number.NaN),
  probe(5, 80, 0.9),
]

const decision = (step: number, kind: 'hold' | 'switch', staying: number, annealing: number) =>
  ({
    step,
    kind,
    summary: `Annealing from step ${step} to 100: a < b & c.`,
    test: {
      key: 'marginal-cost',
      left: { value: staying, standardError: 0.1 },
      relation: '<=',
      right: { value: annealing, standardError: null },
    },
  }) as Decision

const story = storyOf('tiny & short', {
  log,
  decisions: [decision(20, 'hold', 2, 0.2), decision(60, 'switch', -0.1, 0.2)],
  phases: [
    { phase: 'warmup', fromStep: 0, toStep: 20 },
    { phase: 'large', fromStep: 20, toStep: 60 },
    { phase: 'anneal', fromStep: 60, toStep: 100 },
    { phase: 'done', fromStep: 100, toStep: null },
  ],
  stepCount: 100,
})

/** Whether each element is closed in the right order, no attribute is left open, and no number is missing. */
function expectWellFormed(svg: string): void {
  const open: string[] = []
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<>]*")*)(\/?)>/gi,
    (_, end, name, _attributes, self) => {
      if (end === '/') expect(open.pop()).toBe(name)
      else if (self !== '/') open.push(name)
      return ''
    },
  )
  expect(open).toEqual([])
  expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
  expect(svg).not.toMatch(/NaN|Infinity|undefined|null/)
}

describe('the story of a run', () => {
  it('takes the best window of averaged weights and leaves out what is not finite', () => {
    expect(story.rawLoss.map(({ step }) => step)).toEqual([20, 80])
    expect(story.averagedLoss[0]!.value).toBeCloseTo(1.3, 12)
    expect(story.rates.map(({ step }) => step)).toEqual([0, 2, 20, 60])
  })
  it('takes both sides of the rule from the records, an unknown error as none, and the switch', () => {
    expect(story.verdicts).toHaveLength(2)
    expect(story.verdicts[1]!.annealing).toEqual({ value: 0.2, standardError: 0 })
    expect(story.switched?.step).toBe(60)
  })
})

describe('pictures of a run', () => {
  it('are well-formed and name what they show', () => {
    for (const svg of [coursePicture(story), rulePicture(story)]) {
      expectWellFormed(svg)
      expect(svg).toContain('tiny &amp; short')
      expect(svg).toContain('switch at step 60')
    }
    expect(coursePicture(story)).toContain('a &lt; b &amp; c.')
  })
  it('keep every drawn place on the sheet, also for values beyond an axis', () => {
    const svg = rulePicture(story)
    const height = Number(svg.match(/viewBox="0 0 860 (\d+)"/)![1])
    const places = [...svg.matchAll(/cx="([\d.-]+)" cy="([\d.-]+)"/g)]
    expect(places).toHaveLength(2)
    for (const [, x, y] of places) {
      expect(Number(x)).toBeGreaterThan(0)
      expect(Number(x)).toBeLessThan(860)
      expect(Number(y)).toBeGreaterThan(0)
      expect(Number(y)).toBeLessThan(height)
    }
  })
  it('stand for a run that never switched', () => {
    const plain = { ...story, switched: null }
    expectWellFormed(coursePicture(plain))
    expect(rulePicture(plain)).not.toContain('switch at step')
  })
  it('refuse a run without probes or verdicts', () => {
    expect(() => coursePicture({ ...story, rawLoss: [] })).toThrow(RangeError)
    expect(() => rulePicture({ ...story, verdicts: [] })).toThrow(RangeError)
  })
})

describe('axes and lines', () => {
  it('tick at round values within their ends', () => {
    expect(niceTicks(0, 2_000, 6)).toEqual([0, 500, 1_000, 1_500, 2_000])
    expect(niceTicks(1, 1, 3)).toEqual([1])
    expect(logTicks(0.05, 3)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2])
    expect(logTicks(0.8, 2.4)).toEqual([1, 1.5, 2])
  })
  it('break between words and lose none', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
  })
})
