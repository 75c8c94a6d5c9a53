import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { evaluatePlan, planProblem, segmentRate } from '../protocol/plan.ts'
import type { Schedule, Segment } from '../protocol/vocabulary.ts'
import { UsageError } from './options.ts'
import { readSchedule } from './scheduleFile.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-schedule-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const write = (document: unknown): string => {
  const file = join(folder, 'schedule.json')
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document))
  return file
}
const span = (fromStep: number, toStep: number, learningRate: number, momentum: number | null = null) => ({
  fromStep,
  toStep,
  learningRate,
  momentum,
})
const segment: Segment = { fromStep: 0, toStep: 9, shape: 'constant', from: 0.1, to: 0.1 }
const root: Segment = {
  fromStep: 1_010,
  toStep: 1_050,
  shape: 'oneMinusSqrt',
  from: 0.3,
  to: 0,
  phase: 'anneal',
}
const exported: Schedule = {
  runId: 'r',
  budgetSteps: 1_050,
  step: 1_020,
  applied: [span(1_012, 1_020, 0.25, 0.8), span(1_000, 1_010, 0.1)],
  planned: [root],
}
const ratesOf = ({ plan }: { plan: Parameters<typeof evaluatePlan>[0] }, steps: readonly number[]) =>
  steps.map((step) => evaluatePlan(plan, step).learningRate)

it('that was exported is replayed from its first step on: what was applied, then what was planned', () => {
  const given = readSchedule(write(exported))
  expect(planProblem(given.plan)).toBeUndefined()
  expect(given.steps).toBe(50)
  expect(ratesOf(given, [0, 9, 10, 11, 12, 19])).toEqual([0.1, 0.1, 0.1, 0.1, 0.25, 0.25])
  expect(evaluatePlan(given.plan, 0).momentum).toBeNull()
  expect(evaluatePlan(given.plan, 12).momentum).toBe(0.8)
  const ahead = Array.from({ length: 30 }, (_, i) => 20 + i)
  expect(ratesOf(given, ahead)).toEqual(ahead.map((step) => segmentRate(root, 1_000 + step)))
  expect(ratesOf(given, [50, 30_000])).toEqual([0, 0])
})

it('of a straight anneal that was begun goes on in it', () => {
  const line: Segment = { ...root, shape: 'linear' }
  const given = readSchedule(write({ ...exported, planned: [line] }))
  expect(given.plan.segments).toHaveLength(3)
  const ahead = [20, 21, 35, 49]
  for (const [i, rate] of ratesOf(given, ahead).entries())
    expect(rate).toBeCloseTo(segmentRate(line, 1_000 + ahead[i]!), 15)
})

it('whose plan begins later has its first rate until then', () => {
  const given = readSchedule(write({ ...exported, planned: [{ ...root, fromStep: 1_030 }] }))
  expect(planProblem(given.plan)).toBeUndefined()
  expect(ratesOf(given, [19, 20, 29, 30])).toEqual([0.25, 0.3, 0.3, 0.3])
})

it('of a run without a budget has the steps that were applied; of one that ended all of them', () => {
  expect(readSchedule(write({ ...exported, budgetSteps: null })).steps).toBe(20)
  expect(readSchedule(write({ ...exported, planned: [] })).steps).toBe(20)
})

it('leaves out what was reported far ahead of the plan', () => {
  const given = readSchedule(write({ ...exported, applied: [...exported.applied, span(9_000, 9_001, 0.7)] }))
  expect(given.plan.segments.some(({ from }) => from === 0.7)).toBe(false)
})

it('that is a bare plan gives its segments, whatever else it holds', () => {
  const given = readSchedule(write({ runId: 'r', segments: [segment], unit: 'step' }))
  expect(given.plan.segments).toEqual([segment])
  expect(given.steps).toBeNull()
})

it('that is missing, no JSON, no schedule or no plan is refused with a sentence', () => {
  expect(() => readSchedule(join(folder, 'none.json'))).toThrow(
    /--schedule must name a JSON file, as `twostep get schedule RUN --json` prints it, got .*none\.json/,
  )
  expect(() => readSchedule(write('{'))).toThrow('--schedule must name a JSON file')
  const rubbish: [unknown, string][] = [
    [null, 'segments: '],
    [{ segments: [{ ...segment, to: 0.2 }] }, 'must equal from 0.1 in a constant segment, got 0.2'],
    [{ applied: [] }, 'runId: '],
    [{ ...exported, applied: [], planned: [] }, 'must hold at least one segment'],
    [
      { ...exported, applied: [span(1_000, 1_020, -0.1)] },
      'from must be a finite rate of 0 or more, got -0.1',
    ],
    [{ ...exported, planned: [root, root] }, 'fromStep must be 50, the end of the segment before it'],
    [{ ...exported, planned: [{ ...root, toStep: 9_000_000 }] }, 'at most 1000000 steps may be left'],
  ]
  for (const [document, sentence] of rubbish) {
    const read = () => readSchedule(write(document))
    expect(read).toThrow(UsageError)
    expect(read).toThrow('--schedule must name a file with a schedule or a plan')
    expect(read).toThrow(sentence)
  }
})
