import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BenchTask, benchTask } from '../tasks.ts'
import { annealLengths } from './branches.ts'
import { parseTraces, type TraceRun, traceLine } from './format.ts'
import { headerOf, tracedRun } from './generate.ts'
import { forkShares, rateAt, tracedDistance } from './largeRun.ts'
import { addRuns, loadTraces, tracedTasks } from './store.ts'

/** Seconds: a small network, 100 steps. */
const tiny: BenchTask = {
  ...benchTask('digits'),
  name: 'tiny',
  widths: [8],
  batchSize: 32,
  trainExamples: 800,
  budgetSteps: 100,
}

let run: TraceRun
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-traces-'))
  run = await tracedRun(tiny, { rate: 0.1, seed: 1 })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a traced run', () => {
  it('holds every step, probe and checkpoint', () => {
    expect(run.loss).toHaveLength(100)
    expect(run.loss[99]!).toBeLessThan(run.loss[0]! / 2)
    expect(run.divergedAtStep).toBeNull()
    expect(run.probes.filter(({ kind }) => kind === 'valley')).toHaveLength(9)
    expect(run.probes.filter(({ kind }) => kind === 'line')).toHaveLength(4)
    expect(run.columns.weightNormSquared!.step).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    expect(run.columns.microGradientNormSquared!.step).toEqual([0, 20, 40, 60, 80])
    expect(run.columns.preconditionedGradientNormSquared).toBeUndefined()
    expect(run.checkpoints.map(({ share }) => share)).toEqual([...forkShares])
    expect(run.checkpoints.map(({ step }) => step)).toEqual([10, 20, 30, 40, 55, 70, 80, 90])
  })
  it('anneals from each checkpoint, and what an anneal does to the loss is seen', () => {
    const names = run.checkpoints.map(({ anneals }) => anneals.map(({ name, toStep }) => `${name} ${toStep}`))
    expect(names[0]).toEqual(['full 100', 'half 15', 'tenth 20'])
    expect(names[5]).toEqual(['full 100', 'tenth 80'])
    expect(names[7]).toEqual(['full 100'])
    const middle = run.checkpoints[4]!
    expect(middle.anneals[0]!.train.loss).toBeLessThan(middle.before.train.loss)
    // The control fork is the large run itself: same weights, same batches, same rate.
    const control = run.checkpoints[6]!.forks[1]!
    expect(control).toMatchObject({ rateFactor: 1, toStep: 82 })
  })
  it('comes again the same from the same seed, and leaves no tensor behind', async () => {
    expect(tf.memory().numTensors).toBe(0)
    const again = await tracedRun(tiny, { rate: 0.1, seed: 1 })
    expect(again.loss).toEqual(run.loss)
    expect(again.checkpoints).toEqual(run.checkpoints)
    expect(tf.memory().numTensors).toBe(0)
  })
  it('that diverges says when, and keeps the truth up to there', async () => {
    const wild = await tracedRun(tiny, { rate: 1e30, seed: 1 })
    expect(wild.divergedAtStep).toBeLessThan(100)
    expect(wild.loss.at(-1)).toBeNaN()
    expect(wild.final).toBeNull()
    const [header, read] = [headerOf(tiny), traceLine(wild)]
    const parsed = parseTraces(`${traceLine(header)}\n${read}\n`).runs[0]!
    expect(parsed.loss.at(-1)).toBeNaN()
  })
})

describe('a trace file', () => {
  it('gives back what was put in, to the digits it keeps', () => {
    addRuns(headerOf(tiny), [run], folder)
    const loaded = loadTraces('tiny', folder)!
    expect(tracedTasks(folder)).toEqual(['tiny'])
    expect(readdirSync(folder)).toEqual(['tiny.ndjson.gz'])
    expect(loaded.header.task).toEqual(tiny)
    const [read] = loaded.runs
    expect(read!.probes).toHaveLength(run.probes.length)
    read!.loss.forEach((loss, step) => {
      expect(Math.abs(loss / run.loss[step]! - 1)).toBeLessThan(5e-4)
    })
    const [truth, read0] = [run.checkpoints[3]!.anneals[0]!, read!.checkpoints[3]!.anneals[0]!]
    expect(Math.abs(read0.test.loss / truth.test.loss - 1)).toBeLessThan(5e-6)
  })
  it('replaces a run of the same rate and seed, and keeps the others', () => {
    addRuns(headerOf(tiny), [{ ...run, seed: 2 }], folder)
    addRuns(headerOf(tiny), [{ ...run, momentum: 0.5 }], folder)
    const { runs } = loadTraces('tiny', folder)!
    expect(runs.map(({ seed, momentum }) => [seed, momentum])).toEqual([
      [1, 0.5],
      [2, 0.9],
    ])
  })
  it('of another format, or empty, is refused', () => {
    writeFileSync(join(folder, 'old.ndjson.gz'), gzipSync('{"kind":"task","format":0}\n'))
    expect(() => loadTraces('old', folder)).toThrow('must start with a header of format 1')
    writeFileSync(join(folder, 'none.ndjson.gz'), gzipSync(''))
    expect(() => loadTraces('none', folder)).toThrow('got an empty file')
    expect(loadTraces('absent', folder)).toBeUndefined()
  })
})

describe('the parts', () => {
  it('the ramp climbs from a tenth and stays', () => {
    const ramp = { rate: 1, rampSteps: 10, budgetSteps: 100 }
    expect([0, 5, 10, 50].map((step) => rateAt(ramp, step))).toEqual([0.1, 0.55, 1, 1])
    expect([0, 5, 10].map((step) => rateAt({ ...ramp, rampFrom: 0.5 }, step))).toEqual([0.5, 0.75, 1])
  })
  it('probes come at half of the distance that the tuner asks for', () => {
    expect([0, 333, 499, 500, 700, 1_000, 3_000, 9_000].map(tracedDistance)).toEqual([
      10, 10, 10, 15, 20, 30, 80, 80,
    ])
  })
  it('anneals that reach the end of the budget are one', () => {
    expect(annealLengths(100, 1_000)).toEqual([
      ['full', 900],
      ['half', 50],
      ['tenth', 100],
    ])
    expect(annealLengths(700, 1_000)).toEqual([
      ['full', 300],
      ['tenth', 100],
    ])
    expect(annealLengths(900, 1_000)).toEqual([['full', 100]])
  })
})
