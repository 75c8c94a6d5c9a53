import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BenchTask, benchTask } from '../tasks.ts'
import { type RivalRow, rivalOutcomes, rivalRows } from './closedLoop.ts'
import { ourOutcome, ourRows } from './ours.ts'
import { addOutcomes, loadOutcomes } from './outcomes.ts'

const tiny: BenchTask = {
  ...benchTask('digits'),
  name: 'tiny',
  widths: [8],
  batchSize: 32,
  trainExamples: 800,
  budgetSteps: 120,
}
const rowOf = (policy: RivalRow['policy']) => rivalRows.find((row) => row.policy === policy)!

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-rows-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('closed loops', () => {
  it('of a rival use the whole budget, and keep the best weights beside the last', async () => {
    const outcomes = await rivalOutcomes(tiny, rowOf('ReduceLROnPlateau, patience 2'), 1)
    expect(outcomes.map(({ row }) => row)).toEqual([
      'ReduceLROnPlateau, patience 2',
      'ReduceLROnPlateau, patience 2, best kept',
    ])
    for (const { steps, test, tunerVersion } of outcomes) {
      expect([steps, tunerVersion]).toEqual([120, null])
      expect(test.loss).toBeLessThan(2)
    }
    expect(tf.memory().numTensors).toBe(0)
  })
  it('that try rates pay for the trials with their steps', async () => {
    const [outcome] = await rivalOutcomes(tiny, rowOf('AutoLRS-like'), 1)
    expect(outcome).toMatchObject({ steps: 120, row: 'AutoLRS-like' })
    expect(outcome!.test.loss).toBeLessThan(2.3)
    expect(tf.memory().numTensors).toBe(0)
  })
  it('of ours say what was given, found and switched, and what was withheld changes the run', async () => {
    const [own, , , , , , noRace] = ourRows
    const outcome = await ourOutcome(tiny, noRace!, 1)
    expect(outcome).toMatchObject({ row: 'ours, no race', givenRate: 0.1, largeRate: 0.1, steps: 120 })
    expect(outcome.switchStep).not.toBeNull()
    expect(own!.withheld).toEqual([])
  })
  it('are kept by row and seed, the newest of each', () => {
    const outcome = {
      row: 'a',
      seed: 1,
      test: { loss: 0.123456789, accuracy: 0.5 },
      steps: 10,
      givenRate: null,
      largeRate: null,
      switchStep: null,
      searchSteps: null,
      tunerVersion: null,
      date: '2026-01-01',
    }
    expect(loadOutcomes('none', folder)).toEqual([])
    addOutcomes('t', [outcome, { ...outcome, seed: 2 }], folder)
    addOutcomes('t', [{ ...outcome, steps: 20 }], folder)
    expect(loadOutcomes('t', folder).map(({ seed, steps }) => [seed, steps])).toEqual([
      [1, 20],
      [2, 10],
    ])
    expect(loadOutcomes('t', folder)[0]!.test.loss).toBe(0.123457)
  })
})
