// The verdicts of B, C and D on made-up results: what must be met for each line to pass.

import { describe, expect, it } from 'vitest'
import type { Score, SeedResult } from './generalisation.ts'
import { generalisationReport } from './generalisationReport.ts'
import { type RescalingResult, rescalingReport } from './rescaling.ts'
import type { BatchResult, SmallStepResult } from './smallStep.ts'
import { smallStepReport } from './smallStepReport.ts'
import { meanInterval, ratioInterval } from './statistics.ts'

/** The verdict on the line that begins so. */
const verdictOf = (report: string, start: string): string | undefined =>
  report
    .split('\n')
    .find((line) => line.startsWith(`- ${start}`))
    ?.match(/\*\*(\w+)\*\*/)?.[1]

describe('the verdicts of B', () => {
  const result = (rescaled: readonly number[], control: readonly number[]): RescalingResult => ({
    name: 'data',
    effectiveRate: 0.1,
    yardstick: 0.2,
    ratios: [0.5, 0.9].map((momentum) => ({
      momentum,
      diverged: 0,
      rescaled: meanInterval(rescaled),
      control: meanInterval(momentum === 0.5 ? [1, 1] : control),
    })),
  })
  const verdicts = (rescaled: readonly number[], control: readonly number[]) => {
    const report = rescalingReport([result(rescaled, control)])
    return ['B1', 'B2', 'B3'].map((name) => verdictOf(report, name))
  }
  it('ask the mean, its upper bound, and a control that differs at a large momentum', () => {
    expect(verdicts([0.9, 1], [3, 4])).toEqual(['passed', 'failed', 'passed'])
    expect(verdicts([0.99, 1], [1, 1.2])).toEqual(['passed', 'passed', 'failed'])
  })
  it('fail where a run diverged', () => {
    expect(verdicts([1, Number.POSITIVE_INFINITY], [3, 4])).toEqual(['failed', 'failed', 'passed'])
  })
})

describe('the verdicts of C', () => {
  const batch = (batchSize: number, isInside: boolean, gaps: readonly number[]): BatchResult => {
    const rate = { rate: 1, isInside }
    return {
      batchSize,
      epochsMax: 9,
      middleRate: 1,
      rates: {
        'no momentum, tuned': rate,
        'momentum, tuned': { ...rate, isInside: true },
        'momentum, matched': rate,
      },
      epochs: {
        'no momentum, tuned': gaps,
        'momentum, tuned': gaps.map(() => 1),
        'momentum, matched': gaps,
      },
      gap: ratioInterval(gaps),
      matchedGap: ratioInterval(gaps.map(() => 1)),
    }
  }
  const report = (isInside: boolean, gaps: readonly number[], measured = 6.8) =>
    smallStepReport({
      divergence: 1,
      reference: { rate: { rate: 1, isInside: true }, loss: 0.1 },
      batches: [batch(128, true, [1, 1.1]), batch(4_096, isInside, gaps)],
      gapGrowth: meanInterval([1, 1.1]),
      ownRates: {
        batches: [{ batchSize: 128, plain: [], heavy: [], gap: ratioInterval([1, 1]) }],
        gapGrowth: meanInterval([0, 0]),
      },
      leastSquares: [
        {
          condition: 100,
          momentum: 0.7,
          isBest: true,
          expected: 6.8,
          rates: [
            { rate: 1, isInside: true },
            { rate: 2, isInside: true },
          ],
          ratio: ratioInterval([measured, measured]),
        },
      ],
    } satisfies SmallStepResult)
  it('pass with a gap that is wide at rates inside their grids', () => {
    const passed = report(true, [3, 3.1])
    expect(['C1', 'C2', 'C3', 'C4'].map((name) => verdictOf(passed, name))).toEqual(Array(4).fill('passed'))
  })
  it('fail where the best rate is at an edge, whatever the gap', () => {
    const failed = report(false, [3, 3.1])
    expect(verdictOf(failed, 'C1')).toBe('failed')
    expect(verdictOf(failed, 'C2')).toBe('failed')
    expect(failed).toContain('(at an edge)')
  })
  it('fail where the gap is small or its interval holds 1', () => {
    expect(verdictOf(report(true, [1.2, 1.21]), 'C1')).toBe('failed')
    expect(verdictOf(report(true, [1, 8]), 'C1')).toBe('failed')
  })
  it('ask of least squares the expected ratio, and one that is near the root of the condition number', () => {
    expect(verdictOf(report(true, [3, 3.1], 9.9), 'C3')).toBe('failed')
    expect(verdictOf(report(true, [3, 3.1], 9.9), 'C4')).toBe('passed')
    expect(verdictOf(report(true, [3, 3.1], 11), 'C4')).toBe('failed')
  })
})

describe('the verdicts of D', () => {
  const score = (testAccuracy: number, epochs = 30): Score => ({
    epochs,
    trainingLoss: 0.1,
    testLoss: 0.5,
    testAccuracy,
  })
  const row = (arm: number, shift: number): SeedResult => ({
    arm: score(arm),
    noLargeStep: score(0.8, 20),
    equalEpochs: score(0.8 + shift),
    equalLoss: score(0.8, 40),
  })
  it('ask for an error that is smaller by three in a hundred, and surely smaller', () => {
    const report = generalisationReport([
      { name: 'data', labelNoise: 0.3, rows: [row(0.81, 0.008), row(0.811, 0.0085)] },
    ])
    expect(report).toContain('data, 30 % wrong labels:')
    expect(['D1', 'D2', 'D3'].map((name) => verdictOf(report, name))).toEqual(['passed', 'failed', 'passed'])
    expect(verdictOf(report, 'D as a whole, 2 of 3')).toBe('failed')
  })
  it('fail where the seeds disagree', () => {
    const report = generalisationReport([{ name: 'data', labelNoise: 0, rows: [row(0.9, 0), row(0.79, 0)] }])
    expect(verdictOf(report, 'D1')).toBe('failed')
  })
  it('mark a control that did not reach the training loss', () => {
    const missed = { ...row(0.9, 0), equalLoss: { ...score(0.8), trainingLoss: 0.2 } }
    expect(generalisationReport([{ name: 'data', labelNoise: 0, rows: [missed, row(0.9, 0)] }])).toContain(
      '1 of 2 not reached',
    )
  })
})
